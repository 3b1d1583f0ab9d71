/** Which endpoints are on a common segment: linked to one bridge, or to each other. Pure. */
import type { Graph } from '../../topology/model/model.ts';

/** The edges that begin or end at an endpoint: pairs of node numbers, as `Graph` has them. */
export function endpointEdges({ endpoints, edges }: Pick<Graph, 'endpoints' | 'edges'>): Int32Array {
  const near = edges.filter(({ from, to }) => from < endpoints.length || to < endpoints.length);
  return Int32Array.from(near.flatMap(({ from, to }) => [from, to]));
}

/**
 * Segments take the memory of the edges, not of the pairs, of which a bridge of 4,000 endpoints has 16 million; the receivers of a
 * sender are found when it sends.
 */
export class SegmentMap {
  readonly #endpoints: number;
  readonly #from = new Map<number, number[]>();
  readonly #found = new Map<number, ReadonlySet<number>>();

  /** `endpoints`: how many there are; their numbers come first. */
  constructor(endpoints: number, edges: Int32Array) {
    this.#endpoints = endpoints;
    for (let index = 0; index < edges.length; index += 2) {
      const after = this.#from.get(edges[index]!);
      if (after) after.push(edges[index + 1]!);
      else this.#from.set(edges[index]!, [edges[index + 1]!]);
    }
  }

  /** Who gets what an endpoint sends to all: over one bridge, however those are linked among each other. */
  receivers(sender: number): ReadonlySet<number> {
    const known = this.#found.get(sender);
    if (known) return known;
    const near = this.#after(sender);
    const beyond = near.filter((node) => node >= this.#endpoints).flatMap((bridge) => this.#after(bridge));
    const all = new Set([...near, ...beyond].filter((node) => node < this.#endpoints && node !== sender));
    this.#found.set(sender, all);
    return all;
  }

  #after(node: number): readonly number[] {
    return this.#from.get(node) ?? [];
  }
}
