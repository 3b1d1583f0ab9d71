/**
 * The experiment's time: microseconds since its start, negative before. It runs on the machine's monotonic clock, so
 * a change of the machine's date has no effect. `ClockSync` keeps it equal to the clocks of other hosts.
 */
import type { Clock } from './clock.ts';

/** As the kernel's adjtime: what the fastest slew adds to each second, or subtracts from it. */
export const SLEW_PPM = 500;
/** Larger differences are stepped: slewing one of 50 ms takes 100 s. */
export const STEP_MICROS = 50_000;

/** `waiting`: the start is in the future. */
export type ExperimentClockState = 'unset' | 'waiting' | 'running';

interface Anchor {
  /** The monotonic clock, in milliseconds, and the time that this clock showed then. */
  readonly at: number;
  readonly micros: number;
  /** What remains to be added gradually from then on. */
  readonly slew: number;
}

export class ExperimentClock {
  readonly #clock: Clock;
  readonly #listeners = new Set<() => void>();
  #anchor: Anchor | undefined;
  /** The latest time that was returned since the start. */
  #given = -1;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get state(): ExperimentClockState {
    const now = this.now();
    return now === undefined ? 'unset' : now < 0 ? 'waiting' : 'running';
  }

  /** Never goes back once the experiment has started; `undefined` while the start is not known. */
  now(): number | undefined {
    const exact = this.exact();
    if (exact === undefined) return undefined;
    if (exact < 0 && this.#given < 0) return exact;
    this.#given = Math.max(this.#given, exact);
    return this.#given;
  }

  /** What it would show at `at` (`Clock.now()`) if it were allowed to go back. */
  exact(at = this.#clock.now()): number | undefined {
    if (!this.#anchor) return undefined;
    const { micros, slew, at: from } = this.#anchor;
    const passed = (at - from) * 1000;
    const slewed = Math.min(Math.abs(slew), Math.max(0, (passed * SLEW_PPM) / 1e6));
    return micros + passed + Math.sign(slew) * slewed;
  }

  /**
   * Milliseconds until it shows `micros`, for a timer; 0 or less if it does already. Call it again after each change.
   */
  millisUntil(micros: number): number | undefined {
    const exact = this.exact();
    if (!this.#anchor || exact === undefined) return undefined;
    const { at, slew } = this.#anchor;
    const done = ((this.#clock.now() - at) * 1000 * SLEW_PPM) / 1e6;
    const left = Math.sign(slew) * Math.max(0, Math.abs(slew) - done);
    const lasts = (Math.abs(left) * 1e6) / SLEW_PPM;
    const ahead = micros - exact;
    const wait = ahead <= lasts + left ? ahead / (1 + (Math.sign(left) * SLEW_PPM) / 1e6) : ahead - left;
    return wait / 1000;
  }

  /** Sets the start, as a date in milliseconds since 1970, which is read once. False: the start is known already. */
  startAt(wallMs: number): boolean {
    return this.startIn(wallMs - this.#clock.wallNow());
  }

  /**
   * Sets the start, in milliseconds from now: right even if the machine's date is wrong. False: it is known already.
   */
  startIn(ms: number): boolean {
    return this.adopt(-ms * 1000);
  }

  /** Sets the time to `micros`. False: the time is known already. */
  adopt(micros: number): boolean {
    if (this.#anchor) return false;
    this.#set(micros, 0);
    return true;
  }

  /**
   * Adds `micros`: gradually once it runs, at once if that would take too long. If it is set back, it stands still
   * until it reaches the time that it has shown.
   */
  steer(micros: number): void {
    const exact = this.exact();
    if (exact === undefined) return;
    const unseen = this.#given < 0 && exact < 0;
    if (unseen || Math.abs(micros) > STEP_MICROS) this.#set(exact + micros, 0);
    else this.#set(exact, micros);
  }

  /** Calls `listener` when the time becomes known and whenever it is corrected. Returns a function that ends this. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #set(micros: number, slew: number): void {
    this.#anchor = { at: this.#clock.now(), micros, slew };
    for (const listener of this.#listeners) listener();
  }
}
