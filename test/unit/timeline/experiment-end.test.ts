import { expect, test } from 'vitest';
import { ExperimentClock } from '../../../agent/clock/experiment-clock.ts';
import { ExperimentEnd, LATE_LINGER_MS, LINGER_MS } from '../../../agent/timeline/experiment-end.ts';
import { fromMillis, type Micros } from '../../../proto/units.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';

function started() {
  const clock = new ManualClock();
  const time = new ExperimentClock(clock);
  let at: Micros | undefined;
  const end = new ExperimentEnd({ timers: clock, time, quitAt: () => at });
  time.adopt(0);
  end.start();
  let isReached = false;
  void end.reached.then(() => {
    isReached = true;
  });
  const quit = (ms: number): void => {
    at = fromMillis(ms);
    end.look();
  };
  return { clock, end, quit, isReached: () => isReached };
}

test('is reached when others had time to learn of it', async () => {
  const { clock, end, quit, isReached } = started();
  quit(1000);
  await clock.advance(1000 + LINGER_MS - 1);
  expect(isReached()).toBe(false);
  await clock.advance(1);
  expect([isReached(), end.isLate]).toEqual([true, false]);
});

test('who learns of it a little later ends at once', async () => {
  const { clock, end, quit, isReached } = started();
  await clock.advance(1000 + LINGER_MS + 1000);
  quit(1000);
  await clock.advance(0);
  expect([isReached(), end.isLate]).toEqual([true, false]);
});

test('who was away passes it on before it ends', async () => {
  const { clock, end, quit, isReached } = started();
  await clock.advance(60_000);
  quit(1000);
  await clock.advance(LATE_LINGER_MS - 1);
  // Another command has come.
  end.look();
  expect([isReached(), end.isLate]).toEqual([false, true]);
  await clock.advance(1);
  expect(isReached()).toBe(true);
});
