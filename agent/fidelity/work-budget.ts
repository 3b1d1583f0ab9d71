/** Processor time that regular work may take: a part of one processor, saved up for a second at the most. Pure. */
import type { Ratio } from '../../proto/units.ts';

const SAVED_MS = 1000;

export class WorkBudget {
  readonly #part: Ratio;
  #leftMs: number;
  #at: number | undefined;
  #usedMs = 0;

  /** `part`: of one processor. */
  constructor(part: Ratio) {
    this.#part = part;
    this.#leftMs = part * SAVED_MS;
  }

  /** Of what can be saved, the part that is left at `now` (ms): 1 is all of it; below 0, later time is used up already. */
  left(now: number): number {
    const most = this.#part * SAVED_MS;
    const passed = now - (this.#at ?? now);
    this.#at = now;
    this.#leftMs = Math.min(most, this.#leftMs + passed * this.#part);
    return this.#leftMs / most;
  }

  /** Work has taken this time, ms. */
  spend(ms: number): void {
    this.#leftMs -= ms;
    this.#usedMs += ms;
  }

  /** All work since the start, ms. */
  get usedMs(): number {
    return this.#usedMs;
  }
}
