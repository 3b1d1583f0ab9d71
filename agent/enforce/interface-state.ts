/** What is, or shall be, installed on one endpoint's interface. Plain data: planned with, compared, printed. */

/** The major number of netfold's HTB roots, "NF" in ASCII: what bears it is netfold's own. */
export const OWN_MAJOR = 0x4e46;

/** As many frames in one packet as the device takes. */
export const MOST_GSO_SEGMENTS = 0;

/** In place of a class: there is no path, drop. */
export const NO_PATH = 0xffffffff;

/** In place of a class: the path limits nothing, pass by what other pairs are shaped with. */
export const UNSHAPED = 0;

/** bfifo counts bytes, pfifo packets. */
export interface FifoQueue {
  readonly kind: 'bfifo' | 'pfifo';
  readonly limit: number;
}

/** Delay, jitter and loss in the kernel's own emulator (net/sched/sch_netem.c). */
export interface NetemQueue {
  readonly kind: 'netem';
  /** Packets of any size; only there so that nothing grows for ever. What finds room is decided by `bufferBytes`. */
  readonly limit: number;
  /** Whole nanoseconds. */
  readonly latencyNs: number;
  readonly jitterNs: number;
  /** The kernel doesn't give it back: read from there it is `unknown`. */
  readonly distribution: 'normal' | 'uniform' | 'pareto' | 'none' | 'unknown';
  /** In steps of 1/(2^32 − 1), as netem keeps it. */
  readonly loss: number;
}

export type LeafQueue = FifoQueue | NetemQueue;

export interface ShapedClass {
  /** 1 … 65,535; the destination's number + 1. */
  readonly minor: number;
  readonly bytesPerSecond: number;
  readonly burstBytes: number;
  readonly queue: LeafQueue;
  /** Room of the path's buffer, kept by the classifier where the queue can't be it; 0: the queue is it. */
  readonly bufferBytes: number;
}

export interface InterfaceState {
  /** Kind of the root qdisc that is not netfold's; `undefined` where netfold's own is in place. */
  readonly foreignRoot: string | undefined;
  readonly classifier: boolean;
  /** The longest run of frames that TCP may hand down as one packet. */
  readonly gsoSegments: number;
  readonly classes: ReadonlyMap<number, ShapedClass>;
  /** Destination address → minor of its class, `UNSHAPED`, or `NO_PATH`. What becomes of others: `Party`. */
  readonly targets: ReadonlyMap<string, number>;
}

export interface MutableState extends InterfaceState {
  foreignRoot: string | undefined;
  classifier: boolean;
  gsoSegments: number;
  readonly classes: Map<number, ShapedClass>;
  readonly targets: Map<string, number>;
}

/** What shall be different. */
export interface InterfaceChange {
  readonly gsoSegments: number;
  readonly classes: readonly ShapedClass[];
  readonly goneClasses: readonly number[];
  readonly targets: ReadonlyMap<string, number>;
  readonly goneTargets: readonly string[];
}

/** An interface that netfold has not touched, or has given back. */
export function untouched(rootKind: string, gsoSegments = MOST_GSO_SEGMENTS): InterfaceState {
  return { foreignRoot: rootKind, classifier: false, gsoSegments, classes: new Map(), targets: new Map() };
}
