/** Input and output of sharing. Plain data. */
import type { Path } from '../../topology/model/model.ts';

/** The input that is the same throughout one epoch of a topology. */
export interface ShareNetwork {
  /**
   * The path between two nodes, by their numbers (proto/lanes.ts), of the flow with this index; undefined where there is none. Called
   * twice per flow.
   */
  readonly paths: (from: number, to: number, index?: number) => Path | undefined;
  /** Per link, bit/s; `Infinity` for an unlimited one. */
  readonly linkCapacity: Float64Array;
}

/** A flow, by the numbers of its nodes. */
export interface Flow {
  readonly source: number;
  readonly destination: number;
  /** Tells it from others between the same nodes. Absent: 0, what endpoints really send. */
  readonly index?: number;
  /** bit/s; `Infinity` for a greedy flow. */
  readonly demandBps: number;
}

export interface FlowShare {
  readonly source: number;
  readonly destination: number;
  /** As in `Flow`. */
  readonly index?: number;
  /** The smaller of demand and fair share, bit/s; `Infinity` where nothing limits it. */
  readonly rateBps: number;
  /** The rate that it could use at once if it became greedy now, bit/s; at least `rateBps` (`Filling.ceiling`). */
  readonly ceilingBps: number;
  /** Index of the link that limits it; -1 if its own demand limits it, or nothing. */
  readonly limitedBy: number;
}
