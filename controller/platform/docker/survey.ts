/** Looks into the network namespaces of containers, and gives them names. */
import { addressesOf, listLinks } from '../../../agent/kernel/netlink/links.ts';
import { namespacePath } from '../../../agent/kernel/netns/namespace-files.ts';
import { nameNamespace, removeNamespace } from '../../../agent/kernel/netns/namespaces.ts';
import { onInterface } from '../../../agent/linux/take-over/take-over.ts';
import { DockerError } from './errors.ts';
import { type Attached, inodeOf, type Sandbox, sandboxName } from './sandbox.ts';

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

/** Names the sandbox of a process. Throws `CONTAINER_CHANGED` if it is another one by now; then nothing is left. */
export function nameSandbox(sandbox: Sandbox, pid: number): string {
  const name = sandboxName(sandbox);
  nameNamespace(name, `/proc/${pid}/ns/net`);
  // The process may have ended, and its number belong to another one.
  if (inodeOf(pid) === sandbox.inode) return name;
  removeNamespace(name);
  throw new DockerError(
    'CONTAINER_CHANGED',
    `the container of ${sandbox.endpoint} was stopped or started again meanwhile`,
    'try again',
  );
}

/** As `SandboxPort.open`. A name that is left from an attempt before is used again. */
export function openSandbox(
  sandbox: Sandbox,
  pid: number,
  addresses: readonly string[],
): Attached | undefined {
  const namespace = sandboxName(sandbox);
  removeNamespace(namespace);
  nameSandbox(sandbox, pid);
  const found = findInterface(namespacePath(namespace), addresses);
  if (found) return { namespace, ...found };
  removeNamespace(namespace);
  return undefined;
}
