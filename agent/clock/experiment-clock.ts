/**
 * The experiment's time: microseconds since its start, negative before. It runs on the machine's monotonic clock, so
 * a change of the machine's date has no effect. `ClockSync` keeps it equal to the clocks of other hosts.
 */
import {
  fromMillis,
  type Micros,
  type Millis,
  micros,
  partsPerMillion,
  toMillis,
  wholeOfParts,
} from '../../proto/units.ts';
import type { Clock } from './clock.ts';

/** As the kernel's adjtime: what the fastest slew adds to each second, or subtracts from it. */
export const SLEW_PPM = 500;
/** Larger differences are stepped: slewing one of 50 ms takes 100 s. */
export const STEP_MICROS = micros(50_000);

/** `waiting`: the start is in the future. */
export type ExperimentClockState = 'unset' | 'waiting' | 'running';

interface Anchor {
  /** The monotonic clock, in milliseconds, and the time that this clock showed then. */
  readonly at: number;
  readonly shown: number;
  /** What remains to be added gradually from then on. */
  readonly slew: number;
}

export class ExperimentClock {
  readonly #clock: Clock;
  readonly #listeners = new Set<() => void>();
  #anchor: Anchor | undefined;
  /** The latest time that was returned since the start. */
  #given = micros(-1);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get state(): ExperimentClockState {
    const now = this.now();
    return now === undefined ? 'unset' : now < 0 ? 'waiting' : 'running';
  }

  /** Never goes back once the experiment has started; `undefined` while the start is not known. */
  now(): Micros | undefined {
    const exact = this.exact();
    if (exact === undefined) return undefined;
    if (exact < 0 && this.#given < 0) return exact;
    this.#given = micros(Math.max(this.#given, exact));
    return this.#given;
  }

  /** What it would show at `at` (`Clock.now()`) if it were allowed to go back. */
  exact(at = this.#clock.now()): Micros | undefined {
    if (!this.#anchor) return undefined;
    const { shown, slew, at: from } = this.#anchor;
    const passed = fromMillis(at - from);
    const slewed = Math.min(Math.abs(slew), Math.max(0, partsPerMillion(passed, SLEW_PPM)));
    return micros(shown + passed + Math.sign(slew) * slewed);
  }

  /**
   * Milliseconds until it shows `time` (microseconds), for a timer; 0 or less if it does already. Call it again after each change.
   */
  millisUntil(time: number): Millis | undefined {
    const exact = this.exact();
    if (!this.#anchor || exact === undefined) return undefined;
    const { at, slew } = this.#anchor;
    const done = partsPerMillion(fromMillis(this.#clock.now() - at), SLEW_PPM);
    const left = Math.sign(slew) * Math.max(0, Math.abs(slew) - done);
    const lasts = wholeOfParts(Math.abs(left), SLEW_PPM);
    const ahead = time - exact;
    const wait =
      ahead <= lasts + left ? ahead / (1 + partsPerMillion(Math.sign(left), SLEW_PPM)) : ahead - left;
    return toMillis(micros(wait));
  }

  /** Sets the start, as a date in milliseconds since 1970, which is read once. False: the start is known already. */
  startAt(wallMs: number): boolean {
    return this.startIn(wallMs - this.#clock.wallNow());
  }

  /**
   * Sets the start, in milliseconds from now: right even if the machine's date is wrong. False: it is known already.
   */
  startIn(ms: number): boolean {
    return this.adopt(-fromMillis(ms));
  }

  /** Sets the time to `time` (microseconds). False: the time is known already. */
  adopt(time: number): boolean {
    if (this.#anchor) return false;
    this.#set(time, 0);
    return true;
  }

  /**
   * Adds `difference` (microseconds): gradually once it runs, at once if that would take too long. If it is set back, it stands still
   * until it reaches the time that it has shown.
   */
  steer(difference: number): void {
    const exact = this.exact();
    if (exact === undefined) return;
    const unseen = this.#given < 0 && exact < 0;
    if (unseen || Math.abs(difference) > STEP_MICROS) this.#set(exact + difference, 0);
    else this.#set(exact, difference);
  }

  /** Calls `listener` when the time becomes known and whenever it is corrected. Returns a function that ends this. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #set(shown: number, slew: number): void {
    this.#anchor = { at: this.#clock.now(), shown, slew };
    for (const listener of this.#listeners) listener();
  }
}
