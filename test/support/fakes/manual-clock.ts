/** Clocks and timers of faulty machines and processes. */
import type { Clock, Timers } from '../../../agent/clock/clock.ts';

export { ManualClock } from '../../../bench/simulation/manual-clock.ts';

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

/** The timers of a process that can be stopped: those that become due meanwhile run once, when it continues. */
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

  turn(): Promise<void> {
    return this.#timers.turn();
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
