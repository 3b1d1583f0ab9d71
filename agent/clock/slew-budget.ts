/**
 * How far a reference may move this clock in the long run. Honest clocks diverge by `DRIFT_PPM` at most, so one that asks
 * for more, in whatever small steps, does not get it.
 */
import { fromMillis, type Micros, micros, partsPerMillion } from '../../proto/units.ts';
import { SLEW_PPM, STEP_MICROS } from './experiment-clock.ts';
import { DRIFT_PPM } from './peer-clock.ts';

/** What drift needs, twice over. */
export const FOLLOWED_PPM = 2 * DRIFT_PPM;

export class SlewBudget {
  /** What may still be corrected; a difference that was there from the start has to fit. Microseconds. */
  #left: number = STEP_MICROS;
  #at: number;
  /** The correction under way since then. */
  #under = 0;

  /** `now`: `Clock.now()`. */
  constructor(now: number) {
    this.#at = now;
  }

  /** How much of a correction may be made from now on; it replaces the one under way. */
  spend(wanted: number, now: number): Micros {
    const passed = fromMillis(now - this.#at);
    const done = Math.min(Math.abs(this.#under), partsPerMillion(passed, SLEW_PPM));
    this.#left = Math.min(STEP_MICROS, this.#left - done + partsPerMillion(passed, FOLLOWED_PPM));
    this.#at = now;
    const most = Math.max(0, this.#left);
    this.#under = Math.min(most, Math.max(-most, wanted));
    return micros(this.#under);
  }
}
