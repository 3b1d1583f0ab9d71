/** An agent goes before others only while it takes little. */
import { expect, test } from 'vitest';
import { keepPriority } from '../../../agent/endpoints/priority.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';

test('it is raised when it has started, goes back when it takes much for three seconds, and is raised again when it takes little', async () => {
  const clock = new ManualClock();
  const told: string[] = [];
  let used = 0;
  const stop = keepPriority({
    ...{ clock, timers: clock, usedMs: () => used, mayRaise: () => clock.now() > 1000 },
    raise: () => told.push(`raised at ${clock.now()}`),
    lower: () => told.push(`lowered at ${clock.now()}`),
  });
  const spend = async (looks: number, part: number): Promise<void> => {
    for (let look = 0; look < looks; look++) {
      used += 250 * part;
      await clock.advance(250);
    }
  };
  await spend(4, 0);
  await spend(1, 0.1);
  await spend(11, 0.9);
  await spend(1, 0.15);
  await spend(12, 0.25);
  await spend(4, 0.15);
  await spend(2, 0.05);
  stop();
  await spend(20, 1);
  expect(told).toEqual(['raised at 1250', 'lowered at 7250', 'raised at 8500']);
});
