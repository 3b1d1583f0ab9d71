/**
 * Whether to go to another processor, because on this one sleeps end late again and again: there the kernel does something
 * long for somebody else. Where it can't be interrupted in that (PREEMPT_NONE), it gives way once in half a
 * millisecond to a millisecond, for a fifth of a second or so, and the scheduler doesn't move a real-time thread away. Pure.
 */

/** An idle virtual processor takes up to 0.3 ms to come back; that is no reason. */
const LATE_MS = 0.4;
/** So many sleeps in a row. */
const LATE_SLEEPS = 2;
/** Going costs some tens of microseconds. Where it doesn't help the thread stays twice as long each time, up to the most. */
const STAY_MS = 20;
const LONGEST_STAY_MS = 1280;

export class CrowdedProcessor {
  #lateSleeps = 0;
  #stayMs = STAY_MS;
  #leftMs = Number.NEGATIVE_INFINITY;

  /** A sleep ended so much late. */
  shallLeave(lateMs: number, nowMs: number): boolean {
    this.#lateSleeps = lateMs > LATE_MS ? this.#lateSleeps + 1 : 0;
    const stayed = nowMs - this.#leftMs;
    if (this.#lateSleeps < LATE_SLEEPS || stayed < this.#stayMs) return false;
    const hasHelped = stayed > 2 * this.#stayMs;
    this.#stayMs = hasHelped ? STAY_MS : Math.min(2 * this.#stayMs, LONGEST_STAY_MS);
    this.#lateSleeps = 0;
    this.#leftMs = nowMs;
    return true;
  }
}
