/** When the last ticks ended: how long windows of several of them are, ticks being early and late. Pure. */
import { millisToSeconds } from '../../proto/units.ts';

export class TickTimes {
  /** How many ticks have begun. */
  count = 0;
  readonly #times: Float64Array;
  readonly #shortTicks: number;
  readonly #longTicks: number;

  /** Spans of up to `longTicks` are known; the mean length of a tick is taken over `shortTicks`. */
  constructor(shortTicks: number, longTicks: number) {
    this.#shortTicks = shortTicks;
    this.#longTicks = longTicks;
    this.#times = new Float64Array(longTicks + 1);
  }

  begin(nowMs: number): void {
    this.count++;
    this.#times[this.count % this.#times.length] = nowMs;
  }

  /** Milliseconds, of the present tick. */
  get now(): number {
    return this.#times[this.count % this.#times.length]!;
  }

  /** Mean of the last ones; a single tick may be late. */
  get tickSeconds(): number {
    return this.span(this.#shortTicks) / Math.min(this.#shortTicks, Math.max(1, this.count - 1));
  }

  /** Seconds of a full long window; what it holds from before the first tick is silence. */
  get fullSpan(): number {
    const known = Math.min(this.#longTicks, Math.max(1, this.count - 1));
    return (this.span(this.#longTicks) * this.#longTicks) / known;
  }

  /** Seconds that the last `ticks` ticks took. */
  span(ticks: number): number {
    const known = Math.min(ticks, this.count - 1);
    if (known < 1) return 0.05;
    const begin = this.#times[(this.count - known) % this.#times.length]!;
    return Math.max(1e-3, millisToSeconds(this.now - begin));
  }
}
