import { describe, expect, test } from 'vitest';
import {
  NETEM_SCALE,
  netemTable,
  normalCumulative,
  normalQuantile,
  quantiles,
  shaped,
} from '../../../agent/enforce/distributions.ts';
import { DISTRIBUTIONS } from '../../../proto/impairment.ts';

function moment(values: ArrayLike<number>, power: number): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! ** power;
  return sum / values.length;
}

describe('the normal distribution', () => {
  // Abramowitz and Stegun, Handbook of Mathematical Functions, table 26.1.
  test.each([
    [0, 0.5],
    [0.5, 0.69146_24612_74013],
    [1, 0.84134_47460_68543],
    [2, 0.97724_98680_51821],
    [-3, 0.00134_98980_3163],
    [5, 0.99999_97133_48428],
    [9, 1],
    [-9, 0],
    [Number.POSITIVE_INFINITY, 1],
  ])('below %f are %f of all values', (z, probability) => {
    expect(normalCumulative(z)).toBeCloseTo(probability, 14);
  });

  test('quantiles undo it', () => {
    for (const probability of [1e-6, 1e-4, 0.02275, 0.3, 0.5, 0.7, 0.975, 0.9999, 1 - 1e-6])
      expect(normalCumulative(normalQuantile(probability))).toBeCloseTo(probability, 13);
    expect(normalQuantile(0.975)).toBeCloseTo(1.9599639845400545, 10);
    expect(normalQuantile(0.025)).toBeCloseTo(-1.9599639845400545, 10);
  });
});

describe.each(DISTRIBUTIONS)('%s', (distribution) => {
  const values = quantiles(distribution);

  test('has mean 0 and deviation 1, within what netem can say', () => {
    expect(values.length).toBe(4096);
    expect(moment(values, 1)).toBeCloseTo(0, 12);
    expect(moment(values, 2)).toBeCloseTo(1, 12);
    expect(Math.max(-values[0]!, values[4095]!)).toBeLessThanOrEqual(32_767 / 8192);
  });

  test('ascends', () => {
    for (let i = 1; i < values.length; i++) expect(values[i]! >= values[i - 1]!).toBe(true);
  });

  test('gives netem a table with the same mean and deviation', () => {
    const table = netemTable(distribution);
    expect([table.length, table.BYTES_PER_ELEMENT]).toEqual([4096, 2]);
    expect(Math.abs(moment(table, 1) / NETEM_SCALE)).toBeLessThan(1e-5);
    expect(Math.abs(moment(table, 2) / NETEM_SCALE ** 2 - 1)).toBeLessThan(1e-4);
    for (const index of [0, 1, 2048, 4095])
      expect(table[index]! / NETEM_SCALE).toBeCloseTo(values[index]!, 3);
  });

  test('meets, for a normal value, the one of equal probability', () => {
    for (const index of [0, 5, 1000, 2047, 4000, 4095])
      expect(shaped(distribution, normalQuantile((index + 0.5) / 4096))).toBeCloseTo(values[index]!, 2);
    let before = Number.NEGATIVE_INFINITY;
    for (let z = -9; z <= 9; z += 0.01) {
      const value = shaped(distribution, z);
      expect(value).toBeGreaterThanOrEqual(before);
      before = value;
    }
  });
});

test('uniform reaches √3 deviations on both sides, evenly', () => {
  const values = quantiles('uniform');
  expect(values[0]).toBeCloseTo(-Math.sqrt(3), 2);
  expect(values[4095]).toBeCloseTo(Math.sqrt(3), 2);
  expect(values[3072]! - values[1024]!).toBeCloseTo(Math.sqrt(3), 2);
  expect(shaped('uniform', 1)).toBeCloseTo(Math.sqrt(3) * (2 * 0.8413447 - 1), 3);
});

test('normal has as much beyond one and two deviations as normal values have', () => {
  const beyond = (limit: number): number =>
    quantiles('normal').filter((value) => Math.abs(value) > limit).length;
  expect(beyond(1) / 4096).toBeCloseTo(0.3173, 2);
  expect(beyond(2) / 4096).toBeCloseTo(0.0455, 2);
  expect(shaped('normal', 5.5)).toBe(5.5);
});

test('pareto is mostly a little early and seldom very late, by the power of its shape', () => {
  const values = quantiles('pareto');
  expect(moment(values, 3)).toBeGreaterThan(2);
  expect(values[2048]!).toBeLessThan(-0.2);
  expect(values[4095]).toBe(32_767 / 8192);
  expect(values.filter((value) => value > 3.999).length / 4096).toBeLessThan(0.02);
  // x₁ − x₀ of quantiles u is as (1 − u)^(−1/3) whatever the shift and stretch.
  const ratio = (values[2048]! - values[0]!) / (values[3584]! - values[0]!);
  expect(ratio).toBeCloseTo((2 ** (1 / 3) - 1) / (8 ** (1 / 3) - 1), 3);
});
