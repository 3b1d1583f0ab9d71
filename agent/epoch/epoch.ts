/** One version of the topology, folded, as the stages of a tick use it. */

import { Folding } from '../../topology/fold/fold.ts';
import type { Graph, Path } from '../../topology/model/model.ts';
import type { ShareNetwork } from '../share/model.ts';
import { rememberPaths } from '../share/path-memory.ts';
import { roundTripMicros } from '../share/round-trip.ts';

export class Epoch {
  readonly graph: Graph;
  readonly network: ShareNetwork;
  /** `undefined` where the topology has none. */
  readonly path: (from: number, to: number) => Path | undefined;

  readonly folding: Folding;

  /** `previous`: what it has folded, and is not changed, is not folded again. */
  constructor(graph: Graph, previous?: Epoch) {
    const folding = new Folding(graph, previous?.folding);
    this.folding = folding;
    this.graph = graph;
    this.path = rememberPaths((from, to) => folding.path(from, to), graph.endpoints.length);
    this.network = {
      paths: this.path,
      linkCapacity: Float64Array.from(graph.links, ({ bandwidth }) => bandwidth),
    };
  }

  /** 0 where there is no path: nothing is to be measured there. */
  readonly bandwidth = (from: number, to: number): number => this.path(from, to)?.bandwidth ?? 0;

  /** Latency there and back. */
  roundTripMicros(path: Path): number {
    return roundTripMicros(path, this.path(path.to, path.from));
  }
}
