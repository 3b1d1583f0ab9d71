/** Endpoints at the bound of their processes are told of, while it lasts. */
import { expect, test } from 'vitest';
import { Crowds } from '../../../agent/endpoints/crowds.ts';
import type { GroupCount } from '../../../agent/kernel/groups/task-groups.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';

function watch(groups: Map<string, GroupCount>) {
  const clock = new ManualClock();
  const crowds = new Crowds({
    timers: clock,
    names: () => [...groups.keys()],
    count: (name) => groups.get(name),
  });
  crowds.start();
  return { clock, crowds };
}

test('told when the kernel has refused more, and no more when that is some seconds ago and there is room', async () => {
  const groups = new Map<string, GroupCount>([
    ['a.0', { tasks: 3, most: 60, refused: 0 }],
    ['b.0', { tasks: 2, most: 4096, refused: 0 }],
  ]);
  const { clock, crowds } = watch(groups);
  await clock.advance(1000);
  expect(crowds.problems).toEqual([]);
  groups.set('a.0', { tasks: 60, most: 60, refused: 7 });
  await clock.advance(1000);
  expect(crowds.problems).toEqual([expect.stringMatching(/^a\.0 has as many .* 60: the kernel refuses/)]);
  // As long as it is full, whether or not it tries.
  await clock.advance(60_000);
  expect(crowds.problems).toHaveLength(1);
  groups.set('a.0', { tasks: 10, most: 60, refused: 7 });
  await clock.advance(1000);
  expect(crowds.problems).toEqual([]);
  crowds.stop();
});

test('a group that is being ended, one that is gone and one that is made anew say nothing of the past', async () => {
  const groups = new Map<string, GroupCount>([['a.0', { tasks: 60, most: 60, refused: 7 }]]);
  const { clock, crowds } = watch(groups);
  await clock.advance(500);
  expect(crowds.problems).toHaveLength(1);
  groups.delete('a.0');
  await clock.advance(500);
  expect(crowds.problems).toEqual([]);
  groups.set('a.0', { tasks: 1, most: 60, refused: 0 });
  await clock.advance(500);
  expect(crowds.problems).toEqual([]);
  groups.set('a.0', { tasks: 60, most: 0, refused: 3 });
  await clock.advance(500);
  expect(crowds.problems).toEqual([]);
  groups.set('a.0', { tasks: 60, most: 60, refused: 4 });
  await clock.advance(500);
  expect(crowds.problems).toHaveLength(1);
});

test('thousands are looked at in turn, so that a turn is short', async () => {
  let looks = 0;
  const clock = new ManualClock();
  const names = Array.from({ length: 1000 }, (_, number) => `n.${number}`);
  const crowds = new Crowds({
    timers: clock,
    names: () => names,
    count: () => {
      looks++;
      return undefined;
    },
  });
  crowds.start();
  await clock.advance(250);
  expect(looks).toBeLessThanOrEqual(100);
  await clock.advance(10_000);
  expect(looks).toBeGreaterThanOrEqual(1000);
});
