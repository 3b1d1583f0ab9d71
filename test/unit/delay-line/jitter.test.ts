import { describe, expect, test } from 'vitest';
import { Jitter } from '../../../agent/linux/delay-line/jitter.ts';
import { Random } from '../../../agent/linux/delay-line/random.ts';
import { DISTRIBUTIONS, type Distribution } from '../../../proto/impairment.ts';

const SEED = 21;

/** The jitter at `count` times, `stepMs` apart. */
function sample(
  deviationMs: number,
  stepMs: number,
  count: number,
  seed = SEED,
  distribution: Distribution = 'normal',
): number[] {
  const jitter = new Jitter(deviationMs, distribution, new Random(seed));
  return Array.from({ length: count }, (_, index) => jitter.at(index * stepMs));
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
const deviation = (values: readonly number[]): number =>
  Math.sqrt(mean(values.map((value) => value ** 2)) - mean(values) ** 2);

describe.each([
  { what: 'many packets an interval', stepMs: 0.5, count: 400_000 },
  { what: 'a few', stepMs: 7.3, count: 100_000 },
  { what: 'one in a second, as ping sends', stepMs: 1000, count: 20_000 },
])('measured with $what', ({ stepMs, count }) => {
  const values = sample(3, stepMs, count);
  // Independent values are 18 ms apart at this deviation.
  const independent = Math.min(count, (count * stepMs) / 18);

  test('the mean is 0 and the deviation the one that was asked for', () => {
    expect(Math.abs(mean(values))).toBeLessThan((4 * 3) / Math.sqrt(independent));
    expect(Math.abs(deviation(values) / 3 - 1)).toBeLessThan(4 / Math.sqrt(2 * independent));
  });

  test('as often beyond one and two deviations as normal values are', () => {
    const beyond = (limit: number): number =>
      values.filter((value) => Math.abs(value) > limit * 3).length / count;
    expect(Math.abs(beyond(1) - 0.3173)).toBeLessThan(4 * Math.sqrt(0.3173 / independent));
    expect(Math.abs(beyond(2) - 0.0455)).toBeLessThan(4 * Math.sqrt(0.0455 / independent));
  });
});

test('the deviation is the same at every moment of an interval', () => {
  const sums = new Float64Array(9);
  const runs = 4000;
  for (let run = 0; run < runs; run++) {
    for (const [index, value] of sample(2, 12 / 4, sums.length, run).entries()) sums[index]! += value ** 2;
  }
  for (const sum of sums) expect(Math.abs(sum / runs / 4 - 1)).toBeLessThan(4 * Math.sqrt(2 / runs));
});

test('packets that follow each other closely keep their order', () => {
  const stepMs = 0.1;
  const values = sample(5, stepMs, 200_000);
  const overtaken = values.filter((value, index) => index > 0 && values[index - 1]! - value > stepMs).length;
  expect(overtaken / values.length).toBeLessThan(1e-3);
});

test('jitter changes gradually, also from one interval to the next', () => {
  const values = sample(5, 0.01, 100_000);
  const steepest = Math.max(
    ...values.map((value, index) => (index === 0 ? 0 : Math.abs(value - values[index - 1]!))),
  );
  // π/2 in 30 ms, times an amplitude that six deviations bound.
  expect(steepest).toBeLessThan(((Math.PI / 2) * 0.01 * 6 * 5) / 30);
});

test('it is reproducible, and scales with the deviation', () => {
  const values = sample(3, 1, 500);
  expect(sample(3, 1, 500)).toEqual(values);
  expect(sample(3, 1, 500, SEED + 1)).not.toEqual(values);
  for (const [index, value] of sample(6, 2, 500).entries()) expect(value).toBeCloseTo(2 * values[index]!, 9);
});

describe.each(DISTRIBUTIONS)('%s jitter', (distribution) => {
  // Every second interval of 18 ms: independent.
  const values = sample(3, 36, 40_000, SEED, distribution);

  test('has mean 0 and the deviation that was asked for', () => {
    expect(Math.abs(mean(values))).toBeLessThan((4 * 3) / Math.sqrt(values.length));
    // Pareto's fourth moment is 8.2, so that the deviation of so many is known to 0.7 %.
    expect(Math.abs(deviation(values) / 3 - 1)).toBeLessThan(4 * Math.sqrt(7.2 / 4 / values.length));
  });

  test('is early and late as often as its shape says', () => {
    const skew = mean(values.map((value) => (value / 3) ** 3));
    const [expected, tolerance] = distribution === 'pareto' ? [2.23, 0.35] : [0, 0.1];
    expect(Math.abs(skew - expected)).toBeLessThan(tolerance);
    const farthest = { normal: 3.67, uniform: Math.sqrt(3), pareto: 4 }[distribution];
    expect(Math.max(...values) / 3).toBeGreaterThan(0.95 * farthest);
    if (distribution !== 'normal') expect(Math.max(...values) / 3).toBeLessThan(farthest + 1e-3);
    expect(Math.min(...values) / 3).toBeGreaterThan(distribution === 'pareto' ? -0.83 : -farthest - 1.5);
  });

  test('changes gradually', () => {
    const steps = sample(3, 0.01, 100_000, SEED, distribution);
    const steepest = Math.max(
      ...steps.map((value, index) => (index === 0 ? 0 : Math.abs(value - steps[index - 1]!))),
    );
    expect(steepest).toBeLessThan(0.15);
  });

  test('keeps mean and deviation also of a dense stream, whose packets may have to wait for each other', () => {
    const stepMs = 0.1;
    const values = sample(3, stepMs, 1_000_000, SEED, distribution);
    let last = Number.NEGATIVE_INFINITY;
    const delays = values.map((value, index) => {
      last = Math.max(last, index * stepMs + value);
      return last - index * stepMs;
    });
    // Against what it would be without order: both have the same sampling error.
    expect(Math.abs(mean(delays) - mean(values)) / 3).toBeLessThan(0.02);
    expect(Math.abs(deviation(delays) / deviation(values) - 1)).toBeLessThan(0.02);
  });
});

test('after a pause it starts anew, without what was before', () => {
  const before: number[] = [];
  const after: number[] = [];
  for (let seed = 0; seed < 2000; seed++) {
    const jitter = new Jitter(1, 'normal', new Random(seed));
    before.push(jitter.at(0));
    after.push(jitter.at(10_000));
  }
  const correlation = mean(before.map((value, index) => value * after[index]!));
  expect(Math.abs(correlation)).toBeLessThan(4 / Math.sqrt(before.length));
  expect(Math.abs(deviation(after) - 1)).toBeLessThan(4 / Math.sqrt(2 * after.length));
});
