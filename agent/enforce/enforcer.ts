/**
 * Brings the interfaces of the local endpoints to their desired state and keeps them there. It is told the whole
 * state, plans against what is installed, and carries out the difference; the same state twice does nothing.
 */

import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import { NetfoldError } from '../../proto/errors.ts';
import type { Clock, Timers } from '../clock/clock.ts';
import {
  type InterfaceChange,
  type InterfaceState,
  MOST_GSO_SEGMENTS,
  type MutableState,
  type ShapedClass,
  untouched,
} from './interface-state.ts';
import { applyInPlace, applyToState, planChange, planTc, type TcOp } from './plan.ts';
import type { DelayBackend, FailedOp, ImpairedPath, Party, TcPort, TreeKeeper } from './ports.ts';

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
  desired: MutableState;
  /** A step has failed since all of it was planned last. */
  isBehind: boolean;
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
   * Takes an interface over. What an agent that was killed left on it stays in force until `set` says what shall be
   * there; what is not netfold's is refused.
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
        desired: copyOf(state),
        isBehind: false,
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

  /** Installs the difference. Failed steps are returned, and tried again with the next call. */
  set(endpoint: LocalEndpoint, desired: InterfaceState): FailedOp[] {
    return this.#setWhole(this.#item(endpoint), desired);
  }

  #setWhole(item: Interface, desired: InterfaceState): FailedOp[] {
    item.desired = copyOf(desired);
    return this.#carryOut(item, planTc(item.installed, desired));
  }

  /** Makes a change to what was set; what it costs depends on the change alone. Failed steps as with `set`. */
  change(endpoint: LocalEndpoint, change: InterfaceChange): FailedOp[] {
    const item = this.#item(endpoint);
    const { classes, targets } = item.desired;
    item.desired.gsoSegments = change.gsoSegments;
    for (const minor of change.goneClasses) classes.delete(minor);
    for (const destination of change.goneTargets) targets.delete(destination);
    for (const shaped of change.classes) classes.set(shaped.minor, shaped);
    for (const [destination, minor] of change.targets) targets.set(destination, minor);
    const isWhole = item.isBehind || item.installed.foreignRoot !== undefined || !item.installed.classifier;
    return this.#carryOut(
      item,
      isWhole ? planTc(item.installed, item.desired) : planChange(item.installed, change),
    );
  }

  /** Tries again what has failed since all was planned last; nothing otherwise. */
  retry(endpoint: LocalEndpoint): FailedOp[] {
    const item = this.#item(endpoint);
    return item.isBehind ? this.#carryOut(item, planTc(item.installed, item.desired)) : [];
  }

  /** Tells the kernel again what it has been told. Nothing is different afterwards. */
  reassert(endpoint: LocalEndpoint): FailedOp[] {
    const item = this.#item(endpoint);
    if (item.isBehind) return this.retry(endpoint);
    const { installed, desired } = item;
    const untold = { ...installed, classes: new Map(), targets: new Map() };
    return this.#carryOut(item, planTc(untold, desired));
  }

  #carryOut(item: Interface, ops: readonly TcOp[]): FailedOp[] {
    const failed = ops.length === 0 ? [] : this.#tc.apply(item.endpoint, ops);
    item.isBehind = failed.length > 0;
    if (failed.length === 0) applyInPlace(item.installed, ops);
    else item.installed = this.#after(item, ops, failed);
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

  setDelays(endpoint: LocalEndpoint, paths: readonly ImpairedPath[]): Promise<void> {
    return this.#delay.set(endpoint, paths);
  }

  /** Reads the kernel's state back; the steps that would still be needed, none when all took effect. */
  verify(endpoint: LocalEndpoint): TcOp[] {
    const item = this.#interfaces.get(endpoint.number);
    return item ? planTc(this.#tc.read(endpoint), item.desired) : [];
  }

  /**
   * Reads the kernel's state and puts right what somebody has changed since; gives the steps that took. Throws where
   * the interface is gone, where somebody's qdisc has taken the place of netfold's, or where a step failed.
   */
  repair(endpoint: LocalEndpoint): TcOp[] {
    const item = this.#item(endpoint);
    item.installed = copyOf(this.#tc.read(endpoint));
    refuseForeign(endpoint, item.installed);
    const ops = planTc(item.installed, item.desired);
    const [failed] = this.set(endpoint, item.desired);
    if (failed) throw failed.error;
    return ops;
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
      else this.#setWhole(item, before);
    } catch (error) {
      if (!(error instanceof NetfoldError && GONE.has(error.code))) throw error;
    } finally {
      this.#tc.detach(endpoint);
    }
  }

  /** Lets what waits be sent, while what comes passes by unshaped: deleting a root drops what is in it. */
  async #drain(item: Interface): Promise<void> {
    const { endpoint, installed } = item;
    this.#setWhole(item, { ...installed, targets: new Map() });
    const deadline = this.#clock.now() + DRAIN_MS;
    while (this.#tc.stats(endpoint).waiting > 0 && this.#clock.now() < deadline)
      await new Promise<void>((resolve) => this.#timers.after(DRAIN_POLL_MS, resolve));
  }

  #item(endpoint: LocalEndpoint): Interface {
    const item = this.#interfaces.get(endpoint.number);
    if (!item) throw new Error(`${endpoint.name} is not attached`);
    return item;
  }
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
