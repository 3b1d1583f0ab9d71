/** What is, or shall be, installed on one endpoint's interface. Plain data: planned with, compared, printed. */

/** The major number of netfold's HTB roots, "NF" in ASCII: what bears it is netfold's own. */
export const OWN_MAJOR = 0x4e46;

/** In place of a class: there is no path, drop. */
export const NO_PATH = 0xffffffff;

export interface LeafQueue {
  /** bfifo counts bytes, pfifo packets. */
  readonly kind: 'bfifo' | 'pfifo';
  readonly limit: number;
}

export interface ShapedClass {
  /** 1 … 65,535; the destination's number + 1. */
  readonly minor: number;
  readonly bytesPerSecond: number;
  readonly burstBytes: number;
  readonly queue: LeafQueue;
}

export interface InterfaceState {
  /** Kind of the root qdisc that is not netfold's; `undefined` where netfold's own is in place. */
  readonly foreignRoot: string | undefined;
  readonly classifier: boolean;
  /** The longest run of frames that TCP may hand down as one packet. */
  readonly gsoSegments: number;
  readonly classes: ReadonlyMap<number, ShapedClass>;
  /** Destination address → minor of its class, or `NO_PATH`. Other destinations pass unshaped. */
  readonly targets: ReadonlyMap<string, number>;
}

/** An interface that netfold has not touched. */
export function untouched(rootKind: string): InterfaceState {
  return { foreignRoot: rootKind, classifier: false, gsoSegments: 0, classes: new Map(), targets: new Map() };
}
