/**
 * Brings the interfaces of the local endpoints to their desired state and keeps them there. There is one verb,
 * `reconcile`: it plans what is desired against what is installed, and carries the difference out.
 */

import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import { NetfoldError } from '../../proto/errors.ts';
import type { Clock, Timers } from '../clock/clock.ts';
import { DesiredState } from './desired-state.ts';
import {
  type InterfaceState,
  MOST_GSO_SEGMENTS,
  type MutableState,
  type ShapedClass,
  untouched,
} from './interface-state.ts';
import { applyInPlace, applyToState, planChange, planTc, type TcOp } from './plan.ts';
import type { DelayBackend, FailedOp, Party, TcPort, TreeKeeper } from './ports.ts';

/** Root qdiscs that the kernel installs by itself; anything else was put there by somebody. */
const KERNEL_DEFAULTS = new Set(['none', 'noqueue', 'pfifo_fast', 'fq_codel', 'fq', 'mq']);

/** How long an interface that goes on working may take to send what waits on it when netfold leaves. */
const DRAIN_MS = 1000;
const DRAIN_POLL_MS = 5;

/** What it was attached to is not there any more, which is how a container leaves. */
const GONE = new Set(['INTERFACE_GONE', 'NAMESPACE_MISSING']);

interface Interface {
  readonly endpoint: LocalEndpoint;
  /** What it goes back to, where nothing is kept. */
  readonly before: InterfaceState;
  /** Somebody else's tree is kept, and put back in the end. */
  readonly isKept: boolean;
  installed: MutableState;
  readonly desired: DesiredState;
}

/**
 * What is taken for installed: what is remembered, nothing (so that the kernel is told all of it again), or what the kernel
 * says when it is asked.
 */
export type Installed = 'remembered' | 'forgotten' | 'asked';

export interface Reconciled {
  readonly steps: readonly TcOp[];
  readonly failed: readonly FailedOp[];
}

export interface EnforcerOptions {
  readonly tc: TcPort;
  readonly delay: DelayBackend;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Of interfaces that outlive the agent. */
  readonly keeper?: TreeKeeper;
  /** Somebody else's root may be replaced, if it can be kept. */
  readonly takeOver?: boolean;
}

export class Enforcer {
  readonly #tc: TcPort;
  readonly #delay: DelayBackend;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #keeper: TreeKeeper | undefined;
  readonly #takeOver: boolean;
  readonly #interfaces = new Map<number, Interface>();

  constructor({ tc, delay, clock, timers, keeper, takeOver = false }: EnforcerOptions) {
    this.#tc = tc;
    this.#delay = delay;
    this.#clock = clock;
    this.#timers = timers;
    this.#keeper = keeper;
    this.#takeOver = takeOver;
  }

  get delay(): DelayBackend {
    return this.#delay;
  }

