/**
 * How much too early the thread asks to be woken, so that it is awake when a packet is due; it spins for the rest. Processors
 * wake late, and later the longer they slept: 0.02 ms after 1 ms, 0.1 to 0.3 ms after 100 ms, which differs between kinds of
 * processors and with their load. So the lateness is learned for each kind of sleep, as the value that nine sleeps of ten do
 * not exceed. Spinning has a budget: when that is used up, the thread wakes less early. Pure.
 */
import { SLEEP_KINDS } from './sleep-kinds.ts';

/** The part of sleeps that may end later than the lead. */
const LATER = 0.1;
/** By how much one sleep that is later lengthens the lead, relative to it, and at least. */
const STEP = { relative: 0.25, leastMs: 0.01 } as const;
/** The maximum: a pause of the whole machine must not make the lead long. */
const MAX_MS = 0.6;
/** Too long at first on most machines, which costs a little spinning; too short, packets would be late. */
const START_MS = 0.15;
/** The part of the time that may be spent spinning … */
const SPINNING = 0.02;
/** … and the most that can be saved of it: enough for 50 releases after a pause. */
const SAVED_MS = 20;

export class WakeLead {
  readonly #ms = new Float64Array(SLEEP_KINDS).fill(START_MS);
  #savedMs = SAVED_MS;
  #countedMs = Number.NaN;

  /** The lead at this time, for a sleep of this kind. */
  at(nowMs: number, kind: number): number {
    const elapsed = nowMs - this.#countedMs;
    this.#countedMs = nowMs;
    if (elapsed > 0) this.#savedMs = Math.min(SAVED_MS, this.#savedMs + SPINNING * elapsed);
    return Math.max(0, Math.min(this.#ms[kind]!, this.#savedMs));
  }

  /** To be called with the time that the thread has spun. */
  spend(spunMs: number): void {
    this.#savedMs -= spunMs;
  }

  /** `lateMs`: how long after the time asked for the thread ran, after a sleep of this kind. */
  observe(lateMs: number, kind: number): void {
    const lead = this.#ms[kind]!;
    const step = Math.max(STEP.leastMs, STEP.relative * lead);
    const next = lateMs > lead ? lead + Math.min(step, lateMs - lead) : lead - step * LATER;
    this.#ms[kind] = Math.min(Math.max(next, 0), MAX_MS);
  }
}
