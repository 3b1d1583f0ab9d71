import { expect, test } from 'vitest';
import { isLookedAt, Turns } from '../../fuzz/turns.ts';

/** How many turns each target has, of so many, where one of its turns takes so long. */
function turnsOf(count: number, ms: readonly number[]): { order: number[]; counts: number[] } {
  const turns = new Turns(ms.length);
  const order = Array.from({ length: count }, () => {
    const next = turns.next();
    turns.spend(next, 256, ms[next]!);
    return next;
  });
  return { order, counts: ms.map((_, target) => order.filter((one) => one === target).length) };
}

test('each target has a turn, also one that takes no time, which has all that follow', () => {
  const { order } = turnsOf(13, [10, 0, 40]);
  expect(order.slice(0, 3)).toEqual([0, 1, 2]);
  expect(new Set(order.slice(3))).toEqual(new Set([1]));
});

test('one that is a hundred times faster has ten times the turns, in a tenth of the time', () => {
  const { counts } = turnsOf(1100, [1, 100]);
  expect(counts[0]).toBeGreaterThan(980);
  expect(counts[0]).toBeLessThan(1020);
  expect(turnsOf(200, [5, 5]).counts).toEqual([100, 100]);
});

test('new code is looked for at first, and now and then', () => {
  expect([0, 99_999, 100_000, 799_999, 800_000].map(isLookedAt)).toEqual([true, true, false, false, true]);
});
