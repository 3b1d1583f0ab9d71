/** Statistics of a row. Pure. */

/** Two-sided 99 % of a normal distribution. */
export const Z99 = 2.576;

export function median(values: ArrayLike<number>): number {
  return quantile(values, 0.5);
}

/** Linear between the two nearest ranks (Hyndman and Fan's type 7); NaN of nothing. */
export function quantile(values: ArrayLike<number>, probability: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = Float64Array.from(values).sort();
  const rank = probability * (sorted.length - 1);
  const below = sorted[Math.floor(rank)]!;
  return below + (sorted[Math.ceil(rank)]! - below) * (rank - Math.floor(rank));
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

/** Of a sample: squares over n − 1. */
export function deviation(values: readonly number[]): number {
  const centre = mean(values);
  return Math.sqrt(sum(values.map((value) => (value - centre) ** 2)) / (values.length - 1));
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** The middle 99 %. */
export function interval99(values: readonly number[]): Interval {
  return { low: quantile(values, 0.005), high: quantile(values, 0.995) };
}

export function range(values: readonly number[]): Interval {
  return { low: Math.min(...values), high: Math.max(...values) };
}

/** Half of the 99 % interval of a measured loss of `packets`, relative to the loss: the count is binomial. */
export function lossUncertainty(loss: number, packets: number): number {
  return Z99 * Math.sqrt((1 - loss) / (loss * packets));
}

/** How many packets make `lossUncertainty` as small as `relative`. */
export function packetsFor(loss: number, relative: number): number {
  return Math.ceil(((Z99 / relative) ** 2 * (1 - loss)) / loss);
}
