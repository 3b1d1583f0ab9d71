import { expect, test } from 'vitest';
import { Corrections } from '../../../agent/enforce/corrections.ts';

test('an endpoint that is corrected three times a minute is named, and not for ever', () => {
  const corrections = new Corrections();
  corrections.note('a.0', 0);
  corrections.note('a.0', 30_000);
  corrections.note('b.0', 30_000);
  expect(corrections.problems(30_000)).toEqual([]);
  corrections.note('a.0', 59_000);
  expect(corrections.problems(59_000)).toEqual([expect.stringMatching(/^a\.0: somebody removes/)]);
  expect(corrections.problems(60_001)).toEqual([]);
  corrections.note('a.0', 80_000);
  expect(corrections.problems(80_000)).toHaveLength(1);
  expect(corrections.total).toBe(5);
});
