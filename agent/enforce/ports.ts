/** What enforcement needs from the kernel. agent/linux/ implements it; fakes are in test/support/. */

import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import type { PacketImpairment } from '../../proto/impairment.ts';
import type { InterfaceState } from './interface-state.ts';
import type { InQueue } from './path-class.ts';
import type { TcOp } from './plan.ts';

export interface FailedOp {
  readonly op: TcOp;
  readonly error: Error;
}

/** An endpoint anywhere, if classes are made on demand: how the classifier handles pairs that have no class yet. */
export interface Party {
  readonly addresses: readonly string[];
  /** Between endpoints of different islands there is no path. */
  readonly island: number;
  /** For a local endpoint: the class of first packets; 0: they pass unshaped. */
  readonly firstMinor: number;
  /** Its group in each partition in force, from 1; 0: none. There is no path between different groups. */
  readonly sides: readonly number[];
}

export interface TcPort {
  /** Opens the resources for the endpoint's interface. */
  attach(endpoint: LocalEndpoint): void;
  detach(endpoint: LocalEndpoint): void;
  /** What is installed now, as the kernel reports it. */
  read(endpoint: LocalEndpoint): InterfaceState;
  /** Applies the steps in order; later ones are tried even if earlier ones fail. Returns those that failed. */
  apply(endpoint: LocalEndpoint, ops: readonly TcOp[]): FailedOp[];
  stats(endpoint: LocalEndpoint): TcStats;
  /** Removes these addresses, then sets these endpoints; others stay unchanged. */
  introduce(parties: readonly Party[], gone: readonly string[]): void;
}

/** Foreign trees of interfaces, while netfold's is in their place. */
export interface TreeKeeper {
  /**
   * Records the present tree, if it can be restored. True if there is something to restore. Throws if it can't be
   * restored.
   */
  keep(endpoint: LocalEndpoint): boolean;
  /** Restores it in place of netfold's. */
  putBack(endpoint: LocalEndpoint): void;
}

/** Packets of one interface, GSO packets counted as one. */
export interface TcStats {
  /** On the interface now, waiting to be sent. */
  readonly waiting: number;
  /** Of them, in netem now. */
  readonly held: number;
  /** That netem has passed on so far. */
  readonly passed: number;
  /** That netem has lost so far. */
  readonly lost: number;
  /** Packets that found no room in the buffer of their path. */
  readonly overflowed: number;
}

/** Packets, runs of frames counted as one. */
export interface RuleCounts {
  /** Those that the rule is about … */
  readonly matched: number;
  /** … and those that it dropped, answered, delayed or limited. */
  readonly applied: number;
}

/** Of a path that begins or ends at a local endpoint, by addresses. */
export interface ImpairedPath extends PacketImpairment {
  readonly source: readonly string[];
  readonly destination: readonly string[];
  /** Which of the paths of the pair. Absent: the first, or the only one. */
  readonly lane?: number;
}

/** A path by the numbers of its endpoints: made on demand, or changed. */
export interface DemandedPath {
  readonly destination: number;
  /** With the lane (proto/lanes.ts). */
  readonly source: number;
  /** As in `ImpairedPath`. */
  readonly lane?: number;
  /** Of the source. */
  readonly addresses: readonly string[];
  /** Absent: there is no path, and arriving packets are dropped. */
  readonly path?: PacketImpairment;
}

/** For a backend that gets paths on demand. */
export interface DelayDemand {
  /** All endpoints that may send. Packets of others pass unchanged. */
  readonly endpoints: readonly { readonly number: number; readonly addresses: readonly string[] }[];
  /** A path without packets for this long is forgotten. */
  readonly idleMs: number;
  /** Called when a packet of this pair waits. The returned path is valid until it is changed or forgotten. */
  ask(destination: number, source: number): DemandedPath;
  forget(destination: number, source: number): void;
}

