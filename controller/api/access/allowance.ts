/** How many requests each address may send: a bucket of tokens for each. Pure, in bounded memory. */
import { amountIn, fromMillis } from '../../../proto/units.ts';

/** A dashboard and some scripts need a few a second; a loop that forgot to wait is slowed down. */
export const REQUESTS = { perSecond: 200, atOnce: 1000 } as const;
/** Addresses that are remembered; the one that was silent for longest is forgotten, and starts with a full bucket. */
const MOST_ADDRESSES = 1024;

interface Bucket {
  left: number;
  atMs: number;
}

export class Allowance {
  readonly #buckets = new Map<string, Bucket>();
  readonly #now: () => number;
  readonly #limits: { readonly perSecond: number; readonly atOnce: number };

  /** `now`: milliseconds. */
  constructor(now: () => number, limits: { readonly perSecond: number; readonly atOnce: number } = REQUESTS) {
    this.#now = now;
    this.#limits = limits;
  }

  /** Whether one more request is allowed, which counts it. */
  take(address: string): boolean {
    const { perSecond, atOnce } = this.#limits;
    const now = this.#now();
    const known = this.#buckets.get(address) ?? { left: atOnce, atMs: now };
    const left = Math.min(atOnce, known.left + amountIn(fromMillis(now - known.atMs), perSecond));
    this.#buckets.delete(address);
    this.#buckets.set(address, { left: left < 1 ? left : left - 1, atMs: now });
    if (this.#buckets.size > MOST_ADDRESSES) this.#buckets.delete(this.#buckets.keys().next().value!);
    return left >= 1;
  }
}
