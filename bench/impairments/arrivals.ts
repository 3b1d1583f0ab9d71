/** What numbered packets that arrived say of the path: losses, bursts, copies, order, delays. Pure. */

export interface Arrivals {
  /** How many were sent, with the numbers from 0 on. */
  readonly sent: number;
  /** In the order of arrival. */
  readonly numbers: readonly number[];
  readonly delaysMs: readonly number[];
  /** When each arrived, in milliseconds since 1970. */
  readonly timesMs: readonly number[];
}

/** 1 for each lost packet, in the order in which they were sent. */
export function lostOf({ sent, numbers }: Arrivals): Uint8Array {
  const lost = new Uint8Array(sent).fill(1);
  for (const number of numbers) lost[number] = 0;
  return lost;
}

export const mean = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let at = 0; at < values.length; at++) sum += values[at]!;
  return sum / values.length;
};

/** Lengths of runs of lost packets. */
export function burstsOf(lost: Uint8Array): number[] {
  const lengths: number[] = [];
  let length = 0;
  for (const one of lost) {
    if (one === 1) length++;
    else if (length > 0) {
      lengths.push(length);
      length = 0;
    }
  }
  return lengths;
}

/** Of losses with those of the packet before. */
export function autocorrelation(lost: Uint8Array): number {
  const middle = mean(lost);
  let [covariance, variance] = [0, 0];
  for (let at = 0; at < lost.length; at++) {
    variance += (lost[at]! - middle) ** 2;
    if (at > 0) covariance += (lost[at]! - middle) * (lost[at - 1]! - middle);
  }
  return covariance / variance;
}

/** How many arrived more than once, as a part of those that were sent. */
export function copiesOf({ sent, numbers }: Arrivals): number {
  return (numbers.length - new Set(numbers).size) / sent;
}

/** Packets before this many positions are compared; none comes later than that here. */
const WINDOW = 5000;

/** Reordering extents (RFC 4737, 4.2.2) of the packets that arrived after a later one. */
export function extentsOf({ numbers }: Arrivals): number[] {
  const extents: number[] = [];
  let highest = -1;
  for (const [at, number] of numbers.entries()) {
    if (number > highest) {
      highest = number;
      continue;
    }
    let first = at;
    for (let before = at - 1; before >= Math.max(0, at - WINDOW); before--)
      if (numbers[before]! > number) first = before;
    extents.push(at - first);
  }
  return extents;
}

/** Greatest distance of the distribution of `values` from the one with these cumulative probabilities (Kolmogorov–Smirnov). */
export function distance(values: readonly number[], cumulative: (value: number) => number): number {
  const sorted = Float64Array.from(values).sort();
  let most = 0;
  for (const [at, value] of sorted.entries()) {
    const expected = cumulative(value);
    most = Math.max(
      most,
      Math.abs((at + 1) / sorted.length - expected),
      Math.abs(at / sorted.length - expected),
    );
  }
  return most;
}
