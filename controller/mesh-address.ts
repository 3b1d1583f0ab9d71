/**
 * Where agents listen and are dialled, as written on the command line: `192.0.2.7`, `[2001:db8::7]:4646`, a name, a
 * multiaddr.
 */
import { isIP, isIPv4, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { InvalidArgumentError } from 'commander';
import { MESH_PORT } from './names.ts';

export interface MeshAddress {
  /** An IP address, or a name where one is dialled. */
  readonly address: string;
  readonly port: number;
}

/** As an address: all of this machine's, of both families. */
const ANY = '*';
export const ANY_ADDRESS: MeshAddress = { address: ANY, port: MESH_PORT };

/** What stands for several addresses, and which of a machine's. libp2p opens `::` for IPv6 alone. */
const OPEN: ReadonlyMap<string, (address: string) => boolean> = new Map([
  [ANY, () => true],
  ['0.0.0.0', isIPv4],
  ['::', isIPv6],
]);

/** The addresses that agents can dial. libp2p parses what follows, such as `/p2p/PEER`. */
const MULTIADDR = /^\/(ip4|ip6|dns|dns4|dns6)\/[^/]+\/tcp\/\d{1,5}(\/p2p\/[^/]+)?$/;

const NAME = /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/;

/** `ADDRESS[:PORT]`, an IPv6 address with a port in brackets. Throws `InvalidArgumentError`. */
export function parseListen(text: string): MeshAddress {
  const parsed = split(text);
  if (parsed && isIP(parsed.address)) return parsed;
  throw new InvalidArgumentError('write ADDRESS or ADDRESS:PORT, e.g. 192.0.2.7 or [2001:db8::7]:4646');
}

/** `NAME[:PORT]`, an address as well. Throws `InvalidArgumentError`. */
export function parseNamed(text: string): MeshAddress {
  const parsed = split(text);
  if (parsed && (isIP(parsed.address) || NAME.test(parsed.address))) return parsed;
  throw new InvalidArgumentError('write NAME or NAME:PORT, e.g. tasks.netfold');
}

/**
 * A multiaddr, or what `parseListen` accepts, or the name of a machine. Returns a multiaddr. Throws
 * `InvalidArgumentError`.
 */
export function parsePeer(text: string): string {
  if (MULTIADDR.test(text)) return text;
  const parsed = split(text);
  if (parsed && (isIP(parsed.address) || NAME.test(parsed.address))) return multiaddrOf(parsed);
  throw new InvalidArgumentError('write ADDRESS, ADDRESS:PORT or a multiaddr, e.g. /ip4/192.0.2.7/tcp/4646');
}

export function multiaddrOf({ address, port }: MeshAddress): string {
  const kind = { 4: 'ip4', 6: 'ip6', 0: 'dns' }[isIP(address) as 0 | 4 | 6];
  return `/${kind}/${address}/tcp/${port}`;
}

function split(text: string): MeshAddress | undefined {
  if (isIP(text)) return { address: text, port: MESH_PORT };
  const found = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  const port = found?.[3] === undefined ? MESH_PORT : Number(found[3]);
  if (!found || port < 1 || port > 65_535) return undefined;
  return { address: (found[1] ?? found[2])!, port };
}

/** Where an agent opens its sockets: at all addresses in the families of which the machine has one, of IPv4 if it has none yet. */
export function listenAt(
  { address, port }: MeshAddress,
  own: readonly string[] = machineAddresses(),
): string[] {
  if (address !== ANY) return [multiaddrOf({ address, port })];
  const has6 = own.some(isIPv6);
  const has4 = own.some(isIPv4) || !has6;
  const families = [...(has4 ? ['0.0.0.0'] : []), ...(has6 ? ['::'] : [])];
  return families.map((one) => multiaddrOf({ address: one, port }));
}

/**
 * Where others may reach an agent that listens at `listen`: if that is any address, all addresses that others may
 * have a route to.
 */
export function reachableAt(
  { address, port }: MeshAddress,
  own: readonly string[] = machineAddresses(),
): string[] {
  const isOfFamily = OPEN.get(address);
  if (!isOfFamily) return [multiaddrOf({ address, port })];
  return own.filter((one) => isOfFamily(one)).map((one) => multiaddrOf({ address: one, port }));
}

/** Without loopback and link-local ones. */
function machineAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return all.flatMap(({ address, internal }) =>
    internal || /^(fe80:|169\.254\.)/i.test(address) ? [] : [address],
  );
}
