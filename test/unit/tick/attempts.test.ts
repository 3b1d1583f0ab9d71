import { expect, test } from 'vitest';
import { Attempts } from '../../../agent/tick/attempts.ts';

test('what fails is counted, told when its number doubles, and named until it succeeds', () => {
  const told: string[] = [];
  const attempts = new Attempts(({ message }) => told.push(message));
  let fails = true;
  const work = (): void => {
    if (fails) throw new Error('ENOSPC');
  };
  for (let time = 1; time <= 9; time++) expect(attempts.run('measuring', work)).toBe(false);
  expect(attempts.run('sharing', () => {})).toBe(true);
  expect(told).toHaveLength(4);
  expect(attempts.problems).toEqual(['measuring fails and is tried again (9 times so far): ENOSPC']);
  fails = false;
  expect(attempts.run('measuring', work)).toBe(true);
  expect(attempts.problems).toEqual([]);
});

test('what is thrown need not be an error', () => {
  const attempts = new Attempts(() => {});
  attempts.run('a', () => {
    throw 'text';
  });
  expect(attempts.problems[0]).toContain('text');
});
