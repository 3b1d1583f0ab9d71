/**
 * What is least along a path. `latency`: latency, then hops. `hops`: hops, then latency. `weight`: the weights, then hops, then
 * latency. All are whole numbers, so that sums are exact in any order; of two paths that tie in all, both have equally many hops.
 */
import type { Graph, GraphLink } from '../model/model.ts';
import { compareNames } from '../model/names.ts';

/** Weights and hops in one number, below 2^53: 2^16 · 2^18 · 2^18 for paths over all nodes. */
const HOPS = 2 ** 18;

type Metric = Pick<Graph, 'routing'>;
type Measured = Pick<GraphLink, 'latency' | 'weight'>;

/** How much a link adds to what counts first, and second. */
export function primaryOf({ routing }: Metric, { latency, weight = 1 }: Measured): number {
  if (routing === 'weight') return weight * HOPS + 1;
  return routing === 'hops' ? 1 : latency;
}

/** How much a link adds to what paths of equal cost have in common. */
export function costOf({ routing }: Metric, { latency, weight = 1 }: Measured): number {
  if (routing === 'weight') return weight;
  return routing === 'hops' ? 1 : latency;
}

export function secondaryOf({ routing }: Metric, { latency }: Measured): number {
  return routing === 'latency' ? 1 : latency;
}

/** Of two links between the same nodes, whether paths take the first. */
export function isBetterLink(graph: Metric, one: GraphLink, other: GraphLink): boolean {
  const order =
    primaryOf(graph, one) - primaryOf(graph, other) || secondaryOf(graph, one) - secondaryOf(graph, other);
  return order < 0 || (order === 0 && compareNames(one.name, other.name) < 0);
}
