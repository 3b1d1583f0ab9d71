/** One version of the topology, folded, as the stages of a tick use it. */

import { Folding } from '../../topology/fold.ts';
import type { Graph, Path } from '../../topology/model.ts';
import { roundTripMicros, type ShareNetwork } from '../share/flow-shares.ts';

export class Epoch {
  readonly graph: Graph;
  readonly network: ShareNetwork;
  readonly #folding: Folding;

  constructor(graph: Graph) {
    this.graph = graph;
    this.#folding = new Folding(graph);
    this.network = {
      paths: (from, to) => this.#folding.path(from, to),
      linkCapacity: Float64Array.from(graph.links, ({ bandwidth }) => bandwidth),
    };
  }

  /** `undefined` where the topology has none. */
  path(from: number, to: number): Path | undefined {
    return this.#folding.path(from, to);
  }

  /** 0 where there is no path: nothing is to be measured there. */
  readonly bandwidth = (from: number, to: number): number => this.path(from, to)?.bandwidth ?? 0;

  /** Latency there and back. */
  roundTripMicros(path: Path): number {
    return roundTripMicros(path, this.path(path.to, path.from));
  }
}
