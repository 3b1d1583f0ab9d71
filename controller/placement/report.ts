/** What `netfold place` prints. */
import { formatMemory, formatRate } from '../../proto/units.ts';
import type { Graph } from '../../topology/model/model.ts';
import { replicaOf, serviceOf } from '../../topology/model/names.ts';
import type { HostRoom, Placement } from './model.ts';

export interface PlacementReport {
  readonly placement: readonly { readonly endpoint: string; readonly host: string }[];
  readonly crossTrafficBps: number;
  readonly roundRobinBps: number;
  readonly hosts: readonly {
    readonly host: string;
    readonly endpoints: number;
    readonly cores: number;
    readonly memoryBytes: number;
    readonly leavingBps: number;
    readonly arrivingBps: number;
  }[];
  /** Directed links between hosts. */
  readonly dividedLinks: number;
  /** With `--without`: the endpoints that were on the lost hosts. */
  readonly moved?: readonly string[];
}

export function placementReport(
  { endpoints }: Graph,
  { hostOf, hosts, crossTrafficBps, roundRobinBps, dividedLinks }: Placement,
  moved?: readonly string[],
): PlacementReport {
  return {
    placement: endpoints.map((endpoint, number) => ({ endpoint, host: hosts[hostOf[number]!]!.name })),
    crossTrafficBps,
    roundRobinBps,
    hosts: hosts.map(({ name, endpoints: own, ...rest }) => ({ host: name, endpoints: own.length, ...rest })),
    dividedLinks,
    ...(moved && { moved }),
  };
}

export const PLACEMENT_HEADING = ['host', 'endpoints', 'cores', 'memory', 'can leave', 'can arrive'] as const;

/** Per host what it got, beside what it has. */
export function placementRows({ hosts }: Placement, rooms: readonly HostRoom[]): string[][] {
  return hosts.map((host, index) => {
    const room = rooms[index]!;
    return [
      host.name,
      beside(String(host.endpoints.length), room.endpoints, String),
      beside(String(Number(host.cores.toPrecision(6))), room.cores, String),
      beside(formatMemory(host.memoryBytes), room.memoryBytes, formatMemory),
      beside(rate(host.leavingBps), room.bandwidth, formatRate),
      beside(rate(host.arrivingBps), room.bandwidth, formatRate),
    ];
  });
}

const beside = <T extends number>(got: string, has: T | undefined, format: (has: T) => string): string =>
  has === undefined ? got : `${got} of ${format(has)}`;

/** `0bps` has a unit, but says less. */
const rate = (bps: number): string => (bps === 0 ? '0' : formatRate(bps));

/** Below the table: how much is divided, and the endpoints of each host. */
export function placementText(graph: Graph, placement: Placement): string {
  const { crossTrafficBps, roundRobinBps, dividedLinks, links, hosts } = placement;
  const times =
    crossTrafficBps > 0 ? `, ${Number((roundRobinBps / crossTrafficBps).toPrecision(2))} times as much` : '';
  const lines = [
    `At most ${rate(crossTrafficBps)} can cross between hosts, over ${dividedLinks} of ${links} directed links.`,
    `Spread in turn, it would be ${rate(roundRobinBps)}${times}.`,
    '',
    ...hosts.map(
      ({ name, endpoints }) =>
        `${name}: ${ranges(endpoints.map((one) => graph.endpoints[one]!)) || 'nothing'}`,
    ),
  ];
  return lines.join('\n');
}

/** `client.0-2 client.5 server.0`. `names`: in the order of their numbers. */
export function ranges(names: readonly string[]): string {
  const texts: string[] = [];
  for (let at = 0; at < names.length; ) {
    const service = serviceOf(names[at]!);
    const first = replicaOf(names[at]!);
    let last = first;
    for (at++; at < names.length && names[at] === `${service}.${last + 1}`; at++) last++;
    texts.push(last === first ? `${service}.${first}` : `${service}.${first}-${last}`);
  }
  return texts.join(' ');
}
