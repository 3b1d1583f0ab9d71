/**
 * Expectations that steps of sequences wait for, of the endpoints of this host: looked at from the instant on at which the step
 * begins, and told to all hosts as the end of a program is, with 0 where it holds and 1 where it did not in time.
 */
import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import { NetfoldError } from '../../proto/errors.ts';
import { micros, toMillis } from '../../proto/units.ts';
import type { AwaitedCondition, SequenceState } from '../../topology/timeline/sequences.ts';
import type { Timers } from '../clock/clock.ts';
import type { Senses } from './senses.ts';
import { Witness } from './witness.ts';

export interface ConditionsPorts {
  readonly timers: Timers;
  readonly senses: Senses;
  /** Microseconds since the timeline began; `undefined` or negative: it has not. */
  readonly now: () => number | undefined;
  readonly sequences: () => readonly SequenceState[];
  readonly local: () => readonly LocalEndpoint[];
  /** Tells all agents. Throws a `NetfoldError` where it can't. */
  readonly tell: (text: string) => void;
  readonly onProblem: (problem: string) => void;
}

/** As often as stretches of time begin, of which one has to satisfy an expectation. */
const LOOK_MS = 200;

export class Conditions {
  readonly #ports: ConditionsPorts;
  readonly #awaited: readonly AwaitedCondition[];
  readonly #open = new Map<AwaitedCondition, { readonly witness: Witness; readonly namespace: string }>();
  #cancel: () => void = () => {};

  constructor(ports: ConditionsPorts, awaited: readonly AwaitedCondition[]) {
    this.#ports = ports;
    this.#awaited = awaited;
  }

  start(): void {
    if (this.#awaited.length > 0) this.#cancel = this.#ports.timers.every(LOOK_MS, () => this.#look());
  }

  stop(): void {
    this.#cancel();
    for (const condition of [...this.#open.keys()]) this.#close(condition);
  }

  #look(): void {
    const now = this.#ports.now();
    if (now === undefined || now < 0) return;
    const states = new Map(this.#ports.sequences().map((state) => [state.name, state]));
    const local = new Map(this.#ports.local().map((endpoint) => [endpoint.name, endpoint]));
    for (const condition of this.#awaited) {
      const { state, step, since } = states.get(condition.sequence)!;
      const endpoint = local.get(condition.endpoint);
      // The step before it may end in the future.
      const isDue = state === 'runs' && step === condition.step && since !== null && since <= now;
      if (isDue && endpoint) this.#lookAt(condition, endpoint, { since, nowMs: toMillis(micros(now)) });
      else this.#close(condition);
    }
  }

  #lookAt(
    condition: AwaitedCondition,
    endpoint: LocalEndpoint,
    { since, nowMs }: { readonly since: number; readonly nowMs: number },
  ): void {
    const { senses, onProblem } = this.#ports;
    let open = this.#open.get(condition);
    // A container that was started again is elsewhere.
    if (open && open.namespace !== endpoint.namespace) this.#close(condition);
    if (!open || open.namespace !== endpoint.namespace) {
      const witness = new Witness(condition, { endpoint, sinceMs: toMillis(micros(since)), senses });
      open = { witness, namespace: endpoint.namespace };
      this.#open.set(condition, open);
    }
    const found = open.witness.look(nowMs);
    const { problem } = open.witness;
    if (problem !== undefined)
      onProblem(`sequence ${condition.sequence} can't see whether step ${condition.step} holds: ${problem}`);
    if (found) this.#tell(condition, found === 'holds' ? 0 : 1);
  }

  /** Once it is told, the sequence has no such step any more. */
  #tell({ sequence, step, endpoint }: AwaitedCondition, code: number): void {
    try {
      this.#ports.tell(`ended ${sequence} ${step} ${endpoint} ${code}`);
    } catch (error) {
      // It is told at the next look.
      if (!(error instanceof NetfoldError)) throw error;
      this.#ports.onProblem(error.message);
    }
  }

  #close(condition: AwaitedCondition): void {
    this.#open.get(condition)?.witness.stop();
    this.#open.delete(condition);
  }
}
