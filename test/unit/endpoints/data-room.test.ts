import { expect, it } from 'vitest';
import { DataRoom, type FileSystemRoom } from '../../../agent/endpoints/data-room.ts';

const MIB = 1 << 20;
const room = (mebibytes: number, free: number): FileSystemRoom => ({
  ...{ bsize: MIB, blocks: mebibytes, bavail: free },
});

it.each([
  ['much free', room(1000, 500), false],
  ['little of a large one', room(100_000, 63), true],
  ['more than that', room(100_000, 65), false],
  ['a tenth of a small one', room(100, 9), true],
  ['more of it', room(100, 11), false],
  ['nothing', room(8, 0), true],
])('where there is %s: %o is short: %s', async (_, found, isShort) => {
  const watched = new DataRoom('/run/x/data', async () => found);
  await watched.look();
  expect(watched.problem !== undefined).toBe(isShort);
});

it('says how much is free and where, until there is more again', async () => {
  let found = room(100, 3);
  const watched = new DataRoom('/run/x/data', async () => found);
  await watched.look();
  expect(watched.problem).toMatch(/^only 3 MiB are free where \/run\/x\/data is/);
  found = room(100, 50);
  await watched.look();
  expect(watched.problem).toBeUndefined();
});

it('says nothing of a folder that is gone, and of none', async () => {
  for (const folder of [undefined, '/nowhere/at/all']) {
    const watched = new DataRoom(folder);
    await watched.look();
    expect(watched.problem).toBeUndefined();
  }
});
