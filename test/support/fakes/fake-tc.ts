/**
 * A kernel's tc in memory, as strict as the real one: a class needs netfold's root, a queue its class, and a class
 * with a target stays. Prints what is installed in sorted, tc-like lines.
 */

import {
  formatOverhead,
  type InterfaceState,
  NO_PATH,
  OWN_MAJOR,
  UNSHAPED,
  untouched,
} from '../../../agent/enforce/interface-state.ts';
import { applyToState, type TcOp } from '../../../agent/enforce/plan.ts';
import { formatQueue } from '../../../agent/enforce/plan-text.ts';
import type { FailedOp, Party, TcPort, TcStats } from '../../../agent/enforce/ports.ts';
import type { LocalEndpoint } from '../../../proto/bootstrap.ts';

/** Why a step can't be applied to a state; `undefined` if it can. */
export function refusalOf(state: InterfaceState, op: TcOp): string | undefined {
  const own = state.foreignRoot === undefined;
  switch (op.op) {
    case 'set-class':
    case 'add-classifier':
      return own ? undefined : 'no htb root';
    case 'delete-root':
      return own ? undefined : 'no root of netfold';
    case 'set-limit':
    case 'set-limit-queue':
      return state.classes.get(op.shaped.minor)?.limits ? undefined : 'no group';
    case 'delete-queue':
    case 'set-queue':
    case 'delete-limit':
    case 'take-out':
      return state.classes.has(op.minor) ? undefined : 'no such class';
    case 'set-target':
      return op.minor === NO_PATH || op.minor === UNSHAPED || state.classes.has(op.minor)
        ? undefined
        : 'no such class';
    case 'delete-target':
      return state.targets.has(op.destination) ? undefined : 'no such target';
    case 'delete-class': {
      if (!state.classes.has(op.minor)) return 'no such class';
      return [...state.targets.values()].includes(op.minor) ? 'a target points to it' : undefined;
    }
    default:
      return undefined;
  }
}

/** `kind leaf limit` and so on, one thing a line, sorted. */
export function formatState(state: InterfaceState): string {
  const own = OWN_MAJOR.toString(16);
  const id = (minor: number): string => {
    if (minor === UNSHAPED) return 'pass';
    return minor === NO_PATH ? 'drop' : `${own}:${minor.toString(16)}`;
  };
  const classes = [...state.classes.values()].map(
    ({ minor, bytesPerSecond, burstBytes, queue, bufferBytes, aqm, ...rest }) =>
      `class ${id(minor)} rate ${bytesPerSecond * 8}bit burst ${burstBytes}${formatOverhead(rest)} ${formatQueue(queue)}${bufferBytes > 0 ? ` buffer ${bufferBytes}` : ''}${aqm === undefined ? '' : ` ${aqm}`}${rest.mtu === undefined ? '' : ` mtu ${rest.mtu}`}${rest.rules === undefined ? '' : ` rules ${rest.rules}`}${(rest.limits ?? []).map((one) => ` limit ${one.bytesPerSecond * 8}bit ${formatQueue(one.queue)}`).join('')}`,
  );
  const targets = [...state.targets].map(([destination, minor]) => `target ${destination} ${id(minor)}`);
  return [
    `qdisc ${state.foreignRoot ?? `htb ${own}:`}`,
    `gso_max_segs ${state.gsoSegments}`,
    ...(state.classifier ? ['filter bpf netfold'] : []),
    ...classes,
    ...targets,
  ]
    .sort()
    .join('\n');
}

function after(state: InterfaceState, op: TcOp): InterfaceState {
  const next = applyToState(state, [op]);
  return op.op === 'delete-root' ? { ...next, foreignRoot: 'noqueue' } : next;
}

export class FakeTc implements TcPort {
  readonly #states = new Map<number, InterfaceState>();
  readonly #names = new Map<number, string>();
  /** Names of endpoints that are attached now. */
  readonly attached = new Set<string>();
  /** All steps that were tried, in order, since this was last emptied. */
  readonly tried: TcOp[] = [];
  /** Makes a step fail with the returned message. */
  fail: (op: TcOp) => string | undefined = () => undefined;

  /** Sets the state of an interface before netfold attaches to it. */
  install(endpoint: LocalEndpoint, state: InterfaceState): void {
    this.#states.set(endpoint.number, state);
    this.#names.set(endpoint.number, endpoint.name);
  }

  /** Targets of destinations are in the map of the agent that set them: another agent starts with an empty map. */
  attach(endpoint: LocalEndpoint): void {
    this.attached.add(endpoint.name);
    const state = this.#states.get(endpoint.number);
    if (state) this.#states.set(endpoint.number, { ...state, targets: new Map() });
    this.#names.set(endpoint.number, endpoint.name);
  }

  detach(endpoint: LocalEndpoint): void {
    this.attached.delete(endpoint.name);
  }

  read(endpoint: LocalEndpoint): InterfaceState {
    if (!this.attached.has(endpoint.name)) throw new Error(`${endpoint.name} is not attached`);
    return this.#states.get(endpoint.number) ?? untouched('noqueue');
  }

  apply(endpoint: LocalEndpoint, ops: readonly TcOp[]): FailedOp[] {
    const failed: FailedOp[] = [];
    for (const op of ops) {
      const state = this.read(endpoint);
      this.tried.push(op);
      const refusal = this.fail(op) ?? refusalOf(state, op);
      if (refusal !== undefined) failed.push({ op, error: new Error(refusal) });
      else this.#states.set(endpoint.number, after(state, op));
    }
    return failed;
  }

  /** By address: island, sides, first class. */
  readonly parties = new Map<string, string>();

  introduce(parties: readonly Party[], gone: readonly string[]): void {
    for (const address of gone) this.parties.delete(address);
    for (const { addresses, island, sides, firstMinor } of parties)
      for (const address of addresses)
        this.parties.set(address, `island ${island} sides ${sides.join('')} first ${firstMinor}`);
  }

  /** Nothing is ever sent here; a test may set what waits. */
  stats(endpoint: LocalEndpoint): TcStats {
    this.read(endpoint);
    return { waiting: 0, held: 0, passed: 0, lost: 0, overflowed: 0 };
  }

  toString(): string {
    const blocks = [...this.#states].map(
      ([number, state]) => `${this.#names.get(number)}:\n${formatState(state).replaceAll(/^/gm, '  ')}`,
    );
    return blocks.sort().join('\n');
  }
}
