/**
 * When the timeline began. Agents that start later receive how long ago that was, because the date may have been set
 * since.
 */
import { type Clock, systemClock } from '../../agent/clock/clock.ts';

export class Started {
  readonly #clock: Clock;
  #known: { readonly date: number; readonly moment: number } | undefined;

  /** `date`: milliseconds since 1970. */
  constructor(date?: number, clock: Clock = systemClock) {
    this.#clock = clock;
    if (date !== undefined) this.set(date);
  }

  /** By the date as it is now; it may be in the future. */
  set(date: number): void {
    this.#known = { date, moment: this.#clock.now() + date - this.#clock.wallNow() };
  }

  /** Milliseconds since 1970, by the date at the time of `set`. */
  get at(): number | undefined {
    return this.#known?.date;
  }

  /** Negative while it is in the future. */
  get agoMs(): number | undefined {
    return this.#known && this.#clock.now() - this.#known.moment;
  }
}
