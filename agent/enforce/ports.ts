/** What enforcement needs from the kernel. The kernel's side is agent/kernel/; fakes are in test/support/. */

import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import type { PacketImpairment } from '../../proto/impairment.ts';
import type { InterfaceState } from './interface-state.ts';
import type { InQueue } from './path-class.ts';
import type { TcOp } from './plan.ts';

export interface FailedOp {
  readonly op: TcOp;
  readonly error: Error;
}

/** An endpoint anywhere, where classes are made on demand: what happens to pairs that have none yet. */
export interface Party {
  readonly addresses: readonly string[];
  /** Between endpoints of different islands there is no path. */
  readonly island: number;
  /** Of a local endpoint: the class of what pairs send first; 0: it passes unshaped. */
  readonly firstMinor: number;
  /** Its side in each partition in force, from 1; 0: it is on none. There is no path between different sides. */
  readonly sides: readonly number[];
}

export interface TcPort {
  /** Opens what is needed to work on the endpoint's interface. */
  attach(endpoint: LocalEndpoint): void;
  detach(endpoint: LocalEndpoint): void;
  /** What is installed now, as the kernel says. */
  read(endpoint: LocalEndpoint): InterfaceState;
  /** Carries out the steps in order; later ones are tried also when earlier ones fail. Returns those that failed. */
  apply(endpoint: LocalEndpoint, ops: readonly TcOp[]): FailedOp[];
  stats(endpoint: LocalEndpoint): TcStats;
  /** Forgets these addresses, then sets these endpoints, and leaves others as they are. */
  introduce(parties: readonly Party[], gone: readonly string[]): void;
}

/** What somebody else has installed on an interface, while netfold's is in its place. */
export interface TreeKeeper {
  /** Writes down what is there, if it can be put back; true where something will be. Throws where it can't. */
  keep(endpoint: LocalEndpoint): boolean;
  /** Puts it back in place of netfold's. */
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
  /** That found no room in the buffer of their path. */
  readonly overflowed: number;
}

/** Of a path that begins or ends at a local endpoint, by addresses. */
export interface ImpairedPath extends PacketImpairment {
  readonly source: readonly string[];
  readonly destination: readonly string[];
}

/** A path by the numbers of its endpoints: one that came on demand, or is different from what was set. */
export interface DemandedPath {
  readonly destination: number;
  readonly source: number;
  /** Of the source. */
  readonly addresses: readonly string[];
  /** Absent: there is no path, and what arrives is lost. */
  readonly path?: PacketImpairment;
}

/** Where the backend gets paths when packets need them. */
export interface DelayDemand {
  /** All that may send. What others send passes as it is. */
  readonly endpoints: readonly { readonly number: number; readonly addresses: readonly string[] }[];
  /** A path without packets for so long is forgotten. */
  readonly idleMs: number;
  /** A packet of this pair waits. The path counts until it is changed or forgotten. */
  ask(destination: number, source: number): DemandedPath;
  forget(destination: number, source: number): void;
}

export interface DelayCounters {
  readonly packets: number;
  readonly lost: number;
  readonly held: number;
  /** The latest release so far, in milliseconds after its time. */
  readonly latestMs: number;
  /** Of the delay line only: netem works in the kernel. */
  readonly work?: DelayWork;
}

/** What the delay line's threads did since their start, all together; times in milliseconds of their own clock. */
export interface DelayWork {
  /** How often they looked what there is to do. */
  readonly turns: number;
  /** Taking packets from the kernel, and finding their paths. */
  readonly receiveMs: number;
  /** Giving packets back: the kernel passes each on before the call returns, up to its receiver and what that answers. */
  readonly passMs: number;
  /** Packets that were held. */
  readonly released: number;
  /** Sums over them: how much later than due they were released, and the squares of that. */
  readonly lateMs: number;
  readonly lateMs2: number;
}

/** One of the interchangeable ways to delay and lose packets. */
export interface DelayBackend {
  readonly name: 'delay-line' | 'netem';
  /**
   * How many pairs it takes, of a local endpoint and any other: so many are all set from the start; where there can be more,
   * paths come on demand; more than `atMost` can't be.
   */
  readonly pairs: { readonly fromTheStart: number; readonly atMost: number };
  /** What the queue of a path's class at the source has to do of its impairment; the rest is done when packets arrive. */
  readonly inQueue: InQueue;
  /** `isAdopted`: an agent that was killed has left its things on the interface. */
  attach(endpoint: LocalEndpoint, isAdopted: boolean): Promise<void>;
  /**
   * Removes what `attach` put there, and forgets the endpoint: another may have its number next. What is held there goes on
   * at once. Nothing happens where the interface is gone, or was never attached.
   */
  detach(endpoint: LocalEndpoint): Promise<void>;
  /**
   * The whole set of the paths that end at an attached endpoint; paths not named are forgotten, and no longer delayed. A
   * backend whose queues do it all doesn't look at them.
   */
  set(endpoint: LocalEndpoint, paths: Iterable<ImpairedPath>): Promise<void>;
  /**
   * Instead of `set`: paths come when packets do. Called again, it tells of other endpoints. Rejects with `TOO_MANY_PAIRS`
   * where all must be set from the start.
   */
  onDemand(demand: DelayDemand): Promise<void>;
  /** Changes these paths, of those that were set or asked for; all others stay. As `set`, it may not look at them. */
  change(paths: Iterable<DemandedPath>): Promise<void>;
  /** When paths changed last, on the clock of `performance.now()`. Absent: when `set` returned. */
  readonly changedAt?: number;
  counters(): DelayCounters;
  /** Why it no longer works; `undefined` while it does. */
  readonly failure: string | undefined;
  /** Ends the work and removes what `attach` put into the endpoints; twice as once. */
  stop(): Promise<void>;
}
