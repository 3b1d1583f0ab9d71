/** One version of the topology, folded, for the stages of a tick. */

import type { Lanes } from '../../proto/lanes.ts';
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
  readonly lanes: Lanes;
  /** `undefined` if there is none. Of several, the numbers say which (proto/lanes.ts). */
  readonly path: (from: number, to: number) => Path | undefined;

  readonly folding: Folding;
  /** What so many frames take of the bandwidth of their path, as classes and shares count it. */
  readonly bytesAtLink: (from: number, to: number, bytes: number, frames: number) => number;

  /** `previous`: its unchanged paths are not folded again. */
  constructor(graph: Graph, previous?: Epoch) {
    const folding = new Folding(graph, previous?.folding);
    this.folding = folding;
    this.lanes = folding.lanes;
    this.graph = graph;
    const hasOverhead = graph.links.some(({ overhead }) => overhead !== undefined);
    this.bytesAtLink = (from, to, bytes, frames) => {
      const overhead = hasOverhead && frames > 0 ? this.path(from, to)?.overhead : undefined;
      return overhead === undefined ? bytes : frames * bytesAtLink(bytes / frames, overhead);
    };
    this.path = rememberPaths((from, to) => folding.path(from, to), this.lanes.numbers);
    const others = rememberPaths((from, to) => folding.between(from, to), graph.nodes.length);
    const isEndpoint = (number: number): boolean => this.lanes.endpointOf(number) < graph.endpoints.length;
    this.network = {
      paths: (from, to, index = 0) => {
        if (!isEndpoint(from) || !isEndpoint(to)) return others(from, to);
        // What no packet carries has no ports: flows take the paths in turn.
        const lane = this.lanes.areSeveral && index > 0 ? index % Math.max(1, folding.count(from, to)) : 0;
        return this.path(from, lane === 0 ? to : this.lanes.number(to, lane));
      },
      linkCapacity: Float64Array.from(graph.links, ({ bandwidth }) => bandwidth),
    };
  }

  /** How many paths a pair of endpoints has. */
  readonly count = (from: number, to: number): number => this.folding.count(from, to);

  /** 0 if there is no path: nothing has to be measured there. */
  readonly bandwidth = (from: number, to: number): number => this.path(from, to)?.bandwidth ?? 0;

  /** Latency of both directions. */
  roundTripMicros(path: Path): Micros {
    return roundTripMicros(path, this.path(path.to, path.from));
  }
}
