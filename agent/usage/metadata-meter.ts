/** Measures what an agent sends, and decides how coarse its announcements are. */
import type { MetadataStatus } from '../../proto/status.ts';
import { bps, ratePerSecond, toBytesPerSecond } from '../../proto/units.ts';
import type { Coarseness } from './change-filter.ts';
import { CHANGE_THRESHOLD } from './change-filter.ts';
import { adapt, type BudgetState, coarseness, UNBOUNDED } from './metadata-budget.ts';

export interface MetadataOptions {
  /** bit/s; absent: no bound. */
  readonly budgetBps?: number | undefined;
  /** The threshold at level 0. */
  readonly threshold?: number | undefined;
}

/** Two heartbeats. A window of one second may contain none, and the next one two. */
const WINDOW_MS = 2000;

export class MetadataMeter {
  readonly #budget: number | undefined;
  readonly #threshold: number;
  #state: BudgetState = UNBOUNDED;
  /** How much had been sent, and when. The oldest sample is one window old. */
  #samples: { readonly at: number; readonly bytes: number }[] = [];
  #rate = 0;
  #changedAt = Number.NEGATIVE_INFINITY;

  constructor({ budgetBps, threshold }: MetadataOptions = {}) {
    this.#budget = budgetBps === undefined ? undefined : toBytesPerSecond(bps(budgetBps));
    this.#threshold = threshold ?? CHANGE_THRESHOLD;
  }

  /** `sentBytes`: since the start. Call it about once a second. */
  note(sentBytes: number, now: number): void {
    this.#samples.push({ at: now, bytes: sentBytes });
    while (this.#samples.length > 2 && now - this.#samples[1]!.at >= WINDOW_MS) this.#samples.shift();
    const { at, bytes } = this.#samples[0]!;
    if (now === at) return;
    this.#rate = ratePerSecond(sentBytes - bytes, now - at);
    if (at < this.#changedAt) return;
    const { level } = this.#state;
    this.#state = adapt(this.#state, this.#rate, this.#budget, now);
    if (this.#state.level !== level) this.#changedAt = now;
  }

  get coarseness(): Coarseness {
    return coarseness(this.#state.level, this.#threshold);
  }

  status(): MetadataStatus {
    return {
      bytesPerSecond: this.#rate,
      budgetBytesPerSecond: this.#budget ?? null,
      ...this.coarseness,
      level: this.#state.level,
    };
  }
}
