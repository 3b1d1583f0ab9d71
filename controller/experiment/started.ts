/** When the timeline began. Agents that come later are told how long ago: the date may have been set since. */
import { type Clock, systemClock } from '../../agent/clock/clock.ts';

export class Started {
  readonly #clock: Clock;
  #known: { readonly date: number; readonly moment: number } | undefined;

  /** `date`: milliseconds since 1970. */
  constructor(date?: number, clock: Clock = systemClock) {
    this.#clock = clock;
    if (date !== undefined) this.set(date);
  }

  /** By the date as it is now; it may be to come. */
  set(date: number): void {
    this.#known = { date, moment: this.#clock.now() + date - this.#clock.wallNow() };
  }

  /** Milliseconds since 1970, by the date as it was when it was told. */
  get at(): number | undefined {
    return this.#known?.date;
  }

  /** Negative while it is to come. */
  get agoMs(): number | undefined {
    return this.#known && this.#clock.now() - this.#known.moment;
  }
}
