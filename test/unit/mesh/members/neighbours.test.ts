import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ALL_HEAR_ALL, neighboursOf } from '../../../../agent/mesh/members/neighbours.ts';

const many = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), {
  minLength: ALL_HEAR_ALL + 1,
  maxLength: 150,
});

test('among few, all are neighbours', () => {
  const names = Array.from({ length: ALL_HEAR_ALL }, (_, number) => `h${number}`).sort();
  expect(neighboursOf('h3', names)).toBeUndefined();
  expect(neighboursOf('h3', [...names, 'z'])?.size).toBe(8);
});

describe('among many', () => {
  test('neighbourhood is mutual, and no host is its own neighbour', () => {
    fc.assert(
      fc.property(many, (unsorted) => {
        const names = unsorted.sort();
        for (const own of names) {
          const near = neighboursOf(own, names)!;
          expect(near.has(own)).toBe(false);
          for (const other of near) expect(neighboursOf(other, names)!.has(own)).toBe(true);
        }
      }),
      { numRuns: 20 },
    );
  });

  test('there are twice as many neighbours as the logarithm at most, and one before each but the first', () => {
    fc.assert(
      fc.property(many, (unsorted) => {
        const names = unsorted.sort();
        for (const [at, own] of names.entries()) {
          const near = neighboursOf(own, names)!;
          expect(near.size).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(names.length)));
          expect([...near].some((name) => name < own)).toBe(at > 0);
        }
      }),
    );
  });
});
