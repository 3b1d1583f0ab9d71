/**
 * How much earlier than needed the thread has itself woken: as much as it has lately been woken late. An idle virtual
 * processor takes 100 to 300 µs to come back, a busy one 15. Being early is spent spinning, so there is a bound to it: with many
 * releases a second the processor is awake anyway. Pure.
 */

/** Weight of one observation: the lead follows within some tens of them, and one late wake-up moves it by little. */
const WEIGHT = 1 / 16;
/** A pause of the whole machine is no reason to be early for long. */
const MAX_MS = 0.4;
const START_MS = 0.05;
/** This part of the time may be spent spinning … */
const SPINNING = 0.02;
/** … and what was not spent before, up to so much: 50 releases after a pause. */
const SAVED_MS = 20;

export class WakeLead {
  #ms = START_MS;
  #savedMs = SAVED_MS;
  #countedMs = Number.NaN;

  /** How much earlier to wake, at this time. */
  at(nowMs: number): number {
    const elapsed = nowMs - this.#countedMs;
    this.#countedMs = nowMs;
    if (elapsed > 0) this.#savedMs = Math.min(SAVED_MS, this.#savedMs + SPINNING * elapsed);
    return Math.max(0, Math.min(this.#ms, this.#savedMs));
  }

  /** The thread has spun for so long. */
  spend(spunMs: number): void {
    this.#savedMs -= spunMs;
  }

  /** `lateMs`: how long after the time asked for the thread ran. */
  observe(lateMs: number): void {
    this.#ms += WEIGHT * (Math.min(Math.max(lateMs, 0), MAX_MS) - this.#ms);
  }
}
