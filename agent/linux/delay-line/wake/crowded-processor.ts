/**
 * Decides when the thread should move to another processor, because its sleeps end late repeatedly: the kernel does long
 * work for another process there. A kernel that can't be preempted (PREEMPT_NONE) yields only every 0.5 to 1 ms during such
 * work, for about 0.2 s, and the scheduler does not migrate a real-time thread. Pure.
 */

/** An idle virtual processor takes up to 0.3 ms to wake up, so that much is normal. */
const LATE_MS = 0.4;
/** This number of late sleeps in a row is a reason to move. */
const LATE_SLEEPS = 2;
/**
 * A move costs some tens of microseconds. After a move that did not help, the thread stays twice as long before the next
 * one, up to the maximum.
 */
const STAY_MS = 20;
const LONGEST_STAY_MS = 1280;

export class CrowdedProcessor {
  #lateSleeps = 0;
  #stayMs = STAY_MS;
  #leftMs = Number.NEGATIVE_INFINITY;

  /** To be called after each sleep, which ended `lateMs` too late. True: move now. */
  shouldMove(lateMs: number, nowMs: number): boolean {
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
