import { expect, test } from 'vitest';
import { systemClock, systemTimers } from '../../../../agent/clock/clock.ts';
import { ManualClock, PausableTimers } from '../../../support/fakes/manual-clock.ts';

test('the system clock gives milliseconds that go forward, and the date', () => {
  const before = systemClock.now();
  const date = Date.now();
  expect(systemClock.now()).toBeGreaterThanOrEqual(before);
  expect(Math.abs(systemClock.wallNow() - date)).toBeLessThan(1000);
});

test('system timers run until they are cancelled', async () => {
  let ticks = 0;
  let late = false;
  const cancelLate = systemTimers.after(1, () => (late = true));
  cancelLate();
  await new Promise<void>((resolve) => {
    const cancel = systemTimers.every(1, () => {
      if (++ticks < 3) return;
      cancel();
      resolve();
    });
  });
  await new Promise<void>((resolve) => systemTimers.after(5, resolve));
  expect({ ticks, late }).toEqual({ ticks: 3, late: false });
});

test('manual timers run in the order in which they are due, at the time when they are', async () => {
  const clock = new ManualClock(1000);
  const seen: string[] = [];
  const note = (what: string) => () => void seen.push(`${what} ${clock.now()} ${clock.wallNow()}`);
  clock.after(30, note('once'));
  const cancel = clock.every(20, note('tick'));
  clock.after(20, note('second'));
  clock.after(10, () => clock.after(15, note('nested')));
  clock.stepWall(500);
  await clock.advance(45);
  cancel();
  await clock.advance(100);
  expect(seen).toEqual(['tick 20 1520', 'second 20 1520', 'nested 25 1525', 'once 30 1530', 'tick 40 1540']);
  expect(clock.now()).toBe(145);
  expect(clock.pendingTimers).toBe(0);
});

test('what a paused process missed runs once when it goes on', async () => {
  const clock = new ManualClock();
  const timers = new PausableTimers(clock);
  let ticks = 0;
  timers.every(10, () => ticks++);
  await clock.advance(20);
  timers.pause();
  await clock.advance(500);
  expect(ticks).toBe(2);
  timers.resume();
  expect(ticks).toBe(3);
  await clock.advance(10);
  expect(ticks).toBe(4);
});
