/** Which records of a study stay. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sizeOf } from '../../../controller/record/description.ts';
import { pin } from '../../../controller/record/folders.ts';
import { KeptRecords } from '../../../controller/workbench/studies/kept-records.ts';
import { makeRecord } from '../../support/records.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'netfold-kept-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const made = (name: string, second: number): Promise<string> =>
  makeRecord(join(root, name), {
    seconds: 1,
    description: { startedAt: `2026-01-01T00:00:${String(second).padStart(2, '0')}.000Z` },
  });
const names = (): string[] => readdirSync(root).sort();

it('the oldest go first, also those of an earlier process, pinned ones never, and the last one stays', async () => {
  await made('2-1', 1);
  await made('0-1', 2);
  pin(join(root, '0-1'));
  const kept = new KeptRecords(root, { records: 3, bytes: 2 ** 30 });
  kept.add(await made('1-1', 3));
  expect(names()).toEqual(['0-1', '1-1', '2-1']);
  kept.add(await made('3-1', 4));
  expect(names()).toEqual(['0-1', '1-1', '3-1']);
  kept.add(await made('4-1', 5));
  expect(names()).toEqual(['0-1', '3-1', '4-1']);

  const one = sizeOf(join(root, '0-1'));
  const small = new KeptRecords(root, { records: 100, bytes: 2.5 * one });
  small.add(await made('5-1', 6));
  expect(names()).toEqual(['0-1', '5-1']);
  new KeptRecords(root, { records: 1, bytes: 1 }).add(await made('6-1', 7));
  expect(names()).toEqual(['0-1', '6-1']);
});

it('a run that is repeated has one record, and logs alone are none', async () => {
  const kept = new KeptRecords(root, { records: 2, bytes: 2 ** 30 });
  kept.add(await made('0-1', 1));
  kept.add(await made('1-1', 2));
  rmSync(join(root, '1-1'), { recursive: true });
  kept.add(await made('1-1', 3));
  kept.add(join(root, 'logs-alone'));
  expect(names()).toEqual(['0-1', '1-1']);
  expect(existsSync(join(root, '0-1/record.json'))).toBe(true);
});
