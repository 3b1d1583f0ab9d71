/**
 * Closes the loop around releases: when packets really left, against when they were due, for each kind of sleep before. What
 * it takes to pass packets on is known from earlier times; the first call after a sleep takes several times as long as the
 * next ones. What is left of the error, from whatever cause, is taken off in small parts, so that its mean becomes zero. Pure.
 */
import { AWAKE, SLEEP_KINDS } from './sleep-kinds.ts';

/** Weight of one packet while awake, and of one release after a sleep. */
const WEIGHT = { awake: 1 / 256, asleep: 1 / 8 } as const;
const START_MS = 0.01;
/** The maximum: a pause of the machine must not have packets leave early for long. */
const MOST_MS = { awake: 0.1, asleep: 0.3 } as const;
/** The part of an error that is taken off the next time, and the most in all. */
const CORRECTION = { weight: 1 / 16, mostMs: 0.1 } as const;

export class ReleaseError {
  readonly #passingMs = new Float64Array(SLEEP_KINDS).fill(START_MS);
  readonly #correctionMs = new Float64Array(SLEEP_KINDS);

  /** The average time from reading the clock until packets leave. */
  passingMs(kind: number): number {
    return this.#passingMs[kind]!;
  }

  /** How long before their time packets have to be passed on. */
  aheadMs(kind: number): number {
    return this.#passingMs[kind]! + this.#correctionMs[kind]!;
  }

  /**
   * To be called after packets were released: how long that took, and how late they left in the mean. They leave one after
   * the other, on average after half of the time.
   */
  observe(kind: number, packets: number, tookMs: number, lateMs: number): void {
    const name = kind === AWAKE ? 'awake' : 'asleep';
    const weight = Math.min(1, kind === AWAKE ? packets * WEIGHT.awake : WEIGHT.asleep);
    const passing = Math.min(tookMs / 2, MOST_MS[name]);
    this.#passingMs[kind]! += weight * (passing - this.#passingMs[kind]!);
    const { weight: part, mostMs } = CORRECTION;
    const error = Math.min(Math.max(lateMs, -mostMs), mostMs);
    const correction = this.#correctionMs[kind]! + weight * part * error;
    this.#correctionMs[kind] = Math.min(Math.max(correction, -mostMs), mostMs);
  }
}
