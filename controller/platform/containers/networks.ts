/** In which of its networks a container is an endpoint, and with which addresses. Pure. */
import { BlockList, isIP, isIPv4 } from 'node:net';
import { called, type Inspected } from './containers.ts';
import { ContainerError } from './errors.ts';

export interface Chosen {
  readonly network: string;
  readonly addresses: readonly string[];
}

/** Whether `--network` names an address range (`10.9.0.0/16`) rather than a network. */
export function isRange(wanted: string): boolean {
  const [address = '', bits = ''] = wanted.split('/');
  return isIP(address) !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (isIPv4(address) ? 32 : 128);
}

/** The networks in which all containers have an address. */
export function sharedNetworks(containers: readonly Inspected[]): Set<string> {
  const [first = [], ...others] = containers.map((one) => networksWithAddress(one));
  return new Set(first.filter((network) => others.every((some) => some.includes(network))));
}

const networksWithAddress = ({ networks }: Inspected): string[] =>
  Object.keys(networks).filter((network) => networks[network]!.length > 0);

/**
 * The network that is wanted, by name or address range; else the only one that it has, or the only one of `preferred`. Throws
 * `CONTAINER_ON_HOST`, `CONTAINER_WITHOUT_NETWORK`, `CONTAINER_NETWORKS`.
 */
export function chooseNetwork(
  container: Inspected,
  wanted: string | undefined,
  preferred: ReadonlySet<string>,
): Chosen {
  const { networks, networkMode } = container;
  if (networkMode === 'host')
    throw new ContainerError(
      'CONTAINER_ON_HOST',
      `${called(container)} has the machine's own network (${container.isPod ? 'hostNetwork: true' : '--network host'})`,
      'shape an interface of the machine: netfold up FILE --at NODE=INTERFACE; or start it in a network of its own',
    );
  const all = networksWithAddress(container);
  if (all.length === 0) throw withoutNetwork(container);
  const fitting = wanted === undefined ? all : all.filter((one) => fits(one, networks[one]!, wanted));
  if (fitting.length === 0)
    throw new ContainerError(
      'CONTAINER_NETWORKS',
      `${called(container)} is not in the network ${wanted}`,
      `it is in: ${all.join(' ')}`,
    );
  const best = fitting.length === 1 ? fitting : fitting.filter((one) => preferred.has(one));
  if (best.length !== 1)
    throw new ContainerError(
      'CONTAINER_NETWORKS',
      `${called(container)} is in several networks: ${fitting.join(' ')}`,
      `say which one is emulated: --network ${fitting[0]}, or --network RANGE such as 10.9.0.0/16`,
    );
  return { network: best[0]!, addresses: networks[best[0]!]! };
}

function withoutNetwork(container: Inspected): ContainerError {
  const { name, networkMode, isPod } = container;
  if (isPod)
    return new ContainerError(
      'CONTAINER_WITHOUT_NETWORK',
      `${called(container)} has no address yet`,
      `see what its network plugin says: kubectl describe pod ${name.split('/').at(-1)}`,
    );
  const [, other] = /^container:(.+)$/.exec(networkMode) ?? [];
  return new ContainerError(
    'CONTAINER_WITHOUT_NETWORK',
    other === undefined
      ? `the container ${name} has no network with an address (--network ${networkMode})`
      : `the container ${name} has no network of its own: it uses that of another`,
    other === undefined
      ? `connect it: docker network connect NETWORK ${name}`
      : `select the other one: docker inspect ${other.slice(0, 12)}`,
  );
}

function fits(network: string, addresses: readonly string[], wanted: string): boolean {
  if (network === wanted) return true;
  if (!isRange(wanted)) return false;
  const [address, bits] = wanted.split('/') as [string, string];
  const range = new BlockList();
  range.addSubnet(address, Number(bits), isIPv4(address) ? 'ipv4' : 'ipv6');
  return addresses.some((one) => range.check(one, isIPv4(one) ? 'ipv4' : 'ipv6'));
}
