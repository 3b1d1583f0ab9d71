/**
 * Numbers of paths. A pair of endpoints may have several paths of equal cost, its lanes, between which flows are spread. Wherever a
 * flow or a path is told by the numbers of its two endpoints, also on the wire, that of the destination says the lane, too: its own
 * number is lane 0, and each further lane adds the number of nodes.
 */

/** Of a pair, at most. The classifier has four bits for it (bpf/layout.h). */
export const MOST_LANES = 16;
/** Minor numbers of classes follow from numbers; those of queues within queues begin here (agent/enforce/interface-state.ts). */
export const MOST_LANE_NUMBERS = 45_000;

export class Lanes {
  /** How many lanes a pair may have. */
  readonly most: number;
  readonly #nodes: number;

  /** `nodes`: of the graph. */
  constructor(nodes: number, most = 1) {
    this.#nodes = nodes;
    this.most = most;
  }

  /** Whether a pair may have several. */
  get areSeveral(): boolean {
    return this.most > 1;
  }

  /** One more than the greatest. */
  get numbers(): number {
    return this.#nodes * this.most;
  }

  number(endpoint: number, lane: number): number {
    return endpoint + lane * this.#nodes;
  }

  endpointOf(number: number): number {
    return this.most === 1 ? number : number % this.#nodes;
  }

  laneOf(number: number): number {
    return this.most === 1 ? 0 : Math.floor(number / this.#nodes);
  }

  /** For people: which path, from 1 on, where pairs may have several. */
  placeOf(number: number): { readonly path?: number } {
    return this.areSeveral ? { path: this.laneOf(number) + 1 } : {};
  }

  /** The numbers of all lanes to these endpoints, whether there are paths or not. */
  *all(endpoints: Iterable<number>): Generator<number> {
    for (const endpoint of endpoints)
      for (let lane = 0; lane < this.most; lane++) yield this.number(endpoint, lane);
  }
}

/** What goes between two nodes. */
interface Between {
  readonly source: number;
  readonly destination: number;
}

/** Those of one pair together, pairs in the order of their firsts. */
export function byPair<Row extends Between>(lanes: Lanes, rows: readonly Row[]): readonly Row[][] {
  if (!lanes.areSeveral) return rows.map((row) => [row]);
  return [
    ...Map.groupBy(rows, ({ source, destination }) => `${source} ${lanes.endpointOf(destination)}`).values(),
  ];
}

/** How packets are spread over the lanes of their pairs. */
export interface Spread {
  readonly lanes: Lanes;
  /** Of the hash: the same on all hosts. */
  readonly seed: number;
}
