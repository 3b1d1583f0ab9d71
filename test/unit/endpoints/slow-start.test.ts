/** A command that takes a while to start, as a container does: its service is not ready before. */
import { expect, it } from 'vitest';
import { systemClock, systemTimers } from '../../../agent/clock/clock.ts';
import type { CommandEnd } from '../../../agent/endpoints/processes.ts';
import { ServiceLife } from '../../../agent/endpoints/service-life.ts';

function life(started: Promise<void> | undefined) {
  const ends: ((end: CommandEnd) => void)[] = [];
  const run = {
    ...{ pid: undefined, startTime: undefined, signal: () => {} },
    onEnd: (listener: (end: CommandEnd) => void) => void ends.push(listener),
    ...(started && { started }),
  };
  const made = new ServiceLife(
    {
      ...{ clock: systemClock, timers: systemTimers, start: () => run, keep: () => {} },
      wait: (begin) => {
        begin();
        return () => {};
      },
      ...{ waitsFor: () => [], logSize: () => 0, watch: () => undefined, onReady: () => {} },
    },
    { restart: 'no', timeout: undefined },
  );
  made.begin();
  return { made, end: (code: number) => ends[0]!({ how: `exited with ${code}`, isFailure: code !== 0 }) };
}

it('is ready at once where it runs at once', () => {
  expect(life(undefined).made.isReady).toBe(true);
});

it('is ready when it has started', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { made } = life(promise);
  expect(made.isReady).toBe(false);
  resolve();
  await promise;
  expect(made.isReady).toBe(true);
});

it('is not ready when it ended before', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { made, end } = life(promise);
  end(1);
  resolve();
  await promise;
  expect(made.isReady).toBe(false);
});

it('is not ready when its life ended before', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { made } = life(promise);
  made.cancel();
  resolve();
  await promise;
  expect(made.isReady).toBe(false);
});
