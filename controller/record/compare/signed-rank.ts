/**
 * Whether paired differences are more than chance: the signed-rank test (Wilcoxon 1945), with all assignments of signs or many of them
 * tried instead of a table. It assumes nothing of their distribution but that, by chance alone, each could as well have had the other
 * sign; and by ranks, an interval in which something else happened counts no more than any other. Pure.
 */

/** With fewer pairs, no result is rarer than one in 32. */
export const LEAST_PAIRS = 6;
const FLIPS = 10_000;
/** So that the same records give the same answer. */
const SEED = 0x9e3779b9;

/**
 * The part of all assignments of signs whose sum of signed ranks is at least as far from 0 as the real one; two-sided. Of so many
 * pairs that not all can be tried, 10,000 random ones. NaN of fewer than `LEAST_PAIRS`.
 */
export function signedRankProbability(differences: readonly number[]): number {
  const { length } = differences;
  if (length < LEAST_PAIRS) return Number.NaN;
  const ranks = signedRanks(differences);
  const enough = Math.abs(sum(ranks));
  const isExact = 2 ** length <= FLIPS;
  const random = generator(SEED);
  let extreme = 0;
  const flips = isExact ? 2 ** length : FLIPS;
  for (let flip = 0; flip < flips; flip++) {
    let total = 0;
    let bits = 0;
    for (let at = 0; at < length; at++) {
      if (at % 16 === 0) bits = isExact ? flip : random() >>> 8;
      total += bits & (1 << (at % 16)) ? ranks[at]! : -ranks[at]!;
    }
    if (Math.abs(total) >= enough) extreme++;
  }
  if (isExact) return extreme / flips;
  // The real assignment is one of those that could have been. What none of the tried ones reaches may be much rarer still.
  const tried = (extreme + 1) / (flips + 1);
  return extreme > 0 ? tried : Math.min(tried, rarest(enough, ranks));
}

/** At most so probable is a sum of these that is at least as far from 0 (Hoeffding 1963, theorem 2, of signs by chance). */
const rarest = (real: number, ranks: readonly number[]): number =>
  2 * Math.exp(-(real ** 2) / (2 * sum(ranks.map((one) => one ** 2))));

/** Of each, its place among all by distance from 0, with its sign; equal ones share the mean of theirs. 0 has none. */
function signedRanks(differences: readonly number[]): number[] {
  const order = [...differences.keys()].sort((a, b) => sizeAt(a) - sizeAt(b));
  const ranks = differences.map(() => 0);
  for (let first = 0, end = 0; first < order.length; first = end) {
    while (end < order.length && sizeAt(order[end]!) === sizeAt(order[first]!)) end++;
    for (const at of order.slice(first, end))
      ranks[at] = Math.sign(differences[at]!) * ((first + 1 + end) / 2);
  }
  return ranks;

  function sizeAt(at: number): number {
    return Math.abs(differences[at]!);
  }
}

/**
 * So many pairs does each of `tests` tests need to be able to stay below `significance` after Holm's adjustment. At least
 * `LEAST_PAIRS`.
 */
export function leastPairs(tests: number, significance: number): number {
  const part = Math.max(1, tests) / significance;
  // No result of n pairs is rarer than 2 in 2^n, none that is tried rarer than one of the tries.
  const tried = Math.ceil(1 + Math.log2(part));
  const isTried = 2 ** tried <= FLIPS || part < FLIPS;
  return Math.max(LEAST_PAIRS, isTried ? tried : Math.ceil(2 * Math.log(2 * part)));
}

/**
 * Holm's adjustment (1979) of the probabilities of many tests: all that stay below a level are, together, wrong with that
 * probability at most. NaN stays NaN.
 */
export function adjusted(probabilities: readonly number[]): number[] {
  const order = probabilities
    .map((p, index) => ({ p, index }))
    .filter(({ p }) => !Number.isNaN(p))
    .sort((a, b) => a.p - b.p);
  const result = probabilities.map(() => Number.NaN);
  let least = 0;
  for (const [rank, { p, index }] of order.entries()) {
    least = Math.max(least, Math.min(1, p * (order.length - rank)));
    result[index] = least;
  }
  return result;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** mulberry32: 32 bits a call. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}
