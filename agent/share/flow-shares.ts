/**
 * The shares of flows between endpoints: folds them onto the links that they compete for, weighs them by their round
 * trips, and leaves out whatever can't influence the flows that are asked for.
 */
import type { Path } from '../../topology/model.ts';
import { fairShares, type ShareProblem } from './fair-shares.ts';

/** What sharing needs to know of one epoch of a topology. */
export interface ShareNetwork {
  /** The path between two endpoints, by their numbers; undefined where there is none. Called twice per flow. */
  readonly paths: (from: number, to: number) => Path | undefined;
  /** Per link, bit/s; `Infinity` for an unlimited one. */
  readonly linkCapacity: Float64Array;
}

/** A flow, by the numbers of its endpoints. */
export interface Flow {
  readonly source: number;
  readonly destination: number;
  /** bit/s; `Infinity` for a greedy flow. */
  readonly demandBps: number;
}

export interface FlowShare {
  readonly source: number;
  readonly destination: number;
  /** The smaller of demand and fair share, bit/s; `Infinity` where nothing limits it. */
  readonly rateBps: number;
  /** What it could take at once if it became greedy now, bit/s; at least `rateBps` (`Shares.ceiling`). */
  readonly ceilingBps: number;
  /** Index of the link that limits it, or -1 where its own demand does, or nothing. */
  readonly limitedBy: number;
}

/**
 * The shortest round trip that flows are weighed by, µs. A path without latency still has the round trip of the
 * machines below, which is 50 to 200 µs between hosts on one Ethernet, and what the delay line holds back varies by
 * as much. A lower floor would starve every other flow on the link: at 100 µs, one of 10 ms gets a hundredth.
 */
export const MIN_RTT_MICROS = 100;

/**
 * The shares of those `flows` that compete, directly or through others, with one for which `isLocal` holds (all, if
 * none is given), sorted by source and destination. Flows without a path send nothing and are left out.
 *
 * The result for a flow is the same to the bit on every host that knows the same flows, in whatever order and
 * whichever of them are local. O(crossings × log).
 */
export function flowShares(
  network: ShareNetwork,
  flows: readonly Flow[],
  isLocal: (flow: Flow) => boolean = () => true,
): FlowShare[] {
  const routed = connected(route(network, flows), network.linkCapacity.length, isLocal);
  const { problem, links } = toProblem(network, routed);
  const shares = fairShares(problem);
  return routed.map(({ flow }, at) => ({
    source: flow.source,
    destination: flow.destination,
    rateBps: shares.rate[at]!,
    ceilingBps: shares.ceiling[at]!,
    limitedBy: shares.limitedBy[at] === -1 ? -1 : links[shares.limitedBy[at]!]!,
  }));
}

interface RoutedFlow {
  readonly flow: Flow;
  readonly weight: number;
  /** Indices of the limited links that it crosses. */
  readonly links: readonly number[];
}

function route({ paths, linkCapacity }: ShareNetwork, flows: readonly Flow[]): RoutedFlow[] {
  const routed: RoutedFlow[] = [];
  for (const flow of [...flows].sort(bySourceAndDestination)) {
    const path = paths(flow.source, flow.destination);
    if (path === undefined) continue;
    const back = paths(flow.destination, flow.source);
    routed.push({
      flow,
      weight: 1e6 / roundTripMicros(path, back),
      links: path.links.filter((link) => linkCapacity[link] !== Number.POSITIVE_INFINITY),
    });
  }
  return routed;
}

/** Latency there and back, µs, at least `MIN_RTT_MICROS`; with no way back, twice the way there. */
export function roundTripMicros(path: Path, back: Path | undefined): number {
  return Math.max(MIN_RTT_MICROS, path.latency + (back ?? path).latency);
}

function bySourceAndDestination(a: Flow, b: Flow): number {
  if (a.source !== b.source) return a.source - b.source;
  if (a.destination !== b.destination) return a.destination - b.destination;
  return a.demandBps === b.demandBps ? 0 : a.demandBps < b.demandBps ? -1 : 1;
}

/** Those of `routed` that local ones reach over shared links. Links join by union-find, with halving of paths. */
function connected(
  routed: readonly RoutedFlow[],
  linkCount: number,
  isLocal: (flow: Flow) => boolean,
): RoutedFlow[] {
  const parent = Int32Array.from({ length: linkCount }, (_, link) => link);
  const root = (link: number): number => {
    let at = link;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]!]!;
      at = parent[at]!;
    }
    return at;
  };
  for (const { links } of routed) {
    for (const link of links) parent[root(link)] = root(links[0]!);
  }
  const wanted = new Uint8Array(linkCount);
  for (const { flow, links } of routed) {
    if (links.length > 0 && isLocal(flow)) wanted[root(links[0]!)] = 1;
  }
  return routed.filter(({ flow, links }) =>
    links.length > 0 ? wanted[root(links[0]!)] === 1 : isLocal(flow),
  );
}

/** Numbers the links in use from 0, in the order of their indices. */
function toProblem(
  network: ShareNetwork,
  routed: readonly RoutedFlow[],
): { problem: ShareProblem; links: number[] } {
  const numberOf = new Int32Array(network.linkCapacity.length).fill(-1);
  let crossings = 0;
  for (const { links } of routed) {
    crossings += links.length;
    for (const link of links) numberOf[link] = 0;
  }
  const links: number[] = [];
  for (let link = 0; link < numberOf.length; link++) {
    if (numberOf[link] === 0) numberOf[link] = links.push(link) - 1;
  }
  const start = new Int32Array(routed.length + 1);
  const linkOf = new Int32Array(crossings);
  let end = 0;
  routed.forEach((flow, at) => {
    for (const link of flow.links) linkOf[end++] = numberOf[link]!;
    start[at + 1] = end;
  });
  const problem: ShareProblem = {
    capacity: Float64Array.from(links, (link) => network.linkCapacity[link]!),
    start,
    linkOf,
    weight: Float64Array.from(routed, ({ weight }) => weight),
    demand: Float64Array.from(routed, ({ flow }) => flow.demandBps),
  };
  return { problem, links };
}
