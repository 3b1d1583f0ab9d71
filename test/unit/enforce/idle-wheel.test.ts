import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IdleWheel } from '../../../agent/enforce/idle-wheel.ts';

test('finds what has not been used for the idle time, once, and little later', () => {
  const wheel = new IdleWheel<string>(1000, 0);
  wheel.add('early', 0);
  wheel.add('late', 900);
  const idle = (at: number): string[] => wheel.idle(at, (thing) => (thing === 'late' ? 900 : 0));
  expect(idle(999)).toEqual([]);
  expect(idle(1250)).toEqual(['early']);
  expect(idle(1890)).toEqual([]);
  expect(idle(2150)).toEqual(['late']);
  expect(idle(9000)).toEqual([]);
});

test('what is used is kept, and what is gone anyway is let go of', () => {
  const wheel = new IdleWheel<string>(1000, 0);
  wheel.add('used', 0);
  wheel.add('gone', 0);
  let looks = 0;
  const idle = (at: number, used: number): string[] =>
    wheel.idle(at, (thing) => {
      looks++;
      return thing === 'gone' ? -1 : used;
    });
  for (let at = 0; at <= 20_000; at += 50) expect(idle(at, at - 10)).toEqual([]);
  // Each is looked at about once in an idle time.
  expect(looks).toBeLessThan(25);
  expect(idle(22_000, 20_000)).toEqual(['used']);
});

test('says when it wants to be called next', () => {
  const wheel = new IdleWheel<string>(800, 250);
  expect(wheel.nextMs).toBe(300);
  wheel.idle(1234, () => 0);
  expect(wheel.nextMs).toBe(1300);
});

test('finds all that a look at everything would, at most a part of the idle time later', () => {
  const step = fc.record({ pause: fc.nat(2500), add: fc.boolean(), use: fc.nat(9) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const wheel = new IdleWheel<number>(1000, 0);
      const used: number[] = [];
      const there = new Set<number>();
      let now = 0;
      for (const { pause, add, use } of steps) {
        now += pause;
        for (const thing of wheel.idle(now, (one) => used[one]!)) {
          expect(there.delete(thing)).toBe(true);
          expect(now - used[thing]!).toBeGreaterThanOrEqual(1000);
        }
        for (const thing of there) expect(now - used[thing]!).toBeLessThan(1000 + 2 * 125 + 1);
        if (there.has(use)) used[use] = now;
        if (add) {
          there.add(used.push(now) - 1);
          wheel.add(used.length - 1, now);
        }
      }
    }),
    { seed: 3, numRuns: 300 },
  );
});