  /**
   * Takes an interface over. What an agent that was killed left on it stays in force until `desired` says what shall
   * be there; what is not netfold's is refused.
   */
  async attach(endpoint: LocalEndpoint): Promise<void> {
    this.#tc.attach(endpoint);
    try {
      const state = this.#tc.read(endpoint);
      if (!this.#takeOver || !endpoint.outlivesAgent) refuseForeign(endpoint, state);
      // An earlier agent may have kept something, too.
      const isKept = endpoint.outlivesAgent === true && this.#keeper?.keep(endpoint) === true;
      // What it had before an earlier agent came, nobody knows any more.
      const isAdopted = state.foreignRoot === undefined;
      const before = untouched('default', isAdopted ? MOST_GSO_SEGMENTS : state.gsoSegments);
      await this.#delay.attach(endpoint, isAdopted);
      this.#interfaces.set(endpoint.number, {
        endpoint,
        before,
        isKept,
        installed: copyOf(state),
        desired: new DesiredState(),
      });
    } catch (error) {
      this.#tc.detach(endpoint);
      throw error;
    }
  }

  /** The classes that are on an interface now: after `attach`, those that an agent left that was killed. */
  installedClasses(endpoint: LocalEndpoint): ReadonlyMap<number, ShapedClass> {
    return this.#item(endpoint).installed.classes;
  }

  /** To be edited; what it says counts from the next `reconcile` on. */
  desired(endpoint: LocalEndpoint): DesiredState {
    return this.#item(endpoint).desired;
  }

  /**
   * Brings what is installed to what is desired, and gives the steps that it took. What that costs depends on what was
   * edited since the last time, or on the whole interface where a step has failed since, or `installed` is not
   * `remembered`. Failed steps are tried again with the next call. Throws, where the kernel is asked: `INTERFACE_GONE`, and
   * `QDISC_FOREIGN` where somebody's qdisc has taken the place of netfold's.
   */
  reconcile(endpoint: LocalEndpoint, installed: Installed = 'remembered'): Reconciled {
    const item = this.#item(endpoint);
    const { desired } = item;
    // Also where somebody's root is in netfold's place: what isn't different is no reason to touch it.
    if (!desired.isSet || (installed === 'remembered' && !desired.isDirty)) return { steps: [], failed: [] };
    if (installed === 'asked') {
      item.installed = copyOf(this.#tc.read(endpoint));
      refuseForeign(endpoint, item.installed);
      desired.markAll();
    }
    const steps = planned(item, installed === 'forgotten');
    return { steps, failed: this.#carryOut(item, steps) };
  }

  #carryOut(item: Interface, steps: readonly TcOp[]): FailedOp[] {
    const failed = steps.length === 0 ? [] : this.#tc.apply(item.endpoint, steps);
    if (failed.length === 0) {
      applyInPlace(item.installed, steps);
      item.desired.markNothing();
    } else {
      item.installed = this.#after(item, steps, failed);
      item.desired.markAll();
    }
    return failed;
  }

  /** Where a step failed the kernel is asked what is installed now: an answer may have been lost, not the step. */
  #after(
    { endpoint, installed }: Interface,
    ops: readonly TcOp[],
    failed: readonly FailedOp[],
  ): MutableState {
    try {
      return copyOf(this.#tc.read(endpoint));
    } catch {
      const undone = new Set<TcOp>(failed.map(({ op }) => op));
      return applyToState(
        installed,
        ops.filter((op) => !undone.has(op)),
      );
    }
  }

  /** Tells the classifiers of endpoints anywhere, where classes are made on demand. */
  introduce(parties: readonly Party[], gone: readonly string[]): void {
    this.#tc.introduce(parties, gone);
  }

  /** Reads the kernel's state back; the steps that would still be needed, none when all took effect. */
  verify(endpoint: LocalEndpoint): TcOp[] {
    const desired = this.#interfaces.get(endpoint.number)?.desired;
    return desired?.isSet ? planTc(this.#tc.read(endpoint), desired.state) : [];
  }

  /**
   * Gives an interface back as it was, and forgets it: its number may be another's next. One that is gone, or is somebody
   * else's by now, is left alone.
   */
  async detach({ number }: LocalEndpoint): Promise<void> {
    const item = this.#interfaces.get(number);
    if (!item) return;
    this.#interfaces.delete(number);
    try {
      await this.#giveBack(item);
    } finally {
      await this.#delay.detach(item.endpoint);
    }
  }

  /** Gives all interfaces back as they were. One that is gone, or is somebody else's by now, is left alone. */
  async stop(): Promise<void> {
    for (const item of this.#interfaces.values()) await this.#giveBack(item);
    this.#interfaces.clear();
    await this.#delay.stop();
  }

  async #giveBack(item: Interface): Promise<void> {
    const { endpoint, before, isKept } = item;
    try {
      item.installed = copyOf(this.#tc.read(endpoint));
      if (item.installed.foreignRoot === undefined && endpoint.outlivesAgent) await this.#drain(item);
      if (isKept) this.#keeper?.putBack(endpoint);
      else this.#become(item, before);
    } catch (error) {
      if (!(error instanceof NetfoldError && GONE.has(error.code))) throw error;
    } finally {
      this.#tc.detach(endpoint);
    }
  }

  /** Lets what waits be sent, while what comes passes by unshaped: deleting a root drops what is in it. */
  async #drain(item: Interface): Promise<void> {
    const { endpoint, installed } = item;
    this.#become(item, { ...installed, targets: new Map() });
    const deadline = this.#clock.now() + DRAIN_MS;
    while (this.#tc.stats(endpoint).waiting > 0 && this.#clock.now() < deadline)
      await new Promise<void>((resolve) => this.#timers.after(DRAIN_POLL_MS, resolve));
  }

  #become(item: Interface, state: InterfaceState): void {
    item.desired.replace(state);
    this.#carryOut(item, planTc(item.installed, state));
  }

  #item(endpoint: LocalEndpoint): Interface {
    const item = this.#interfaces.get(endpoint.number);
    if (!item) throw new Error(`${endpoint.name} is not attached`);
    return item;
  }
}

/** All of it where anything may be different; else what was edited, or, to tell it again, all that stays. */
function planned({ installed, desired: { change, state } }: Interface, isForgotten: boolean): TcOp[] {
  const isOurs = installed.foreignRoot === undefined && installed.classifier;
  if (!change || !isOurs) return planTc(installed, state);
  return isForgotten ? planTc(withoutWhatStays(installed, state), state) : planChange(installed, change);
}

function withoutWhatStays(installed: InterfaceState, { classes, targets }: InterfaceState): InterfaceState {
  return {
    ...installed,
    classes: new Map([...installed.classes].filter(([minor]) => !classes.has(minor))),
    targets: new Map([...installed.targets].filter(([destination]) => !targets.has(destination))),
  };
}

function copyOf(state: InterfaceState): MutableState {
  return { ...state, classes: new Map(state.classes), targets: new Map(state.targets) };
}

function refuseForeign({ ifname, name }: LocalEndpoint, { foreignRoot }: InterfaceState): void {
  if (foreignRoot === undefined || KERNEL_DEFAULTS.has(foreignRoot)) return;
  throw new NetfoldError({
    code: 'QDISC_FOREIGN',
    blame: 'machine',
    message: `${ifname} of ${name} has a root qdisc "${foreignRoot}" that is not netfold's`,
    remedy: `remove it (tc qdisc del dev ${ifname} root), or let netfold keep and restore it with --take-over`,
  });
}
