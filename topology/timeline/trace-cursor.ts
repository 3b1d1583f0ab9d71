/** A trace at any time: the mean rate of a while, latency and loss of an instant. Pure, without allocation after it was made. */
import type { Trace } from '../../proto/trace.ts';

export class TraceCursor {
  readonly #trace: Trace;
  /** How many bits have passed at the start of each step, in 1/1000, and at the end. */
  readonly #passed: Float64Array;
  /** The step of the last question: the next one is seldom far. */
  #at = 0;

  constructor(trace: Trace) {
    const { startMs, rateBps, periodMs } = trace;
    this.#trace = trace;
    this.#passed = new Float64Array(startMs.length + 1);
    for (let at = 0; at < startMs.length; at++)
      this.#passed[at + 1] =
        this.#passed[at]! + rateBps[at]! * ((startMs[at + 1] ?? periodMs) - startMs[at]!);
  }

  /** From `fromMs` to `toMs`, which is later, since the start of the experiment; NaN if the trace says nothing of rates. */
  meanRateBps(fromMs: number, toMs: number): number {
    return (this.#bitsUntil(toMs) - this.#bitsUntil(fromMs)) / (toMs - fromMs);
  }

  latencyMicros(atMs: number): number {
    return this.#trace.latencyMicros[this.#stepAt(atMs)]!;
  }

  loss(atMs: number): number {
    return this.#trace.loss[this.#stepAt(atMs)]!;
  }

  /** When the step began that is in force at `atMs`, since the start of the experiment. */
  stepStartMs(atMs: number): number {
    const { periodMs, phaseMs, startMs } = this.#trace;
    return this.#roundsUntil(atMs) * periodMs + startMs[this.#stepAt(atMs)]! - phaseMs;
  }

  /** When the next one begins; infinite after the last one of a trace that does not loop. */
  nextStepMs(atMs: number): number {
    const { periodMs, phaseMs, loops, startMs } = this.#trace;
    const next = startMs[this.#stepAt(atMs) + 1] ?? (loops ? periodMs : Number.POSITIVE_INFINITY);
    return this.#roundsUntil(atMs) * periodMs + next - phaseMs;
  }

  #roundsUntil(atMs: number): number {
    const { periodMs, phaseMs, loops } = this.#trace;
    return loops ? Math.floor((atMs + phaseMs) / periodMs) : 0;
  }

  #bitsUntil(atMs: number): number {
    const { periodMs, phaseMs, startMs, rateBps } = this.#trace;
    const inTrace = atMs + phaseMs;
    const rounds = this.#roundsUntil(atMs);
    const step = this.#stepAt(atMs);
    const bits = this.#passed[step]! + rateBps[step]! * (inTrace - rounds * periodMs - startMs[step]!);
    return rounds * this.#passed.at(-1)! + bits;
  }

  /** After the end of one that does not loop, the last step goes on. */
  #stepAt(atMs: number): number {
    const { periodMs, phaseMs, loops, startMs } = this.#trace;
    const inTrace = atMs + phaseMs;
    const time = loops ? inTrace - Math.floor(inTrace / periodMs) * periodMs : inTrace;
    let at = this.#at;
    if (time < startMs[at]! || time >= (startMs[at + 8] ?? Number.POSITIVE_INFINITY)) at = this.#search(time);
    while (at + 1 < startMs.length && startMs[at + 1]! <= time) at++;
    this.#at = at;
    return at;
  }

  #search(time: number): number {
    const { startMs } = this.#trace;
    let [low, high] = [0, startMs.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (startMs[middle]! <= time) low = middle;
      else high = middle;
    }
    return low;
  }
}
