import { expect, test } from 'vitest';
import { dropsIn } from '../../../agent/kernel/netlink/queue-drops.ts';
import { Overflow } from '../../../agent/linux/delay-line/overflow.ts';

test('the kernel’s table is read: what found no room in the queue, and in the buffer of its reader', () => {
  const table =
    '    0   1234  65536 2    44  7000    30   72566  1\n    1      9      0 2    44     1     0       5  1\n';
  expect(dropsIn(table, 0)).toBe(7030);
  expect(dropsIn(table, 1)).toBe(1);
  expect(dropsIn(table, 2)).toBe(0);
  expect(dropsIn('', 0)).toBe(0);
});

test('the kernel is asked only of a queue that may be full, and then again until it drops no more', () => {
  let dropped = 0;
  let asked = 0;
  const overflow = new Overflow(() => {
    asked++;
    return dropped;
  });
  overflow.suspect(100, 0);
  expect(overflow.count(0)).toBe(0);
  expect(asked).toBe(0);
  dropped = 5;
  overflow.suspect(10_000, 0);
  expect(overflow.count(0)).toBe(5);
  dropped = 12;
  overflow.suspect(10_000, 1);
  expect(overflow.count(1)).toBe(0);
  expect(overflow.nextMs).toBe(500);
  expect(overflow.count(500)).toBe(7);
  expect(overflow.count(1000)).toBe(0);
  expect(overflow.nextMs).toBe(Number.POSITIVE_INFINITY);
  expect(asked).toBe(3);
});
