/** A clock and timers that only `advance` moves. */
import type { Clock, Timers } from '../../agent/clock/clock.ts';
import { type Timer, TimerQueue } from './timer-queue.ts';

export class ManualClock implements Clock, Timers {
  #now = 0;
  #wallOffset: number;
  #order = 0;
  readonly #timers = new TimerQueue();
  readonly #grainMs: number;

  /**
   * `grainMs`: timers are due at multiples of it, and promises settle only after all timers of one time have run.
   * With thousands of timers in a second, settling is most of the work. 0: timers are due at any time, and promises
   * settle after each.
   */
  constructor(wallNow = 1_700_000_000_000, grainMs = 0) {
    this.#wallOffset = wallNow;
    this.#grainMs = grainMs;
  }

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return this.#wallOffset + this.#now;
  }

  /** Sets the machine's date forward or back. */
  stepWall(ms: number): void {
    this.#wallOffset += ms;
  }

  /** `period` 0 would never let time pass, so it is at least 1 ms. */
  every(ms: number, run: () => void): () => void {
    return this.#set(Math.max(1, ms), Math.max(1, ms), run);
  }

  after(ms: number, run: () => void): () => void {
    return this.#set(Math.max(0, ms), undefined, run);
  }

  sharply(ms: number, run: () => void): () => void {
    return this.after(ms, run);
  }

  turn(): Promise<void> {
    return settle();
  }

  get pendingTimers(): number {
    return this.#timers.pending;
  }

  /**
   * Lets `ms` pass, and runs the due timers in order. Promises settle before the next timer, or before the next time.
   */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (let isSettled = false; ; ) {
      const timer = this.#timers.first;
      const isNow = this.#grainMs > 0 && timer !== undefined && timer.due <= this.#now;
      if (!isSettled && !isNow) {
        // A timer may set another that is due earlier.
        await settle();
        isSettled = true;
        continue;
      }
      if (!timer || timer.due > end) break;
      this.#timers.pop();
      if (timer.cancelled) continue;
      this.#now = Math.max(this.#now, timer.due);
      isSettled = false;
      if (timer.period !== undefined) this.#push(timer, timer.due + timer.period);
      timer.run();
    }
    this.#now = end;
  }

  #set(ms: number, period: number | undefined, run: () => void): () => void {
    const timer: Timer = { due: 0, order: 0, period, run, cancelled: false };
    this.#push(timer, this.#now + ms);
    return () => {
      timer.cancelled = true;
    };
  }

  #push(timer: Timer, due: number): void {
    timer.due = this.#grainMs > 0 ? Math.ceil(due / this.#grainMs) * this.#grainMs : due;
    timer.order = this.#order++;
    this.#timers.push(timer);
  }
}

/** Afterwards, every promise that could settle without a timer has settled. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
