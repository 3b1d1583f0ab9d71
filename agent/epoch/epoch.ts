/** One version of the topology, folded, for the stages of a tick. */

import { bytesAtLink } from '../../proto/queue.ts';
import type { Micros } from '../../proto/units.ts';
import { Folding } from '../../topology/fold/fold.ts';
import type { Graph, Path } from '../../topology/model/model.ts';
import type { ShareNetwork } from '../share/model.ts';
import { rememberPaths } from '../share/path-memory.ts';
import { roundTripMicros } from '../share/round-trip.ts';

export class Epoch {
  readonly graph: Graph;
  readonly network: ShareNetwork;
  /** `undefined` if there is none. */
  readonly path: (from: number, to: number) => Path | undefined;

  readonly folding: Folding;
  /** What so many frames take of the bandwidth of their path, as classes and shares count it. */
  readonly bytesAtLink: (from: number, to: number, bytes: number, frames: number) => number;

  /** `previous`: its unchanged paths are not folded again. */
  constructor(graph: Graph, previous?: Epoch) {
    const folding = new Folding(graph, previous?.folding);
    this.folding = folding;
    this.graph = graph;
    const hasOverhead = graph.links.some(({ overhead }) => overhead !== undefined);
    this.bytesAtLink = (from, to, bytes, frames) => {
      const overhead = hasOverhead && frames > 0 ? this.path(from, to)?.overhead : undefined;
      return overhead === undefined ? bytes : frames * bytesAtLink(bytes / frames, overhead);
    };
    this.path = rememberPaths((from, to) => folding.path(from, to), graph.endpoints.length);
    const others = rememberPaths((from, to) => folding.between(from, to), graph.nodes.length);
    const isEndpoint = (node: number): boolean => node < graph.endpoints.length;
    this.network = {
      paths: (from, to) => (isEndpoint(from) && isEndpoint(to) ? this.path(from, to) : others(from, to)),
      linkCapacity: Float64Array.from(graph.links, ({ bandwidth }) => bandwidth),
    };
  }

  /** 0 if there is no path: nothing has to be measured there. */
  readonly bandwidth = (from: number, to: number): number => this.path(from, to)?.bandwidth ?? 0;

  /** Latency of both directions. */
  roundTripMicros(path: Path): Micros {
    return roundTripMicros(path, this.path(path.to, path.from));
  }
}