export interface DelayCounters {
  readonly packets: number;
  readonly lost: number;
  readonly held: number;
  /** For the delay line only: dropped, since the queue of their endpoint was full. */
  readonly overflowed?: number;
  /** For the delay line only: passed neither delayed nor lost, since the agent was stopped and served no queue. */
  readonly unattended?: number;
  /** The latest release so far, in milliseconds after its time. */
  readonly latestMs: number;
  /** For the delay line only: netem works in the kernel. */
  readonly work?: DelayWork;
}

/** The work of the delay line's threads since their start, all together; times in milliseconds of their own clock. */
export interface DelayWork {
  /** How often they checked for work. */
  readonly turns: number;
  /** Receiving packets from the kernel, and finding their paths. */
  readonly receiveMs: number;
  /**
   * Releasing packets: the kernel delivers each one before the call returns, up to its receiver and the receiver's
   * answer.
   */
  readonly passMs: number;
  /** Packets that were held. */
  readonly released: number;
  /** Sums over them: how late they were released, and the squares of that. */
  readonly lateMs: number;
  readonly lateMs2: number;
}

/** One of the interchangeable ways to delay and lose packets. */
export interface DelayBackend {
  readonly name: 'delay-line' | 'netem';
  /**
   * How many pairs, of a local endpoint and any other, the backend can have: up to `fromTheStart` all are set from
   * the start; if there can be more, paths come on demand; more than `atMost` is impossible.
   */
  readonly pairs: { readonly fromTheStart: number; readonly atMost: number };
  /**
   * The part of a path's impairment that the queue of its class at the source applies; the rest is applied on
   * arrival.
   */
  readonly inQueue: InQueue;
  /** `isAdopted`: a killed agent has left its objects on the interface. */
  attach(endpoint: LocalEndpoint, isAdopted: boolean): Promise<void>;
  /**
   * Removes what `attach` installed, and forgets the endpoint: another may have its number next. Held packets are
   * released at once. Does nothing if the interface is gone, or was never attached.
   */
  detach(endpoint: LocalEndpoint): Promise<void>;
  /**
   * Sets all paths that end at an attached endpoint; other paths are forgotten, and no longer delayed. A backend that
   * works in the queues ignores them.
   */
  set(endpoint: LocalEndpoint, paths: Iterable<ImpairedPath>): Promise<void>;
  /**
   * Instead of `set`: paths are requested when packets arrive. A second call replaces the endpoints. Rejects with
   * `TOO_MANY_PAIRS` if all must be set from the start.
   */
  onDemand(demand: DelayDemand): Promise<void>;
  /** Changes these paths, of those that were set or requested; all others stay. May be ignored, as `set`. */
  change(paths: Iterable<DemandedPath>): Promise<void>;
  /**
   * Reads back what is installed at an attached endpoint, and puts back what somebody has removed. Returns that, in
   * words. Throws if it can't be read or put back. Absent: all of it is in the queues, which are audited anyway.
   */
  repair?(endpoint: LocalEndpoint): string[];
  /** When paths changed last, on the clock of `performance.now()`. Absent: when `set` returned. */
  readonly changedAt?: number;
  counters(): DelayCounters;
  /** Why it no longer works; `undefined` while it does. */
  readonly failure: string | undefined;
  /**
   * Ends the work and removes what `attach` installed; calling it twice does no harm. `isRemoved`: endpoints that do not outlive
   * the agent are removed next, with all that is installed there, so it stays.
   */
  stop(isRemoved?: boolean): Promise<void>;
}

/** What the kernel says of changes by others, soon after each; all that it does not say is found by reading back in turn. */
export interface ChangeWatch {
  /** Listens at the endpoint from now on. Never throws: `problems` says where that is not possible. */
  attach(endpoint: LocalEndpoint): void;
  /** Does nothing if it is not attached. */
  detach(endpoint: Pick<LocalEndpoint, 'number'>): void;
  /** The numbers of endpoints at which something may have changed since the last call: of all, if not all could be heard. */
  take(): Set<number>;
  /** In words: where nothing is heard. */
  readonly problems: readonly string[];
  close(): void;
}
