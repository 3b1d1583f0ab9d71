import { expect, test } from 'vitest';
import { Soon } from '../../../agent/tick/soon.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';

/** Work that takes `cost` ms of the clock that it sees; when it was done. */
function lab(cost: number) {
  const clock = new ManualClock();
  let spent = 0;
  const done: number[] = [];
  const busy = { now: () => clock.now() + spent, wallNow: () => clock.wallNow() };
  const soon = new Soon({ clock: busy, timers: clock }, () => {
    done.push(clock.now());
    spent += cost;
  });
  return { clock, soon, done };
}

test('is done soon, and once for all that asked before', async () => {
  const { clock, soon, done } = lab(0);
  soon.ask();
  soon.ask();
  expect(done).toEqual([]);
  await clock.advance(1);
  expect(done).toEqual([0]);
  soon.ask();
  await clock.advance(1);
  expect(done).toEqual([0, 1]);
});

test('rests four times as long as it took', async () => {
  const { clock, soon, done } = lab(2);
  soon.ask();
  await clock.advance(1);
  for (let ms = 0; ms < 30; ms++) {
    soon.ask();
    await clock.advance(1);
  }
  const gaps = done.slice(1).map((at, index) => at - done[index]!);
  for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(8);
  expect(done.length).toBeGreaterThan(2);
});

test('is not done once it is stopped', async () => {
  const { clock, soon, done } = lab(0);
  soon.ask();
  soon.stop();
  await clock.advance(10);
  expect(done).toEqual([]);
});
