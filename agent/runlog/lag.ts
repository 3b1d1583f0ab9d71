/** How late changes came into force: every one is counted, in bounded memory. */
import { micros, toMillis } from '../../proto/units.ts';
import type { RunLog } from './run-log.ts';

/** From 10 µs on, each bucket is 2 % wider than the previous one: 1,024 buckets reach beyond an hour. */
const LEAST_MS = 0.01;
const GROWTH = Math.log(1.02);
const BUCKETS = 1024;

export interface Lag {
  readonly count: number;
  readonly latestMs: number;
  readonly meanMs: number;
  /** 99 of 100 were at most this late, to 2 %. */
  readonly p99Ms: number;
  readonly mostMs: number;
}

export class LagCount {
  readonly #buckets = new Uint32Array(BUCKETS);
  #count = 0;
  #latestMs = 0;
  #totalMs = 0;
  #mostMs = 0;

  add(ms: number): void {
    const bucket = Math.ceil(Math.log(Math.max(ms, LEAST_MS) / LEAST_MS) / GROWTH);
    this.#buckets[Math.min(bucket, BUCKETS - 1)]!++;
    this.#count++;
    this.#latestMs = ms;
    this.#totalMs += ms;
    this.#mostMs = Math.max(this.#mostMs, ms);
  }

  get summary(): Lag {
    return {
      count: this.#count,
      latestMs: this.#latestMs,
      meanMs: this.#count === 0 ? 0 : this.#totalMs / this.#count,
      p99Ms: this.#quantile(0.99),
      mostMs: this.#mostMs,
    };
  }

  /** The upper edge of the bucket with the rank; at most the latest of all. */
  #quantile(probability: number): number {
    if (this.#count === 0) return 0;
    let left = Math.ceil(probability * this.#count);
    let bucket = 0;
    for (left -= this.#buckets[0]!; left > 0; left -= this.#buckets[bucket]!) bucket++;
    return Math.min(LEAST_MS * Math.exp(bucket * GROWTH), this.#mostMs);
  }
}

/** Counts the epochs of a run log from now on: the time from each one's instant until all of it was in force. */
export function followLag(log: RunLog): LagCount {
  const lag = new LagCount();
  log.follow((entry) => {
    if (entry.kind === 'epoch') lag.add(toMillis(micros(entry.settledMicros - entry.dueMicros)));
  });
  return lag;
}
