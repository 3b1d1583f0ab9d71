/** A clock and timers that move only when a test says so. */
import type { Clock, Timers } from '../../agent/clock.ts';

interface Timer {
  due: number;
  order: number;
  readonly period: number | undefined;
  readonly run: () => void;
  cancelled: boolean;
}

export class ManualClock implements Clock, Timers {
  #now = 0;
  #wallOffset: number;
  #order = 0;
  /** Sorted by when they are due, the next one last. */
  readonly #timers: Timer[] = [];

  constructor(wallNow = 1_700_000_000_000) {
    this.#wallOffset = wallNow;
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
    return this.#add({
      due: this.#now + Math.max(1, ms),
      order: 0,
      period: Math.max(1, ms),
      run,
      cancelled: false,
    });
  }

  after(ms: number, run: () => void): () => void {
    return this.#add({
      due: this.#now + Math.max(0, ms),
      order: 0,
      period: undefined,
      run,
      cancelled: false,
    });
  }

  sharply(ms: number, run: () => void): () => void {
    return this.after(ms, run);
  }

  get pendingTimers(): number {
    return this.#timers.filter(({ cancelled }) => !cancelled).length;
  }

  /** Lets `ms` pass, running what is due in order; promises settle before the next timer runs. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (
      let timer = this.#timers.at(-1);
      timer !== undefined && timer.due <= end;
      timer = this.#timers.at(-1)
    ) {
      this.#timers.pop();
      if (timer.cancelled) continue;
      this.#now = timer.due;
      if (timer.period !== undefined) {
        timer.due += timer.period;
        this.#add(timer);
      }
      timer.run();
      await settle();
    }
    this.#now = end;
  }

  #add(timer: Timer): () => void {
    timer.order = this.#order++;
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#timers[middle]!;
      if (other.due > timer.due) low = middle + 1;
      else high = middle;
    }
    this.#timers.splice(low, 0, timer);
    return () => {
      timer.cancelled = true;
    };
  }
}

/** The clock of another machine: it started at another time, is fast or slow, and has a date of its own. */
export class DriftingClock implements Clock {
  readonly #base: Clock;
  readonly #aheadMs: number;
  readonly #ppm: number;
  #wallMs: number;

  /** `ppm`: microseconds that it gains in a second. `wallMs`: how far its date is ahead. */
  constructor(base: Clock, options: { aheadMs: number; ppm: number; wallMs?: number }) {
    this.#base = base;
    this.#aheadMs = options.aheadMs;
    this.#ppm = options.ppm;
    this.#wallMs = options.wallMs ?? 0;
  }

  now(): number {
    return this.#aheadMs + this.#base.now() * (1 + this.#ppm / 1e6);
  }

  wallNow(): number {
    return this.#base.wallNow() + this.#wallMs;
  }

  stepWall(ms: number): void {
    this.#wallMs += ms;
  }
}

/** The timers of a process that can be stopped: what falls due meanwhile runs, once, when it goes on. */
export class PausableTimers implements Timers {
  readonly #timers: Timers;
  readonly #missed = new Set<() => void>();
  #paused = false;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  every(ms: number, run: () => void): () => void {
    return this.#guard((guarded) => this.#timers.every(ms, guarded), run);
  }

  after(ms: number, run: () => void): () => void {
    return this.#guard((guarded) => this.#timers.after(ms, guarded), run);
  }

  sharply(ms: number, run: () => void): () => void {
    return this.#guard((guarded) => this.#timers.sharply(ms, guarded), run);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    const missed = [...this.#missed];
    this.#missed.clear();
    for (const run of missed) run();
  }

  #guard(set: (run: () => void) => () => void, run: () => void): () => void {
    const cancel = set(() => {
      if (this.#paused) this.#missed.add(run);
      else run();
    });
    return () => {
      cancel();
      this.#missed.delete(run);
    };
  }
}

/** After this, every promise that could settle without a timer has. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
