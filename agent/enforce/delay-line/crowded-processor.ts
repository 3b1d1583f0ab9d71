/**
 * Whether to go to another processor, because on this one sleeps end late again and again: there the kernel does something
 * long for somebody else. Where it can't be interrupted in that (PREEMPT_NONE), it gives way once in half a
 * millisecond to a millisecond, for a fifth of a second or so, and the scheduler doesn't move a real-time thread away. Pure.
 */

/** An idle virtual processor takes up to 0.3 ms to come back; that is no reason. */
const LATE_MS = 0.4;
/** So many sleeps in a row. */
const LATE_SLEEPS = 2;
/** Going costs some tens of microseconds; where all processors are like that it shall not go round and round. */
const STAY_MS = 20;

export class CrowdedProcessor {
  #lateSleeps = 0;
  #stayUntilMs = 0;

  /** A sleep ended so much late. */
  shallLeave(lateMs: number, nowMs: number): boolean {
    this.#lateSleeps = lateMs > LATE_MS ? this.#lateSleeps + 1 : 0;
    if (this.#lateSleeps < LATE_SLEEPS || nowMs < this.#stayUntilMs) return false;
    this.#lateSleeps = 0;
    this.#stayUntilMs = nowMs + STAY_MS;
    return true;
  }
}
