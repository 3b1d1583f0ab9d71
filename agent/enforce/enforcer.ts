/**
 * Brings the interfaces of the local endpoints to their desired state and keeps them there. It is told the whole
 * state, plans against what is installed, and carries out the difference; the same state twice does nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { NetfoldError } from '../../proto/errors.ts';
import type { LocalEndpoint } from '../endpoints/model.ts';
import { type InterfaceState, MOST_GSO_SEGMENTS, untouched } from './interface-state.ts';
import { applyToState, planTc, type TcOp } from './plan.ts';
import type { DelayBackend, FailedOp, ImpairedPath, TcPort, TreeKeeper } from './ports.ts';

/** Root qdiscs that the kernel installs by itself; anything else was put there by somebody. */
const KERNEL_DEFAULTS = new Set(['none', 'noqueue', 'pfifo_fast', 'fq_codel', 'fq', 'mq']);

/** How long an interface that goes on working may take to send what waits on it when netfold leaves. */
const DRAIN_MS = 1000;
const DRAIN_POLL_MS = 5;

interface Interface {
  readonly endpoint: LocalEndpoint;
  /** What it goes back to, where nothing is kept. */
  readonly before: InterfaceState;
  /** Somebody else's tree is kept, and put back in the end. */
  readonly isKept: boolean;
  installed: InterfaceState;
  desired: InterfaceState;
}

export interface EnforcerOptions {
  readonly tc: TcPort;
  readonly delay: DelayBackend;
  /** Of interfaces that existed before. */
  readonly keeper?: TreeKeeper;
  /** Somebody else's root may be replaced, if it can be kept. */
  readonly takeOver?: boolean;
}

export class Enforcer {
  readonly #tc: TcPort;
  readonly #delay: DelayBackend;
  readonly #keeper: TreeKeeper | undefined;
  readonly #takeOver: boolean;
  readonly #interfaces = new Map<number, Interface>();

  constructor({ tc, delay, keeper, takeOver = false }: EnforcerOptions) {
    this.#tc = tc;
    this.#delay = delay;
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
      if (!this.#takeOver || !endpoint.existing) refuseForeign(endpoint, state);
      // An earlier agent may have kept something, too.
      const isKept = endpoint.existing === true && this.#keeper?.keep(endpoint) === true;
      // What it had before an earlier agent came, nobody knows any more.
      const isAdopted = state.foreignRoot === undefined;
      const before = untouched('default', isAdopted ? MOST_GSO_SEGMENTS : state.gsoSegments);
      await this.#delay.attach(endpoint, isAdopted);
      this.#interfaces.set(endpoint.number, { endpoint, before, isKept, installed: state, desired: state });
    } catch (error) {
      this.#tc.detach(endpoint);
      throw error;
    }
  }

  /** Installs the difference. Failed steps are returned, and tried again with the next call. */
  set(endpoint: LocalEndpoint, desired: InterfaceState): FailedOp[] {
    const item = this.#item(endpoint);
    item.desired = desired;
    const ops = planTc(item.installed, desired);
    if (ops.length === 0) return [];
    const failed = this.#tc.apply(endpoint, ops);
    item.installed = this.#after(item, ops, failed);
    return failed;
  }

  /** What is installed now. Where a step failed the kernel is asked: an answer may have been lost, not the step. */
  #after(
    { endpoint, installed }: Interface,
    ops: readonly TcOp[],
    failed: readonly FailedOp[],
  ): InterfaceState {
    if (failed.length === 0) return applyToState(installed, ops);
    try {
      return this.#tc.read(endpoint);
    } catch {
      const undone = new Set<TcOp>(failed.map(({ op }) => op));
      return applyToState(
        installed,
        ops.filter((op) => !undone.has(op)),
      );
    }
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
    item.installed = this.#tc.read(endpoint);
    refuseForeign(endpoint, item.installed);
    const ops = planTc(item.installed, item.desired);
    const [failed] = this.set(endpoint, item.desired);
    if (failed) throw failed.error;
    return ops;
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
      item.installed = this.#tc.read(endpoint);
      if (item.installed.foreignRoot === undefined && endpoint.existing) await this.#drain(item);
      if (isKept) this.#keeper?.putBack(endpoint);
      else this.set(endpoint, before);
    } catch (error) {
      if (!(error instanceof NetfoldError && error.code === 'INTERFACE_GONE')) throw error;
    } finally {
      this.#tc.detach(endpoint);
    }
  }

  /** Lets what waits be sent, while what comes passes by unshaped: deleting a root drops what is in it. */
  async #drain({ endpoint, installed }: Interface): Promise<void> {
    this.set(endpoint, { ...installed, targets: new Map() });
    const deadline = performance.now() + DRAIN_MS;
    while (this.#tc.stats(endpoint).waiting > 0 && performance.now() < deadline) await sleep(DRAIN_POLL_MS);
  }

  #item(endpoint: LocalEndpoint): Interface {
    const item = this.#interfaces.get(endpoint.number);
    if (!item) throw new Error(`${endpoint.name} is not attached`);
    return item;
  }
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
