/** Looks into the network namespaces of containers, and gives them names. */
import { addressesOf, listLinks } from '../../../agent/kernel/netlink/links.ts';
import { namespacePath } from '../../../agent/kernel/netns/namespace-files.ts';
import { nameNamespace, removeNamespace } from '../../../agent/kernel/netns/namespaces.ts';
import { onInterface } from '../../../agent/linux/take-over/take-over.ts';
import { ContainerError } from './errors.ts';
import { type Attached, inodeAt, type Sandbox, sandboxName } from './sandbox.ts';

/** The interface that has one of the addresses, with all that it has. `undefined`: none. Throws `NAMESPACE_MISSING`. */
export function findInterface(
  namespace: string,
  addresses: readonly string[],
): Omit<Attached, 'namespace'> | undefined {
  return onInterface({ namespace, ifindex: 0 }, (socket) => {
    for (const { ifindex, ifname } of listLinks(socket)) {
      const its = addressesOf(socket, ifindex);
      if (its.some((one) => addresses.includes(one)))
        return { interface: { name: ifname, index: ifindex }, addresses: its };
    }
    return undefined;
  });
}

/** Those of the only interface that has any; none while there is none, and where several have. Throws `NAMESPACE_MISSING`. */
export function soleAddresses(namespace: string): readonly string[] {
  return onInterface({ namespace, ifindex: 0 }, (socket) => {
    const all = listLinks(socket).map(({ ifindex }) => addressesOf(socket, ifindex));
    const some = all.filter((its) => its.length > 0);
    return some.length === 1 ? some[0]! : [];
  });
}

/** Names the sandbox at a path. Throws `CONTAINER_CHANGED` if it is another one by now, or gone; then nothing is left. */
export function nameSandbox(sandbox: Sandbox, path: string): string {
  const name = sandboxName(sandbox);
  const isThere = (): boolean => inodeAt(path) === sandbox.inode;
  if (!isThere()) throw changed(sandbox);
  nameNamespace(name, path);
  // Its process may have ended meanwhile, and the number belong to another one.
  if (isThere()) return name;
  removeNamespace(name);
  throw changed(sandbox);
}

const changed = ({ endpoint }: Sandbox): ContainerError =>
  new ContainerError(
    'CONTAINER_CHANGED',
    `the container or pod of ${endpoint} was stopped or started again meanwhile`,
    'try again',
  );

/** As `SandboxPort.open`. A name that is left from an attempt before is used again. */
export function openSandbox(
  sandbox: Sandbox,
  path: string,
  addresses: readonly string[],
): Attached | undefined {
  const namespace = sandboxName(sandbox);
  removeNamespace(namespace);
  nameSandbox(sandbox, path);
  const found = findInterface(namespacePath(namespace), addresses);
  if (found) return { namespace, ...found };
  removeNamespace(namespace);
  return undefined;
}
