/**
 * Brings the interfaces of the local endpoints to their desired state and keeps them there. There is one verb,
 * `reconcile`: it plans the difference between desired and installed state, and applies it.
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

/** Root qdiscs that the kernel installs by itself; any other was configured. */
const KERNEL_DEFAULTS = new Set(['none', 'noqueue', 'pfifo_fast', 'fq_codel', 'fq', 'mq']);

/** How long an interface that stays in use may take to send its queued packets when netfold leaves. */
const DRAIN_MS = 1000;
const DRAIN_POLL_MS = 5;

/** The interface or namespace is gone, which is how a container leaves. */
const GONE = new Set(['INTERFACE_GONE', 'NAMESPACE_MISSING']);

interface Interface {
  readonly endpoint: LocalEndpoint;
  /** The state to which it is restored if no tree is kept. */
  readonly before: InterfaceState;
  /** Whether a foreign tree is kept, and restored at the end. */
  readonly isKept: boolean;
  installed: MutableState;
  readonly desired: DesiredState;
}

/**
 * What counts as installed: the remembered state; nothing, so that all of it is sent to the kernel again; or what the
 * kernel reports.
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
  /** For interfaces that outlive the agent. */
  readonly keeper?: TreeKeeper;
  /** Whether a foreign root may be replaced, if it can be kept. */
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
   * Takes an interface over. What a killed agent left on it stays in force until `desired` is set; a foreign qdisc is
   * refused.
   */
  async attach(endpoint: LocalEndpoint): Promise<void> {
    this.#tc.attach(endpoint);
    try {
      const state = this.#tc.read(endpoint);
      if (!this.#takeOver || !endpoint.outlivesAgent) refuseForeign(endpoint, state);
      // An earlier agent may have kept something, too.
      const isKept = endpoint.outlivesAgent === true && this.#keeper?.keep(endpoint) === true;
      // The state before an earlier agent is not known any more.
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

  /** The classes on an interface now: after `attach`, those that a killed agent left. */
  installedClasses(endpoint: LocalEndpoint): ReadonlyMap<number, ShapedClass> {
    return this.#item(endpoint).installed.classes;
  }

  /** To be edited; it takes effect with the next `reconcile`. */
  desired(endpoint: LocalEndpoint): DesiredState {
    return this.#item(endpoint).desired;
  }

  /**
   * Changes the installed state to the desired one, and returns the steps that it took. The cost depends on the edits
   * since the last call; it is that of the whole interface if a step has failed since, or if `installed` is not
   * `remembered`. Failed steps are tried again with the next call. If the kernel is asked, throws `INTERFACE_GONE`,
   * and `QDISC_FOREIGN` if a foreign qdisc has replaced netfold's.
   */
  reconcile(endpoint: LocalEndpoint, installed: Installed = 'remembered'): Reconciled {
    const item = this.#item(endpoint);
    const { desired } = item;
    // Also if a foreign root has replaced netfold's: without a difference the interface is not touched.
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

  /** After a failed step the kernel is asked what is installed now: the answer may have been lost, not the step. */
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

  /** Sets the classifiers' entries for endpoints anywhere, if classes are made on demand. */
  introduce(parties: readonly Party[], gone: readonly string[]): void {
    this.#tc.introduce(parties, gone);
  }

  /** Reads the kernel's state back. Returns the steps that are still needed; none if all took effect. */
  verify(endpoint: LocalEndpoint): TcOp[] {
    const desired = this.#interfaces.get(endpoint.number)?.desired;
    return desired?.isSet ? planTc(this.#tc.read(endpoint), desired.state) : [];
  }

  /**
   * Restores an interface, and forgets it: another may have its number next. One that is gone, or that another
   * program has taken, is left alone.
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

  /**
   * Restores all interfaces. One that is gone, or that another program has taken, is left alone. `isRemoved`: so is one that does
   * not outlive the agent, since it is removed next, with all that is in force there.
   */
  async stop(isRemoved = false): Promise<void> {
    for (const item of this.#interfaces.values())
      if (!isRemoved || item.endpoint.outlivesAgent === true) await this.#giveBack(item);
    this.#interfaces.clear();
    await this.#delay.stop(isRemoved);
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

  /** Lets queued packets be sent, while new ones pass unshaped: deleting a root drops its packets. */
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

/** All of it if anything may be different; otherwise the edits, or, to send it again, all that stays. */
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
