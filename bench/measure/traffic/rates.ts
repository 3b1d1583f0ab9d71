/** Counters of bytes → rates over windows. Pure; times in milliseconds. */
import { bitsPerSecond } from '../../../proto/units.ts';

/** A reading of one counter; in order of time. */
export interface Count {
  readonly atMs: number;
  readonly bytes: number;
}

export interface Rate {
  /** The window's end. */
  readonly atMs: number;
  readonly bps: number;
}

/** The rate over the last `windowMs`, for each count that has another count at least that much older. */
export function slidingRates(counts: readonly Count[], windowMs: number): Rate[] {
  const rates: Rate[] = [];
  let first = 0;
  for (const { atMs, bytes } of counts) {
    while (atMs - (counts[first + 1]?.atMs ?? atMs) >= windowMs) first++;
    const { atMs: fromMs, bytes: before } = counts[first]!;
    if (atMs - fromMs >= windowMs) rates.push({ atMs, bps: bitsPerSecond(bytes - before, atMs - fromMs) });
  }
  return rates;
}

/** Mean over the counts within a time; NaN if there are fewer than two. */
export function meanRate(counts: readonly Count[], fromMs: number, untilMs: number): number {
  const within = counts.filter(({ atMs }) => atMs >= fromMs && atMs <= untilMs);
  const [first, last] = [within[0], within.at(-1)];
  if (!first || !last || last === first) return Number.NaN;
  return bitsPerSecond(last.bytes - first.bytes, last.atMs - first.atMs);
}

/** The last count before `bytes` more than at `fromMs` had passed; NaN if they never did. */
export function passedSince(counts: readonly Count[], fromMs: number, bytes: number): number {
  const begin = counts.findLast(({ atMs }) => atMs <= fromMs);
  if (!begin) return Number.NaN;
  let before = begin.atMs;
  for (const count of counts) {
    if (count.atMs <= fromMs) continue;
    if (count.bytes - begin.bytes >= bytes) return before;
    before = count.atMs;
  }
  return Number.NaN;
}
