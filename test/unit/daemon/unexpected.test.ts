import { expect, test } from 'vitest';
import { Unexpected } from '../../../agent/daemon/unexpected.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';

test('errors that nobody caught are counted and named for a minute; the log gets ten of them', async () => {
  const clock = new ManualClock();
  const logged: Error[] = [];
  const log = { info: () => {}, warn: () => {}, error: (error: Error) => void logged.push(error) };
  const unexpected = new Unexpected(clock, log);
  expect(unexpected.problem).toBeUndefined();
  for (let n = 1; n <= 1000; n++) unexpected.note(new Error(`bug ${n}`));
  expect(logged).toHaveLength(10);
  expect(unexpected.problem).toMatch(/^1000 unexpected errors so far.*bug 1000/);
  await clock.advance(60_001);
  expect(unexpected.problem).toBeUndefined();
  unexpected.note('no error');
  expect(logged).toHaveLength(11);
  expect(unexpected.problem).toContain('no error');
});

test('a log that fails is no second error', () => {
  const log = {
    info: () => {},
    warn: () => {},
    error: () => {
      throw new Error('ENOSPC');
    },
  };
  const unexpected = new Unexpected(new ManualClock(), log);
  unexpected.note(new Error('bug'));
  expect(unexpected.problem).toContain('bug');
});
