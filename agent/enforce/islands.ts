/**
 * What the classifier has to know of endpoints whose pairs have no class yet: between which of them there is
 * certainly no path, and the greatest bandwidth of any path from one. One pass over the edges of a graph. Pure.
 */
import type { Graph } from '../../topology/model/model.ts';

export interface Surroundings {
  /**
   * By endpoint: the same number for all that links connect, whatever the direction of links and whichever nodes
   * forward. Between two islands there is no path; within one there may be none, too.
   */
  readonly islands: Uint32Array;
  /** By endpoint: the bandwidth of its fastest link out, bit/s; 0 where it has none. */
  readonly fastest: Float64Array;
  /** By endpoint: its side in each of the first `count` partitions, from 1; 0: on none, or on one of those beyond 255. */
  sides(endpoint: number, count: number): number[];
}

const MAX_SIDE = 255;

export function surroundings({ endpoints, nodes, edges, links, partitions = [] }: Graph): Surroundings {
  const parent = Uint32Array.from(nodes, (_, node) => node);
  const root = (node: number): number => {
    let at = node;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]!]!;
      at = parent[at]!;
    }
    return at;
  };
  const fastest = new Float64Array(endpoints.length);
  for (const { from, to, link } of edges) {
    const [a, b] = [root(from), root(to)];
    // The smallest number is the root's, so that islands are called the same whatever the order.
    if (a < b) parent[b] = a;
    else parent[a] = b;
    if (from < fastest.length) fastest[from] = Math.max(fastest[from]!, links[link]!.bandwidth);
  }
  return {
    islands: Uint32Array.from(endpoints, (_, endpoint) => root(endpoint)),
    fastest,
    sides: (endpoint, count) =>
      Array.from({ length: count }, (_, index) => {
        const side = (partitions[index]?.[endpoint] ?? -1) + 1;
        return side > MAX_SIDE ? 0 : side;
      }),
  };
}
