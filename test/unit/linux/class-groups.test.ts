/** The classes that tc lists, with those that rules limit. */
import { expect, test } from 'vitest';
import { groupMinor, type LeafQueue } from '../../../agent/enforce/interface-state.ts';
import { pathClasses } from '../../../agent/linux/tc/class-groups.ts';

const queueOf = (minor: number): LeafQueue => ({ kind: 'bfifo', limit: minor });
const of = (minor: number, bytesPerSecond: number, above?: number) => ({
  ...{ minor, bytesPerSecond, burstBytes: 1514 },
  ...(above !== undefined && { above }),
});
const [head, first, second] = [0, 1, 2].map((place) => groupMinor(7, place)) as [number, number, number];

test('a path has what is beside it in its group, in its place; the class above is of nobody', () => {
  const seen = [of(8, 500), of(second, 20, head), of(head, 1000), of(7, 1000, head), of(first, 10, head)];
  expect(pathClasses(seen, queueOf)).toEqual([
    of(8, 500),
    {
      ...of(7, 1000),
      limits: [
        { bytesPerSecond: 10, burstBytes: 1514, queue: queueOf(first) },
        { bytesPerSecond: 20, burstBytes: 1514, queue: queueOf(second) },
      ],
    },
  ]);
});

test('where somebody has changed the rate of the group, the path has none, so that both are set again', () => {
  const seen = [of(head, 900), of(7, 1000, head), of(first, 10, head)];
  expect(pathClasses(seen, queueOf)).toMatchObject([{ minor: 7, bytesPerSecond: 0 }]);
});

test('a group without its path, and a number that groups have elsewhere', () => {
  expect(pathClasses([of(head, 1000), of(first, 10, head)], queueOf)).toEqual([]);
  expect(pathClasses([of(first, 10)], queueOf)).toEqual([of(first, 10)]);
});
