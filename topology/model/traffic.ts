/** Traffic that netfold itself makes, or only reckons with: `traffic:` of a file. */
import { type Bps, type Micros, micros } from '../../proto/units.ts';
import { endpointName, formatReference, type NodeReference } from './names.ts';
import type { Position } from './position.ts';

/**
 * `constant`: datagrams at equal distances. `exponential`, `pareto`: the same in bursts, with times on and off of this
 * distribution. `greedy`: a TCP connection that always has something to send.
 */
export const TRAFFIC_KINDS = ['constant', 'exponential', 'pareto', 'greedy'] as const;
export type TrafficKind = (typeof TRAFFIC_KINDS)[number];

export interface Traffic {
  readonly name: string;
  /** An endpoint, or a service, each of whose replicas sends; simulated, also a bridge. */
  readonly from: NodeReference;
  /** Replica i of a service sends to replica i of the other, and begins anew where that has fewer. */
  readonly to: NodeReference;
  readonly kind: TrafficKind;
  /** Of frames, as links count them, while it sends; absent: greedy. */
  readonly rate?: Bps;
  /** Bytes of a datagram's payload. */
  readonly size: number;
  /** Mean times of a burst and of the pause after it. */
  readonly on: Micros;
  readonly off: Micros;
  /** Of Pareto's distribution, above 1. */
  readonly shape: number;
  readonly start: Micros;
  /** Absent: never. */
  readonly stop?: Micros;
  /** So many of the same. */
  readonly count: number;
  /** Of the times of bursts. */
  readonly seed: number;
  /** It takes its shares of links as real traffic does, and no packet is sent. */
  readonly simulated: boolean;
  readonly position: Position;
}

/** More take no memory to speak of, and their order of flows has no room for them (agent/share/shared-flows.ts). */
export const MAX_TRAFFIC_SOURCES = 100_000;
/** Of those that send packets: a host with so many has no time left for anything else. */
export const MAX_REAL_SOURCES = 10_000;

/** One source of traffic between two nodes. */
export interface TrafficSource {
  /** Its place among all. */
  readonly index: number;
  readonly traffic: Traffic;
  /** Numbers of nodes. */
  readonly from: number;
  readonly to: number;
}

/** Names by number: endpoints, then bridges. */
interface Nodes {
  readonly nodes: readonly string[];
  readonly endpoints: readonly string[];
}

/** Every single source, in the order of the file. The same on every host. */
export function trafficSources(traffic: readonly Traffic[], { nodes, endpoints }: Nodes): TrafficSource[] {
  const numbers = new Map(nodes.map((name, number) => [name, number]));
  const replicasOf = ({ name, replica }: NodeReference): number[] => {
    if (replica !== undefined) return [numbers.get(endpointName(name, replica))!];
    const bridge = numbers.get(name);
    if (bridge !== undefined && bridge >= endpoints.length) return [bridge];
    const found: number[] = [];
    for (
      let at = numbers.get(endpointName(name, 0));
      at !== undefined;
      at = numbers.get(endpointName(name, found.length))
    )
      found.push(at);
    return found;
  };
  const sources: TrafficSource[] = [];
  for (const one of traffic) {
    const [from, to] = [replicasOf(one.from), replicasOf(one.to)];
    for (const [place, source] of from.entries())
      for (let copy = 0; copy < one.count; copy++)
        sources.push({ index: sources.length, traffic: one, from: source, to: to[place % to.length]! });
  }
  return sources;
}

/** How many sources a service or node has. */
export const sourcesOf = ({ from, count }: Traffic, replicas: ReadonlyMap<string, number>): number =>
  (from.replica === undefined ? (replicas.get(from.name) ?? 1) : 1) * count;

export const trafficLabel = ({ from, to }: Pick<Traffic, 'from' | 'to'>): string =>
  `${formatReference(from)}>${formatReference(to)}`;

/** Bytes of a datagram around its payload, as links count them: Ethernet without preamble and FCS, IPv4, UDP. */
export const DATAGRAM_OVERHEAD = 14 + 20 + 8;

export const NEVER: Micros = micros(Number.POSITIVE_INFINITY);
