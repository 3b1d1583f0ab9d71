import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ManualClock } from '../../../bench/simulation/manual-clock.ts';
import { type Timer, TimerQueue } from '../../../bench/simulation/timer-queue.ts';

test('timers come in the order in which they are due, and of those in which they were set', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 20 })), (dues) => {
      const queue = new TimerQueue();
      const timers = dues.map((due, order): Timer => {
        return { due, order, period: undefined, run: () => {}, cancelled: false };
      });
      for (const timer of timers) queue.push(timer);
      const came: Timer[] = [];
      for (let first = queue.first; first; first = queue.first) {
        came.push(first);
        queue.pop();
      }
      expect(came).toEqual(timers.toSorted((a, b) => a.due - b.due || a.order - b.order));
    }),
  );
});

test.each([0, 1])(
  'with a grain of %d ms, what is due runs in time, and promises settle in between',
  async (grain) => {
    const clock = new ManualClock(undefined, grain);
    const seen: string[] = [];
    const note = (what: string): void => void seen.push(`${what} ${clock.now()}`);
    clock.every(3, () => note('every'));
    const cancel = clock.after(4.5, () => note('never'));
    clock.after(2.5, () => void Promise.resolve().then(() => clock.after(1, () => note('after'))));
    clock.after(3, () => cancel());
    clock.after(7, () => void Promise.resolve().then(() => clock.after(0, () => note('last'))));
    await clock.advance(7);
    expect(seen).toEqual(
      grain === 0
        ? ['every 3', 'after 3.5', 'every 6', 'last 7']
        : ['every 3', 'after 4', 'every 6', 'last 7'],
    );
    expect(clock.now()).toBe(7);
    expect(clock.pendingTimers).toBe(1);
  },
);
