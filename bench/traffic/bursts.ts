/** Bursts and pauses in what was sent, and how far they are from their distribution. Pure. */
import { millisToSeconds } from '../../proto/units.ts';
import type { Sent } from './capture.ts';
import { INTERVAL_MS, MEAN_SECONDS, SHAPE } from './labs.ts';

/** In seconds. */
export interface Bursts {
  readonly on: readonly number[];
  readonly off: readonly number[];
}

/** Times of one source's datagrams since 1970, in milliseconds. A gap of more than one and a half intervals is a pause. */
export function burstsOf(times: readonly number[]): Bursts {
  const [on, off]: [number[], number[]] = [[], []];
  let begin = times[0]!;
  for (let at = 1; at < times.length; at++) {
    const gap = times[at]! - times[at - 1]!;
    if (gap <= 1.5 * INTERVAL_MS) continue;
    on.push(millisToSeconds(times[at - 1]! + INTERVAL_MS - begin));
    off.push(millisToSeconds(gap - INTERVAL_MS));
    begin = times[at]!;
  }
  return { on, off };
}

/** By source. */
export function timesOf(sent: readonly Sent[]): Map<number, number[]> {
  const found = new Map<number, number[]>();
  for (const { source, atMs } of sent) {
    const known = found.get(source);
    if (known) known.push(atMs);
    else found.set(source, [atMs]);
  }
  return found;
}

const LEAST = (MEAN_SECONDS * (SHAPE - 1)) / SHAPE;

export const DISTRIBUTIONS = {
  exponential: (x: number): number => 1 - Math.exp(-x / MEAN_SECONDS),
  pareto: (x: number): number => (x < LEAST ? 0 : 1 - (LEAST / x) ** SHAPE),
} as const;

/** The greatest distance of the sample from a distribution function (Kolmogorov 1933). */
export function distance(sample: readonly number[], distribution: (x: number) => number): number {
  const sorted = Float64Array.from(sample).sort();
  return sorted.reduce((most, x, at) => {
    const value = distribution(x);
    return Math.max(most, value - at / sorted.length, (at + 1) / sorted.length - value);
  }, 0);
}

/** How far apart the times of the same datagrams are in two runs, in milliseconds since the start of each. */
export function apart(
  first: ReadonlyMap<number, readonly number[]>,
  second: ReadonlyMap<number, readonly number[]>,
): { readonly distances: readonly number[]; readonly others: number } {
  const distances: number[] = [];
  let others = 0;
  for (const source of new Set([...first.keys(), ...second.keys()])) {
    const [one = [], two = []] = [first.get(source), second.get(source)];
    others += Math.abs(one.length - two.length);
    for (let at = 0; at < Math.min(one.length, two.length); at++)
      distances.push(Math.abs(one[at]! - two[at]!));
  }
  return { distances, others };
}
