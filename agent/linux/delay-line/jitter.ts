/**
 * Jitter as a function of time: with mean 0 and the given distribution and deviation at every instant, and continuous,
 * because real jitter comes from queues that fill and drain. Packets that follow closely have nearly the same delay and keep
 * their order, and the deviation does not depend on the rate of the packets. (netem draws a new value for every packet: it
 * either reorders packets or, kept in order, increases their delay.)
 *
 * Independent normal values x and y are at fixed distances in time. In between, the value is cos(a) x + sin(a) y with a from
 * 0 to π/2, which is normal with the same deviation everywhere. For another distribution, the normal value is mapped to the
 * value with the same cumulative probability.
 *
 * With a correlation ρ it is drawn for each packet instead: normal values x(n) = ρ x(n−1) + √(1−ρ²) y(n), which are as normal
 * as the independent y(n) and have the correlation ρ to their neighbours, mapped in the same way.
 */
import { type Shape, shaped } from '../../enforce/distributions.ts';
import type { Random } from './random.ts';

/**
 * Distance between independent values, in deviations. Packets would be reordered where the delay falls by more than 1 ms per
 * ms, which takes 3.8 deviations (probability 10⁻⁴; such packets wait for their predecessor). A longer distance makes slower
 * noise. Uniform jitter makes 0.1 % of the packets of a dense stream wait, Pareto 2 %, which changes mean and deviation by
 * at most 1 % of the deviation.
 */
export const INTERVAL_DEVIATIONS = 6;

export class Jitter {
  readonly deviationMs: number;
  readonly distribution: Shape;
  /** Absent: jitter is a function of time. */
  readonly correlation: number | undefined;
  readonly #random: Random;
  readonly #intervalMs: number;
  #start = Number.NEGATIVE_INFINITY;
  /** Standard normal. */
  #left = 0;
  #right = 0;

  constructor(deviationMs: number, distribution: Shape, random: Random, correlation?: number) {
    this.deviationMs = deviationMs;
    this.distribution = distribution;
    this.correlation = correlation;
    this.#random = random;
    this.#intervalMs = INTERVAL_DEVIATIONS * deviationMs;
    if (correlation !== undefined) this.#left = random.normal();
  }

  /** The jitter at `nowMs`, in milliseconds. `nowMs` must not decrease. */
  at(nowMs: number): number {
    if (this.correlation !== undefined) return this.#next(this.correlation);
    const elapsed = nowMs - this.#start;
    if (elapsed >= this.#intervalMs) this.#advance(nowMs, elapsed);
    const angle = (Math.PI / 2) * ((nowMs - this.#start) / this.#intervalMs);
    const normal = Math.cos(angle) * this.#left + Math.sin(angle) * this.#right;
    return this.deviationMs * shaped(this.distribution, normal);
  }

  /** Of the next packet. */
  #next(correlation: number): number {
    const own = Math.sqrt(1 - correlation * correlation);
    this.#left = correlation * this.#left + own * this.#random.normal();
    return this.deviationMs * shaped(this.distribution, this.#left);
  }

  #advance(nowMs: number, elapsed: number): void {
    const isNext = elapsed < 2 * this.#intervalMs;
    this.#left = isNext ? this.#right : this.#random.normal();
    this.#right = this.#random.normal();
    this.#start = isNext ? this.#start + this.#intervalMs : nowMs;
  }
}
