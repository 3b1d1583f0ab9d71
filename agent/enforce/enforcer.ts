/**
 * Brings the interfaces of the local endpoints to their desired state and keeps them there. It is told the whole
 * state, plans against what is installed, and carries out the difference; the same state twice does nothing.
 */

import { NetfoldError } from '../../proto/errors.ts';
import type { LocalEndpoint } from '../endpoints/model.ts';
import { AgentError } from '../errors.ts';
import { type InterfaceState, untouched } from './interface-state.ts';
import { applyToState, planTc, type TcOp } from './plan.ts';
import type { DelayBackend, FailedOp, ImpairedPath, TcPort } from './ports.ts';

/** Root qdiscs that the kernel installs by itself; anything else was put there by somebody. */
const KERNEL_DEFAULTS = new Set(['none', 'noqueue', 'pfifo_fast', 'fq_codel', 'fq', 'mq']);

interface Interface {
  readonly endpoint: LocalEndpoint;
  installed: InterfaceState;
  desired: InterfaceState;
}

export class Enforcer {
  readonly #tc: TcPort;
  readonly #delay: DelayBackend;
  readonly #interfaces = new Map<number, Interface>();

  constructor({ tc, delay }: { tc: TcPort; delay: DelayBackend }) {
    this.#tc = tc;
    this.#delay = delay;
  }

  get delay(): DelayBackend {
    return this.#delay;
  }

  /** Takes an interface over. What an earlier agent left on it is removed; what is not netfold's is refused. */
  async attach(endpoint: LocalEndpoint): Promise<void> {
    this.#tc.attach(endpoint);
    let state = this.#tc.read(endpoint);
    if (state.foreignRoot === undefined) {
      const [failed] = this.#tc.apply(endpoint, [{ op: 'delete-root', reason: 'left by an earlier agent' }]);
      if (failed) {
        this.#tc.detach(endpoint);
        throw leftoverStays(endpoint, failed);
      }
      state = this.#tc.read(endpoint);
    }
    if (state.foreignRoot !== undefined && !KERNEL_DEFAULTS.has(state.foreignRoot)) {
      this.#tc.detach(endpoint);
      throw new NetfoldError({
        code: 'QDISC_FOREIGN',
        blame: 'machine',
        message: `${endpoint.ifname} of ${endpoint.name} has a root qdisc "${state.foreignRoot}" that is not netfold's`,
        remedy: `remove it first: tc qdisc del dev ${endpoint.ifname} root`,
      });
    }
    this.#interfaces.set(endpoint.number, { endpoint, installed: state, desired: state });
    await this.#delay.attach(endpoint);
  }

  /** Installs the difference. Failed steps are returned, and tried again with the next call. */
  set(endpoint: LocalEndpoint, desired: InterfaceState): FailedOp[] {
    const item = this.#interfaces.get(endpoint.number);
    if (!item) throw new Error(`${endpoint.name} is not attached`);
    item.desired = desired;
    const ops = planTc(item.installed, desired);
    if (ops.length === 0) return [];
    const failed = this.#tc.apply(endpoint, ops);
    const undone = new Set<TcOp>(failed.map(({ op }) => op));
    item.installed = applyToState(
      item.installed,
      ops.filter((op) => !undone.has(op)),
    );
    return failed;
  }

  setDelays(endpoint: LocalEndpoint, paths: readonly ImpairedPath[]): Promise<void> {
    return this.#delay.set(endpoint, paths);
  }

  /** Reads the kernel's state back; the steps that would still be needed, none when all took effect. */
  verify(endpoint: LocalEndpoint): TcOp[] {
    const item = this.#interfaces.get(endpoint.number);
    return item ? planTc(this.#tc.read(endpoint), item.desired) : [];
  }

  /** Gives all interfaces back as they were. */
  async stop(): Promise<void> {
    for (const { endpoint } of this.#interfaces.values()) {
      this.set(endpoint, untouched('default'));
      this.#tc.detach(endpoint);
    }
    this.#interfaces.clear();
    await this.#delay.stop();
  }
}

function leftoverStays({ ifname, name }: LocalEndpoint, { error }: FailedOp): AgentError {
  return new AgentError(
    'ENFORCE_FAILED',
    `what an earlier agent left on ${ifname} of ${name} can't be removed: ${error.message}`,
    `remove it: tc qdisc del dev ${ifname} root`,
    error,
  );
}
