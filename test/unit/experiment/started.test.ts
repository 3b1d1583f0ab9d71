import { expect, test } from 'vitest';
import { Started } from '../../../controller/experiment/started.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';

test('how long ago it began does not depend on what becomes of the date', async () => {
  const clock = new ManualClock(5_000_000);
  const started = new Started(undefined, clock);
  expect([started.at, started.agoMs]).toEqual([undefined, undefined]);
  started.set(5_000_250);
  expect(started.agoMs).toBe(-250);
  await clock.advance(1250);
  clock.stepWall(3_600_000);
  expect([started.at, started.agoMs]).toEqual([5_000_250, 1000]);
  // A resumed one gets the start by the present date.
  expect(new Started(clock.wallNow() - 700, clock).agoMs).toBe(700);
});
