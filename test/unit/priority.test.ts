/** An agent goes before others only while it takes little. */
import { expect, test } from 'vitest';
import { keepPriority } from '../../agent/priority.ts';
import { ManualClock } from '../support/manual-clock.ts';

test('it is raised from the start, goes back when it takes much for three seconds, and is raised again when it takes little', async () => {
  const clock = new ManualClock();
  const told: string[] = [];
  let used = 0;
  const stop = keepPriority({
    ...{ clock, timers: clock, usedMs: () => used },
    raise: () => told.push(`raised at ${clock.now()}`),
    lower: () => told.push(`lowered at ${clock.now()}`),
  });
  const spend = async (...parts: number[]): Promise<void> => {
    for (const part of parts) {
      used += 1000 * part;
      await clock.advance(1000);
    }
  };
  await spend(1, 1, 0.05, 0.9, 0.5, 0.15, 0.25, 0.25, 0.25, 0.15, 0.3, 0.1, 0.15);
  stop();
  await spend(1, 1, 1);
  expect(told).toEqual(['raised at 0', 'lowered at 9000', 'raised at 12000']);
});
