/** Means of runs with their confidence intervals. Pure. */

export interface Summary {
  readonly runs: number;
  readonly mean: number;
  /** Of the mean; null: one run has none. */
  readonly low: number | null;
  readonly high: number | null;
  readonly least: number;
  readonly greatest: number;
  /** Of the sample; null: one run has none. */
  readonly deviation: number | null;
}

/** Student's t interval (1908) for the mean of independent runs; `undefined` without any. `confidence`: of 1. */
export function summarize(values: readonly number[], confidence = 0.95): Summary | undefined {
  const runs = values.length;
  if (runs === 0) return undefined;
  const mean = values.reduce((sum, value) => sum + value, 0) / runs;
  const extremes = { least: Math.min(...values), greatest: Math.max(...values) };
  if (runs === 1) return { runs, mean, low: null, high: null, ...extremes, deviation: null };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / (runs - 1));
  const half = (studentT(confidence, runs - 1) * deviation) / Math.sqrt(runs);
  return { runs, mean, low: mean - half, high: mean + half, ...extremes, deviation };
}

/** The t that a variable with so many degrees of freedom stays within, on both sides, with probability `confidence`. */
export function studentT(confidence: number, freedom: number): number {
  let [low, high] = [0, 1];
  while (within(high, freedom) < confidence) [low, high] = [high, 2 * high];
  // Halved until no double lies between.
  for (let middle = (low + high) / 2; middle > low && middle < high; middle = (low + high) / 2)
    if (within(middle, freedom) < confidence) low = middle;
    else high = middle;
  return high;
}

/**
 * P(|T| ≤ t), by the finite sums of Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.7.3 and 26.7.4: one for
 * odd, one for even degrees of freedom.
 */
function within(t: number, freedom: number): number {
  const angle = Math.atan(t / Math.sqrt(freedom));
  const [sine, square] = [Math.sin(angle), Math.cos(angle) ** 2];
  const isOdd = freedom % 2 === 1;
  let term = isOdd ? Math.cos(angle) : 1;
  let sum = freedom === 1 ? 0 : term;
  for (let step = isOdd ? 2 : 1; step <= freedom - 3; step += 2) {
    term *= (square * step) / (step + 1);
    sum += term;
  }
  return isOdd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
}
