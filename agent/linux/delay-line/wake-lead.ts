/**
 * How much too early the thread asks to be woken: by the lateness of recent wake-ups. An idle virtual processor takes 100 to
 * 300 µs to wake up, a busy one 15. The thread spins when it wakes too early, so the time for that is bounded; with many
 * releases a second the processor is awake anyway. Pure.
 */

/** Weight of one observation: the lead follows within some tens of them, and a single late wake-up changes it little. */
const WEIGHT = 1 / 16;
/** The maximum: a pause of the whole machine must not make the lead long. */
const MAX_MS = 0.4;
const START_MS = 0.05;
/** The part of the time that may be spent spinning … */
const SPINNING = 0.02;
/** … and the most that can be saved of it: enough for 50 releases after a pause. */
const SAVED_MS = 20;

export class WakeLead {
  #ms = START_MS;
  #savedMs = SAVED_MS;
  #countedMs = Number.NaN;

  /** The lead at this time. */
  at(nowMs: number): number {
    const elapsed = nowMs - this.#countedMs;
    this.#countedMs = nowMs;
    if (elapsed > 0) this.#savedMs = Math.min(SAVED_MS, this.#savedMs + SPINNING * elapsed);
    return Math.max(0, Math.min(this.#ms, this.#savedMs));
  }

  /** To be called with the time that the thread has spun. */
  spend(spunMs: number): void {
    this.#savedMs -= spunMs;
  }

  /** `lateMs`: how long after the time asked for the thread ran. */
  observe(lateMs: number): void {
    this.#ms += WEIGHT * (Math.min(Math.max(lateMs, 0), MAX_MS) - this.#ms);
  }
}
