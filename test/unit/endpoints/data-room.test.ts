import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DataGuard, DataRoom, type FileSystemRoom, sizesBelow } from '../../../agent/endpoints/data-room.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';

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

/** A file system of 100 MiB, of which others take what endpoints do not. */
function guarded(free: number) {
  const clock = new ManualClock();
  const sizes = new Map<string, number>();
  const stopped: string[] = [];
  const state = { free };
  const guard = new DataGuard({
    timers: clock,
    room: new DataRoom('/run/x/data', async () => room(100, state.free)),
    sizes: async () => new Map([...sizes].map(([name, mebibytes]) => [name, mebibytes * MIB])),
    stop: (name, why) => stopped.push(`${name}: ${why}`),
  });
  guard.start();
  const be = async (left: number, written: Readonly<Record<string, number>>): Promise<readonly string[]> => {
    state.free = left;
    for (const [name, mebibytes] of Object.entries(written)) sizes.set(name, mebibytes);
    await clock.advance(250);
    return stopped.splice(0);
  };
  return { be, guard };
}

it('stops who has written the most since room became short, then who goes on', async () => {
  const { be, guard } = guarded(90);
  expect(await be(90, { 'a.0': 5 })).toEqual([]);
  expect(await be(35, { 'a.0': 50, 'b.0': 10 })).toEqual([]);
  expect(await be(20, { 'a.0': 50, 'b.0': 25 })).toEqual([]);
  const [first, ...others] = await be(8, { 'a.0': 50, 'b.0': 37 });
  expect(others).toEqual([]);
  expect(first).toMatch(/^b\.0: it has written 27 MiB to \$NETFOLD_DATA, and only 8 MiB were left/);
  expect(await be(8, {})).toEqual([]);
  expect(await be(5, { 'a.0': 53 })).toEqual([expect.stringMatching(/^a\.0: it has written 3 MiB/)]);
  guard.stop();
});

it('stops who has taken all of it between two looks', async () => {
  const { be, guard } = guarded(90);
  expect(await be(90, { 'a.0': 1 })).toEqual([]);
  expect(await be(0, { 'a.0': 1, 'b.0': 90 })).toEqual([expect.stringMatching(/^b\.0: /)]);
  guard.stop();
});

it('stops nobody for what others take, or what was there before', async () => {
  const { be, guard } = guarded(5);
  expect(await be(5, { 'a.0': 80 })).toEqual([]);
  expect(await be(5, { 'a.0': 80 })).toEqual([]);
  // Another program takes 50.
  expect(await be(60, { 'a.0': 20 })).toEqual([]);
  expect(await be(38, { 'a.0': 20 })).toEqual([]);
  expect(await be(4, { 'a.0': 22 })).toEqual([]);
  guard.stop();
});

it('measures what files take, and nothing where there are none', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'netfold-data-'));
  try {
    mkdirSync(join(folder, 'a.0/deep'), { recursive: true });
    mkdirSync(join(folder, 'b.0'));
    writeFileSync(join(folder, 'a.0/deep/file'), Buffer.alloc(MIB, 1));
    const sizes = await sizesBelow(folder);
    expect(sizes.get('a.0')).toBeGreaterThanOrEqual(MIB);
    expect(sizes.get('b.0')).toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
