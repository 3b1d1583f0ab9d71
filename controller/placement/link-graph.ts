/**
 * The links of a topology as a graph to be divided: endpoints and bridges are its vertices, as in Netbed's assign (Ricci,
 * Alfeld and Lepreau, "A solver for the network testbed mapping problem", CCR 33, 2003). A pair of endpoints thereby counts
 * by what the links between them allow, and the work grows with the links, not with the pairs.
 */
import { type Bps, bps, fromMillis, UNLIMITED } from '../../proto/units.ts';
import type { Graph } from '../../topology/model/model.ts';
import { type WeightedGraph, weightedGraph } from './partition/problem.ts';

export interface LinkGraph {
  readonly size: number;
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** Per directed edge: its part of what the link carries; those of a link that replicas share have equal parts. */
  readonly rate: Float64Array;
  /** Per directed edge: what it costs to divide it. */
  readonly cost: Float64Array;
}

/** A link without a bandwidth counts as the fastest of the topology that has one, and at least as this. */
const LEAST_UNLIMITED = bps(1e9);
/**
 * What a divided link costs besides its rate, as a part of the mean rate: shares of a link whose flows come from several
 * hosts follow announcements instead of the host's own counters. Small, so that it decides between equal rates only.
 */
const COUPLING = 0.01;
/** The real network adds its latency to a divided link; of links that are as fast themselves it is a large part. */
const NEAR = fromMillis(1);

export function linkGraph({ nodes, edges, links }: Graph): LinkGraph {
  const unlimited = ratedAs(links.map(({ bandwidth }) => bandwidth));
  const crossings = new Int32Array(links.length);
  for (const { link } of edges) crossings[link]!++;
  const rate = Float64Array.from(edges, ({ link }) => {
    const { bandwidth } = links[link]!;
    return (bandwidth === UNLIMITED ? unlimited : bandwidth) / crossings[link]!;
  });
  const mean = rate.reduce((sum, one) => sum + one, 0) / Math.max(1, rate.length);
  const cost = Float64Array.from(edges, ({ link }, edge) => {
    const nearness = 1 / (1 + links[link]!.latency / NEAR);
    return Math.round(rate[edge]! + COUPLING * mean * (1 + nearness));
  });
  const from = Int32Array.from(edges, (edge) => edge.from);
  const to = Int32Array.from(edges, (edge) => edge.to);
  return { size: nodes.length, from, to, rate, cost };
}

function ratedAs(bandwidths: readonly Bps[]): number {
  return bandwidths.reduce(
    (most, one) => (one === UNLIMITED ? most : Math.max(most, one)),
    LEAST_UNLIMITED as number,
  );
}

/** By cost, or by rate alone. */
export function undirected({ size, from, to, rate, cost }: LinkGraph, by: 'cost' | 'rate'): WeightedGraph {
  return weightedGraph(size, from, to, by === 'cost' ? cost : rate.map(Math.round));
}
