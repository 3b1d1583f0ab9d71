import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LagCount } from '../../../agent/runlog/lag.ts';

test('counts, and gives the latest, the mean and the most', () => {
  const lag = new LagCount();
  for (const ms of [2, 8, 5]) lag.add(ms);
  expect(lag.summary).toMatchObject({ count: 3, latestMs: 5, meanMs: 5, mostMs: 8 });
});

test('99 of 100 are not later, to 2 %, whatever they are', () => {
  const values = fc.array(fc.double({ min: 0, max: 1e5, noNaN: true }), { minLength: 1, maxLength: 500 });
  fc.assert(
    fc.property(values, (all) => {
      const lag = new LagCount();
      for (const ms of all) lag.add(ms);
      const exact = [...all].sort((a, b) => a - b)[Math.ceil(0.99 * all.length) - 1]!;
      const { p99Ms } = lag.summary;
      expect(p99Ms).toBeGreaterThanOrEqual(exact * (1 - 1e-9));
      expect(p99Ms).toBeLessThanOrEqual(Math.max(exact * 1.0201, 0.01));
    }),
    { seed: 4 },
  );
});

test('one in a hundred may be late', () => {
  const lag = new LagCount();
  for (let count = 0; count < 99; count++) lag.add(3);
  lag.add(500);
  expect(lag.summary.p99Ms).toBeCloseTo(3, 0);
  lag.add(500);
  expect(lag.summary.p99Ms).toBeCloseTo(500, -1);
});
