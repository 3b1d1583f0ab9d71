import { describe, expect, it } from 'vitest';
import {
  deviation,
  interval99,
  lossUncertainty,
  median,
  packetsFor,
  quantile,
  range,
} from '../../../bench/measure/statistics.ts';

describe('quantiles', () => {
  it('are of the values, not of their order or their text', () => {
    expect(median([100, 9, 20])).toBe(20);
    expect(median([1, 10, 2, 4])).toBe(3);
  });
  it('lie between the nearest ranks', () => {
    expect(quantile([0, 10, 20, 30, 40], 0.1)).toBeCloseTo(4);
    expect(quantile([7], 0.9)).toBe(7);
  });
  it('are NaN of nothing', () => {
    expect(median([])).toBeNaN();
  });
  it('leave one in two hundred on each side of the 99 % interval', () => {
    const values = Array.from({ length: 201 }, (_, i) => i);
    expect(interval99(values)).toEqual({ low: 1, high: 199 });
    expect(range(values)).toEqual({ low: 0, high: 200 });
  });
});

it('gives the deviation of a sample', () => {
  expect(deviation([2, 4, 4, 4, 5, 5, 7, 9])).toBeCloseTo(Math.sqrt(32 / 7));
});

describe('losses', () => {
  it('need more packets the rarer they are', () => {
    expect(packetsFor(0.025, 0.02)).toBeGreaterThan(640_000);
    expect(packetsFor(0.025, 0.02)).toBeLessThan(650_000);
    expect(packetsFor(0.008, 0.02)).toBeGreaterThan(2_000_000);
  });
  it('are then as uncertain as was asked for', () => {
    expect(lossUncertainty(0.12, packetsFor(0.12, 0.016))).toBeCloseTo(0.016, 5);
    expect(lossUncertainty(0.12, packetsFor(0.12, 0.016) / 4)).toBeCloseTo(0.032, 5);
  });
});
