/**
 * How much earlier than needed the thread has itself woken: as much as it has lately been woken late. An idle virtual
 * processor takes 100 to 300 µs to come back, a busy one 15. Pure.
 */

/** Weight of one observation: the lead follows within some tens of them, and one late wake-up moves it by little. */
const WEIGHT = 1 / 16;
/** A pause of the whole machine is no reason to be early for long; being early is spent spinning. */
const MAX_MS = 0.4;
const START_MS = 0.05;

export class WakeLead {
  #ms = START_MS;

  get ms(): number {
    return this.#ms;
  }

  /** `lateMs`: how long after the time asked for the thread ran. */
  observe(lateMs: number): void {
    this.#ms += WEIGHT * (Math.min(Math.max(lateMs, 0), MAX_MS) - this.#ms);
  }
}
