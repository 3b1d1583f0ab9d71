/** Traffic that netfold itself makes, or only reckons with: `traffic:` of a file. */
import { type Bps, type Micros, micros } from '../../proto/units.ts';
import { endpointName, formatReference, type NodeReference } from './names.ts';
import type { Position } from './position.ts';

/**
 * Messages at times of their own: `constant` at equal distances; `exponential`, `pareto` the same in bursts, with times on and off
 * of this distribution; `telnet` as keys are pressed; `trace` as a file says. `flows` are flows of so many bytes as a file says: of TCP, a
 * connection each. TCP connections: `greedy` always has something to send, `ftp` sends files with pauses, `web` asks for pages.
 */
export const TRAFFIC_KINDS = [
  ...(['constant', 'exponential', 'pareto', 'telnet', 'trace', 'flows'] as const),
  ...(['greedy', 'ftp', 'web'] as const),
] as const;
export type TrafficKind = (typeof TRAFFIC_KINDS)[number];
export const PROTOCOLS = ['udp', 'tcp'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** Kinds whose messages have a rate while they are sent. */
export const hasRate = (kind: TrafficKind): boolean => kind === 'constant' || isBursty(kind);
export const isBursty = (kind: TrafficKind): boolean => kind === 'exponential' || kind === 'pareto';
/** Kinds that are TCP connections, and answer to what these do. */
export const isConversation = (kind: TrafficKind): boolean =>
  kind === 'greedy' || kind === 'ftp' || kind === 'web';

/** What is sent if nothing is written. */
export const usualProtocol = (kind: TrafficKind): Protocol =>
  isConversation(kind) || kind === 'telnet' || kind === 'flows' ? 'tcp' : 'udp';

export interface Traffic {
  readonly name: string;
  /** An endpoint, or a service, each of whose replicas sends; simulated, also a bridge. */
  readonly from: NodeReference;
  /** Replica i of a service sends to replica i of the other, and begins anew where that has fewer. */
  readonly to: NodeReference;
  readonly kind: TrafficKind;
  readonly protocol: Protocol;
  /** Of frames, as links count them, while it sends; absent: it has none of its own. */
  readonly rate?: Bps;
  /** Bytes of a message: of UDP, a datagram's payload. */
  readonly size: number;
  /** Mean times of a burst and of the pause after it. */
  readonly on: Micros;
  readonly off: Micros;
  /** Of Pareto's distribution, above 1. */
  readonly shape: number;
  /** Of telnet: mean time between messages, whose distribution is exponential then. Absent: that of tcplib. */
  readonly interval?: Micros;
  /** Of a trace: times and sizes (packet-trace.ts). */
  readonly trace?: string;
  /** Times, bytes and durations of flows (packet-trace.ts). */
  readonly flows?: string;
  /** Infinite: an event starts it. */
  readonly start: Micros;
  /** Absent: never. */
  readonly stop?: Micros;
  /** So many of the same. */
  readonly count: number;
  /** Of all that is drawn. */
  readonly seed: number;
  /** It takes its shares of links as real traffic does, and no packet is sent. */
  readonly simulated: boolean;
  readonly position: Position;
}

/** More take no memory to speak of, and their order of flows has no room for them (agent/share/shared-flows.ts). */
export const MAX_TRAFFIC_SOURCES = 100_000;
/** Of those that send packets: a host with so many has no time left for anything else. */
export const MAX_REAL_SOURCES = 10_000;
/** Of all flows of UDP that files name: each host has them in memory. */
export const MAX_FLOW_DATAGRAMS = 1_000_000;

/** One source of traffic between two nodes. */
export interface TrafficSource {
  /** Its place among all. */
  readonly index: number;
  /** The place of `traffic` in the file. */
  readonly entry: number;
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
  for (const [entry, one] of traffic.entries()) {
    const [from, to] = [replicasOf(one.from), replicasOf(one.to)];
    for (const [place, source] of from.entries())
      for (let copy = 0; copy < one.count; copy++)
        sources.push({
          ...{ index: sources.length, entry, traffic: one, from: source },
          to: to[place % to.length]!,
        });
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

/** An event starts or stops entries of `traffic:`. */
export interface TrafficSwitch {
  readonly at: Micros;
  readonly on: boolean;
  /** Their places in the file. */
  readonly entries: readonly number[];
}

/** Microseconds since the start of the experiment: not at `until` any more. */
export interface FlowWindow {
  readonly from: Micros;
  readonly until: Micros;
}

/**
 * Of each entry, its windows in their order. `switches`: in the order in which they happen; at one instant, those of the entry itself
 * come first. What starts again while it flows, or stops while it does not, changes nothing.
 */
export function trafficWindows(
  traffic: readonly Pick<Traffic, 'start' | 'stop'>[],
  switches: readonly TrafficSwitch[] = [],
): FlowWindow[][] {
  const own = traffic.map(({ start, stop = NEVER }) => [
    ...(Number.isFinite(start) ? [{ at: start, on: true }] : []),
    ...(Number.isFinite(stop) ? [{ at: stop, on: false }] : []),
  ]);
  const others = traffic.map((): { at: Micros; on: boolean }[] => []);
  for (const { at, on, entries } of switches) for (const entry of entries) others[entry]?.push({ at, on });
  return own.map((mine, entry) => windowsOf([...mine, ...others[entry]!].sort((a, b) => a.at - b.at)));
}

function windowsOf(turns: readonly { readonly at: Micros; readonly on: boolean }[]): FlowWindow[] {
  const found: FlowWindow[] = [];
  let from: Micros | undefined;
  for (const { at, on } of turns) {
    if (on) from ??= at;
    else if (from !== undefined) {
      if (at > from) found.push({ from, until: at });
      from = undefined;
    }
  }
  if (from !== undefined) found.push({ from, until: NEVER });
  return found;
}

/** Files of FTP: means, and the standard deviation of the logarithm of their size (agent/traffic/models.ts has the source). */
export const FTP = { meanBytes: 2_000_000, sigma: 0.35, mostMeans: 2.5, pauseSeconds: 180 } as const;
/** Pages of HTTP, likewise. The number of embedded objects is Pareto's less its least value. */
export const WEB = {
  main: { mu: 8.37, sigma: 1.37, least: 100, most: 2_000_000 },
  embedded: { mu: 6.17, sigma: 2.36, least: 50, most: 2_000_000 },
  count: { shape: 1.1, least: 2, most: 55 },
  parseSeconds: 0.13,
  pauseSeconds: 30,
} as const;
