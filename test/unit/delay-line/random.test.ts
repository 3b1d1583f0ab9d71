import { describe, expect, test } from 'vitest';
import { Random } from '../../../agent/linux/delay-line/random.ts';

const COUNT = 100_000;
/** Seeds are fixed: a test that passes once passes always. */
const SEEDS = [0, 1, 42, 0x80000000, 0xffffffff];

function draw(seed: number, what: 'uniform' | 'normal', count = COUNT): number[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => random[what]());
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
const moment = (values: readonly number[], power: number): number =>
  mean(values.map((value) => value ** power));

describe.each(SEEDS)('seed %d', (seed) => {
  test('gives the same numbers every time', () => {
    expect(draw(seed, 'uniform', 100)).toEqual(draw(seed, 'uniform', 100));
    expect(draw(seed, 'normal', 100)).toEqual(draw(seed, 'normal', 100));
  });

  test('gives other numbers than its neighbour', () => {
    const near = draw(seed ^ 1, 'uniform', 100);
    expect(draw(seed, 'uniform', 100).filter((value) => near.includes(value))).toEqual([]);
  });

  test('uniform: from 0 up to, without, 1, everywhere as often', () => {
    const values = draw(seed, 'uniform');
    expect(Math.min(...values.slice(0, 50_000))).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values.slice(0, 50_000))).toBeLessThan(1);
    const buckets = new Array<number>(100).fill(0);
    for (const value of values) buckets[Math.floor(value * 100)]! += 1;
    const expected = COUNT / 100;
    const chiSquare = buckets.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 99 degrees of freedom: the 0.1 % and 99.9 % quantiles. Too even is as wrong as too uneven.
    expect(chiSquare).toBeGreaterThan(60.3);
    expect(chiSquare).toBeLessThan(149.4);
  });

  test('uniform: a number says nothing of the next', () => {
    const values = draw(seed, 'uniform').map((value) => value - 0.5);
    const correlation = mean(values.slice(1).map((value, index) => value * values[index]!)) * 12;
    expect(Math.abs(correlation)).toBeLessThan(4 / Math.sqrt(COUNT));
  });

  test('normal: mean 0, deviation 1, no skew, kurtosis 3', () => {
    const values = draw(seed, 'normal');
    // Four standard errors each.
    expect(Math.abs(mean(values))).toBeLessThan(4 / Math.sqrt(COUNT));
    expect(Math.abs(moment(values, 2) - 1)).toBeLessThan(4 * Math.sqrt(2 / COUNT));
    expect(Math.abs(moment(values, 3))).toBeLessThan(4 * Math.sqrt(15 / COUNT));
    expect(Math.abs(moment(values, 4) - 3)).toBeLessThan(4 * Math.sqrt(96 / COUNT));
  });

  test('normal: the second of a pair says nothing of the first', () => {
    const values = draw(seed, 'normal');
    const pairs = values
      .filter((_, index) => index % 2 === 1)
      .map((value, index) => value * values[2 * index]!);
    expect(Math.abs(mean(pairs))).toBeLessThan(4 / Math.sqrt(COUNT / 2));
  });

  test.each([0.001, 0.01, 0.1, 0.5])('loss %d is within the 99.9 %% binomial interval', (loss) => {
    const lost = draw(seed, 'uniform').filter((value) => value < loss).length;
    const deviation = Math.sqrt(COUNT * loss * (1 - loss));
    expect(Math.abs(lost - COUNT * loss)).toBeLessThan(3.29 * deviation);
  });
});

test('losses come in runs as independent ones do', () => {
  const lost = draw(7, 'uniform').map((value) => value < 0.1);
  const both = lost.filter((value, index) => value && lost[index + 1]).length;
  expect(Math.abs(both - COUNT * 0.01)).toBeLessThan(4 * Math.sqrt(COUNT * 0.01));
});
