import { expect, test } from 'vitest';
import { Corrections } from '../../../agent/enforce/corrections.ts';

test('an endpoint that is corrected three times a minute is named, with how often, until nobody does it any more', () => {
  const corrections = new Corrections();
  corrections.note('a.0', 0);
  corrections.note('a.0', 30_000);
  corrections.note('b.0', 30_000);
  expect(corrections.problems(30_000)).toEqual([]);
  corrections.note('a.0', 59_000);
  expect(corrections.problems(59_000)).toEqual([
    expect.stringMatching(/^a\.0: somebody removes .*; it was put back 3 times in the last 60 s/),
  ]);
  expect(corrections.problems(60_001)).toEqual([]);
  expect(corrections.note('a.0', 80_000)).toBe(3);
  expect(corrections.problems(80_000)).toHaveLength(1);
  expect(corrections.problems(89_999)).toHaveLength(1);
  expect(corrections.problems(90_001)).toEqual([]);
  expect(corrections.total).toBe(5);
});

test('one that is corrected for ever is remembered for a minute only', () => {
  const corrections = new Corrections();
  for (let second = 0; second < 10_000; second++) corrections.note('a.0', second * 1000);
  expect(corrections.problems(9_999_000)[0]).toMatch(/put back 61 times/);
});
