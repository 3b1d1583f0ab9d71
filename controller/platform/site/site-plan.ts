/**
 * A topology on existing interfaces of this machine: nothing is made, one agent shapes them. Endpoints are placed by
 * hand: `--at client=eth1`, or `--at server=eth0@NAMESPACE`.
 */

import { isIPv4 } from 'node:net';
import type { Link } from '../../../agent/kernel/netlink/links.ts';
import { OWN_NAMESPACE } from '../../../agent/kernel/netns/namespace-files.ts';
import { NetfoldError } from '../../../proto/errors.ts';
import { serviceOf, suggest } from '../../../topology/model/names.ts';
import type { MeshAddress } from '../../mesh-address.ts';
import { hostName } from '../../names.ts';
import type { Plan, PlannedEndpoint, PlannedHost } from '../port/plan.ts';

/** What every plan of this platform contains. */
export const IN_PLACE = {
  platform: 'site',
  place: 'interfaces of this machine',
  outlivesAgent: true,
} as const;

export interface Placement {
  /** An endpoint, or a service with one replica. */
  readonly node: string;
  readonly ifname: string;
  /** Name of its network namespace; `OWN_NAMESPACE`: the one of this process. */
  readonly namespace: string;
}

export type PlacementErrorCode =
  | 'PLACEMENT_INVALID'
  | 'PLACEMENT_UNKNOWN'
  | 'INTERFACE_UNKNOWN'
  | 'ADDRESS_MISSING';

export class PlacementError extends NetfoldError {
  declare readonly code: PlacementErrorCode;

  constructor(code: PlacementErrorCode, message: string, remedy: string) {
    super({ code, blame: code === 'PLACEMENT_INVALID' ? 'usage' : 'input', message, remedy });
  }
}

/** `client=eth1`, `server.0=eth0@web`. Throws `PLACEMENT_INVALID`. */
export function parsePlacement(text: string): Placement {
  const found = /^([^=@\s]+)=([^=@\s/]{1,15})(?:@([^=@\s/]+))?$/.exec(text);
  if (!found) {
    throw new PlacementError(
      'PLACEMENT_INVALID',
      `--at ${text}: this is not NODE=INTERFACE or NODE=INTERFACE@NAMESPACE`,
      'write for instance --at client=eth1, or --at server=eth0@web for a namespace of `ip netns list`',
    );
  }
  return { node: found[1]!, ifname: found[2]!, namespace: found[3] ?? OWN_NAMESPACE };
}

/** The kernel's data of a placement's interface. */
export interface Surveyed {
  readonly link: Link | undefined;
  /** Without link-local ones. */
  readonly addresses: readonly string[];
}

/** Further data for an experiment that other machines join. */
export interface Elsewhere {
  /** Name of this machine's host. */
  readonly host?: string | undefined;
  /** Where its agent listens; endpoints without a place here come from hosts that join. */
  readonly listen: MeshAddress;
}

/**
 * One host, this machine, with one agent. Without `elsewhere` it has all endpoints, and its agent listens on the
 * loopback interface. Throws `PlacementError` if an endpoint has no place, or two, or a place that does not exist.
 */
export function planSite(
  experiment: string,
  endpointNames: readonly string[],
  placements: readonly Placement[],
  survey: (placement: Placement) => Surveyed,
  elsewhere?: Elsewhere,
): Plan {
  const { host: name = hostName(0), listen = { address: '127.0.0.1', port: 0 } } = elsewhere ?? {};
  const host: PlannedHost = {
    index: 0,
    name,
    namespace: OWN_NAMESPACE,
    address: listen.address,
    meshPort: listen.port,
  };
  const places = assign(endpointNames, placements, elsewhere !== undefined);
  if (!elsewhere) requireAll(endpointNames, places);
  const endpoints = endpointNames.flatMap((name, number): PlannedEndpoint[] => {
    const placement = places.get(name);
    if (!placement) return [];
    const { link, addresses } = survey(placement);
    if (!link) throw unknownInterface(placement);
    if (addresses.length === 0) throw withoutAddress(placement);
    const { namespace } = placement;
    const place = { namespace, interface: { name: link.ifname, index: link.ifindex } };
    return [{ number, name, ...place, address: addresses.find(isIPv4) ?? addresses[0]!, addresses, host }];
  });
  return { ...IN_PLACE, experiment, hosts: [host], endpoints, settings: {} };
}

/**
 * Endpoint → its one placement. What endpoints of one namespace send to each other does not leave it, and can't be shaped; with
 * `hasOthers`, they are there for those of other machines.
 */
function assign(
  endpointNames: readonly string[],
  placements: readonly Placement[],
  hasOthers: boolean,
): Map<string, Placement> {
  const places = new Map<string, Placement>();
  const taken = new Map<string, string>();
  for (const placement of placements) {
    const { node, ifname, namespace } = placement;
    const name = endpointNames.find((one) => one === node) ?? onlyReplica(endpointNames, node);
    if (places.has(name)) throw conflict(`${name} is placed twice`);
    const at = hasOthers ? `${namespace} ${ifname}` : namespace;
    const other = taken.get(at);
    if (other !== undefined) {
      const where = namespace === OWN_NAMESPACE ? 'this namespace' : `the namespace ${namespace}`;
      throw conflict(
        `${other} and ${name} are both in ${where} (${ifname}); an endpoint is ${hasOthers ? 'an interface' : 'a namespace or a machine'}`,
      );
    }
    taken.set(at, name);
    places.set(name, placement);
  }
  return places;
}

function requireAll(endpointNames: readonly string[], places: ReadonlyMap<string, Placement>): void {
  const missing = endpointNames.filter((name) => !places.has(name));
  if (missing.length === 0) return;
  throw new PlacementError(
    'PLACEMENT_UNKNOWN',
    `${missing.slice(0, 5).join(', ')} ${missing.length > 1 ? 'have' : 'has'} no place`,
    `add --at ${missing[0]}=INTERFACE[@NAMESPACE], or --elsewhere for what other machines bring`,
  );
}

function onlyReplica(endpointNames: readonly string[], node: string): string {
  const replicas = endpointNames.filter((name) => serviceOf(name) === node);
  if (replicas.length === 1) return replicas[0]!;
  const message =
    replicas.length > 1 ? `"${node}" has ${replicas.length} replicas` : `the topology has no "${node}"`;
  const remedy =
    replicas.length > 1
      ? `place each: ${replicas[0]}, …`
      : suggest(node, endpointNames, `it has: ${endpointNames.slice(0, 10).join(' ')}`);
  throw new PlacementError('PLACEMENT_UNKNOWN', message, remedy);
}

const conflict = (message: string): PlacementError =>
  new PlacementError('PLACEMENT_INVALID', message, 'give every endpoint one place of its own');

function unknownInterface({ ifname, namespace }: Placement): PlacementError {
  const inside = namespace === OWN_NAMESPACE ? '' : `ip netns exec ${namespace} `;
  return new PlacementError(
    'INTERFACE_UNKNOWN',
    `there is no interface "${ifname}"${namespace === OWN_NAMESPACE ? '' : ` in the namespace ${namespace}`}`,
    `see which there are: ${inside}ip link`,
  );
}

function withoutAddress({ node, ifname }: Placement): PlacementError {
  return new PlacementError(
    'ADDRESS_MISSING',
    `${ifname} of ${node} has no address, so its packets can't be recognised`,
    `give it one: ip address add …/24 dev ${ifname}`,
  );
}
