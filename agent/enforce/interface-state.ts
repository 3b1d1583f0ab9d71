/** The installed or desired state of one endpoint's interface. Plain data: planned with, compared, printed. */
import { MAX_LIMITED_ENDPOINTS, MAX_LIMITS } from '../../proto/rules.ts';
import type { Shape } from './distributions.ts';

/** The major number of netfold's HTB roots, "NF" in ASCII: the mark of ownership. */
export const OWN_MAJOR = 0x4e46;

/** As many frames in one packet as the device takes. */
export const MOST_GSO_SEGMENTS = 0;

/** In place of a class: there is no path, drop. */
export const NO_PATH = 0xffffffff;

/** In place of a class: the path has no limit, pass without shaping. */
export const UNSHAPED = 0;

/** bfifo counts bytes, pfifo packets. */
export interface FifoQueue {
  readonly kind: 'bfifo' | 'pfifo';
  readonly limit: number;
}

/** Delay, jitter and loss in the kernel's own emulator (net/sched/sch_netem.c). */
export interface NetemQueue {
  readonly kind: 'netem';
  /** Packets of any size; it only bounds memory. `bufferBytes` decides what finds room. */
  readonly limit: number;
  /** Whole nanoseconds. */
  readonly latencyNs: number;
  readonly jitterNs: number;
  /** The kernel doesn't report it: read from there it is `unknown`. */
  readonly distribution: Shape | 'none' | 'unknown';
  /** In steps of 1/(2^32 − 1), as in netem. */
  readonly loss: number;
  /** Bytes per second at which packets pass the slowest link, each one whole before it is passed on; 0: in no time. */
  readonly slowest: number;
  /** How frames pass the slowest link: `PACKETOVERHEAD CELLSIZE CELLOVERHEAD`, as tc has it. Absent: without any. */
  readonly framing?: string;
  /** How many links follow it, each a queue within the one before, and bytes per second of each. Absent: none. */
  readonly furtherLinks?: number;
  readonly furtherRate?: number;
  /** Instead of `loss`: `gemodel P R H 1-K` or `state P13 P31 P32 P14 P23`, in 2^32 − 1 parts. Absent: none. */
  readonly lossModel?: string;
  /** In such steps as `loss`. Absent: none. */
  readonly corrupt?: number;
  readonly reorder?: number;
  /** Least and greatest time between slots, in nanoseconds: `2000000 4000000`. Absent: packets leave at any time. */
  readonly slots?: string;
}

/**
 * As many links can follow the slowest one, since the kernel bounds how deep queues are within each other (ELOOP), for classes up to
 * this minor number.
 */
export const MOST_FURTHER = 5;
export const MOST_FURTHER_MINOR = 4095;

/**
 * The major number of a queue of a class: the class's minor number for the first (`place` 0), and for those that follow numbers
 * that no class has as its minor, while there are at most 45,000 classes.
 */
export const queueMajor = (minor: number, place: number): number =>
  place === 0 ? minor : 0xffef - (minor - 1) * MOST_FURTHER - (place - 1);

export type LeafQueue = FifoQueue | NetemQueue;

/** Packets of a path that have a class of their own, since a rule limits them. */
export interface LimitedClass {
  readonly bytesPerSecond: number;
  readonly burstBytes: number;
  readonly queue: LeafQueue;
}

/**
 * Where rules limit a part of a path's traffic, the path's class is one of several below another, which has the path's rate, and from
 * which they borrow all that they have. Minor numbers of these: place 0 is the one above, the others are the limited ones. Classes up to
 * `MOST_LIMITED_MINOR` have room for that: below the numbers of queues that follow (`queueMajor`), above those of all classes where
 * there are no more classes than these.
 */
export const MOST_LIMITED_MINOR = MAX_LIMITED_ENDPOINTS;
export const groupMinor = (minor: number, place: number): number =>
  45_000 - (minor - 1) * (MAX_LIMITS + 1) - place;
/** What classes in a group have of their own: a frame in a while. The rest they borrow. */
export const BORROWER_BYTES_PER_SECOND = 1;

export interface ShapedClass {
  /** 1 … 65,535; the destination's number + 1. */
  readonly minor: number;
  readonly bytesPerSecond: number;
  readonly burstBytes: number;
  readonly queue: LeafQueue;
  /**
   * Size of the path's buffer, which the classifier keeps if the queue can't be the buffer, in bytes as they leave it at the rate;
   * 0: the queue is it.
   */
  readonly bufferBytes: number;
  /** How the classifier manages that buffer before it is full (proto/queue.ts). Absent: it does not. */
  readonly aqm?: string;
  /** The largest IP packet, in bytes: larger ones the program at egress answers or cuts. Absent: any. */
  readonly mtu?: number;
  /** Rules that the classifier carries out (proto/rules.ts). Absent: none. */
  readonly rules?: string;
  /** Those of the rules that limit, the slowest first (`limitsOf`). Absent: none does. */
  readonly limits?: readonly LimitedClass[];
  /** Bytes that each frame takes of the rate besides its own. Absent: none. */
  readonly overheadBytes?: number;
  /** Frames pass in cells of ATM, the last one padded. */
  readonly inCells?: true;
}

/** As tc prints it, after a space; empty without one. */
export const formatOverhead = ({
  overheadBytes,
  inCells,
}: Pick<ShapedClass, 'overheadBytes' | 'inCells'>): string =>
  overheadBytes === undefined ? '' : ` overhead ${overheadBytes}${inCells ? ' linklayer atm' : ''}`;

export interface InterfaceState {
  /** Kind of a foreign root qdisc; `undefined` if netfold's own is in place. */
  readonly foreignRoot: string | undefined;
  readonly classifier: boolean;
  /** The longest run of frames that TCP may hand down as one packet. */
  readonly gsoSegments: number;
  readonly classes: ReadonlyMap<number, ShapedClass>;
  /** Destination address → minor of its class, `UNSHAPED`, or `NO_PATH`. For all others see `Party`. */
  readonly targets: ReadonlyMap<string, number>;
}

export interface MutableState extends InterfaceState {
  foreignRoot: string | undefined;
  classifier: boolean;
  gsoSegments: number;
  readonly classes: Map<number, ShapedClass>;
  readonly targets: Map<string, number>;
}

/** The parts that have to change. */
export interface InterfaceChange {
  readonly gsoSegments: number;
  readonly classes: readonly ShapedClass[];
  readonly goneClasses: readonly number[];
  readonly targets: ReadonlyMap<string, number>;
  readonly goneTargets: readonly string[];
}

/** An interface that netfold has not changed, or has restored. */
export function untouched(rootKind: string, gsoSegments = MOST_GSO_SEGMENTS): InterfaceState {
  return { foreignRoot: rootKind, classifier: false, gsoSegments, classes: new Map(), targets: new Map() };
}
