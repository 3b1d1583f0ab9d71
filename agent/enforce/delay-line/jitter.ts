/**
 * Jitter as a function of time: normal with mean 0 and the given deviation at every instant, and continuous, because
 * real jitter comes from queues that fill and drain. Packets close together meet nearly the same delay and keep their
 * order, and the deviation does not depend on how often anyone measures. (netem draws anew for every packet: it either
 * reorders streams, or, kept in order, inflates their delay.)
 *
 * Independent normal values lie at fixed intervals; between two of them goes cos(a) x + sin(a) y with a from 0 to π/2,
 * which is normal with the same deviation everywhere.
 */
import type { Random } from './random.ts';

/**
 * Distance between independent values, in deviations. The delay then falls by more than 1 ms per ms, which would
 * reorder, at 3.8 deviations only (probability 10⁻⁴; such packets wait for their predecessor). Longer is slower noise.
 */
export const INTERVAL_DEVIATIONS = 6;

export class Jitter {
  readonly deviationMs: number;
  readonly #random: Random;
  readonly #intervalMs: number;
  #start = Number.NEGATIVE_INFINITY;
  #left = 0;
  #right = 0;

  constructor(deviationMs: number, random: Random) {
    this.deviationMs = deviationMs;
    this.#random = random;
    this.#intervalMs = INTERVAL_DEVIATIONS * deviationMs;
  }

  /** The jitter at `nowMs`, in milliseconds; `nowMs` never goes back. */
  at(nowMs: number): number {
    const elapsed = nowMs - this.#start;
    if (elapsed >= this.#intervalMs) this.#advance(nowMs, elapsed);
    const angle = (Math.PI / 2) * ((nowMs - this.#start) / this.#intervalMs);
    return Math.cos(angle) * this.#left + Math.sin(angle) * this.#right;
  }

  #advance(nowMs: number, elapsed: number): void {
    const isNext = elapsed < 2 * this.#intervalMs;
    this.#left = isNext ? this.#right : this.#draw();
    this.#right = this.#draw();
    this.#start = isNext ? this.#start + this.#intervalMs : nowMs;
  }

  #draw(): number {
    return this.deviationMs * this.#random.normal();
  }
}
