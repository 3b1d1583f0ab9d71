/** What may be used at a rate, with a stock for bursts. */
import { ratePerMilli } from '../../../proto/units.ts';

export class TokenBucket {
  #perMs: number;
  #burst: number;
  #tokens: number;
  #at: number;

  /** Full. `now`: `Clock.now()`. */
  constructor(perSecond: number, burst: number, now: number) {
    this.#perMs = ratePerMilli(perSecond);
    this.#burst = burst;
    this.#tokens = burst;
    this.#at = now;
  }

  /** Another rate from now on. A larger stock is not filled at once. */
  change(perSecond: number, burst: number, now: number): void {
    this.left(now);
    this.#perMs = ratePerMilli(perSecond);
    this.#burst = burst;
  }

  /** What is left; below 0 if more was spent. */
  left(now: number): number {
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perMs);
    this.#at = now;
    return this.#tokens;
  }

  isFull(now: number): boolean {
    return this.left(now) >= this.#burst;
  }

  spend(amount: number): void {
    this.#tokens -= amount;
  }
}
