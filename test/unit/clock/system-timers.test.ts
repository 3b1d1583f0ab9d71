/** The one timer that has to be exact. Only what no busy machine can change: never early, and not at all once cancelled. */
import { expect, test } from 'vitest';
import { systemTimers } from '../../../agent/clock/clock.ts';

test.each([0, 0.4, 2, 7.3])('what is due in %d ms is not early', async (ms) => {
  const start = performance.now();
  await new Promise<void>((resolve) => systemTimers.sharply(ms, resolve));
  expect(performance.now() - start).toBeGreaterThanOrEqual(ms);
});

test.each([0, 4])('what was due in %d ms and is cancelled does not come', async (ms) => {
  let came = 0;
  const cancel = systemTimers.sharply(ms, () => came++);
  cancel();
  await new Promise<void>((resolve) => systemTimers.sharply(ms + 3, resolve));
  expect(came).toBe(0);
});
