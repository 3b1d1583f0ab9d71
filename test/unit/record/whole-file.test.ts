/** Files that users name are whole, or as they were before. */
import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exportCsv } from '../../../controller/record/export/csv.ts';
import { exportParquet } from '../../../controller/record/export/parquet.ts';
import { wholeFile } from '../../../controller/whole-file.ts';
import { flow, makeRecord } from '../../support/records.ts';

let root: string;
let file: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'netfold-whole-'));
  file = join(root, 'out.csv');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const half = (path: string): never => {
  writeFileSync(path, 'half');
  throw new Error('no room');
};

describe('a file', () => {
  it('is there when it is whole, with the mode that it had', () => {
    const result = wholeFile(file, (path) => {
      writeFileSync(path, 'one');
      return 7;
    });
    expect(result).toBe(7);
    expect(readFileSync(file, 'utf8')).toBe('one');
    writeFileSync(file, 'two', { mode: 0o600 });
    const { mode } = statSync(file);
    wholeFile(file, (path) => writeFileSync(path, 'three'));
    expect([readFileSync(file, 'utf8'), statSync(file).mode]).toEqual(['three', mode]);
  });
  it('of which a half was written is as it was before', () => {
    expect(() => wholeFile(file, half)).toThrow('no room');
    expect(readdirSync(root)).toEqual([]);
    writeFileSync(file, 'old');
    expect(() => wholeFile(file, half)).toThrow('no room');
    expect([readFileSync(file, 'utf8'), readdirSync(root)]).toEqual(['old', ['out.csv']]);
  });
  it('that is no regular one stays what it is', () => {
    wholeFile('/dev/null', (path) => expect(path).toBe('/dev/null'));
    const link = join(root, 'link');
    writeFileSync(file, 'old');
    symlinkSync(file, link);
    wholeFile(link, (path) => writeFileSync(path, 'new'));
    expect([lstatSync(link).isSymbolicLink(), readFileSync(file, 'utf8')]).toEqual([true, 'new']);
  });
});

it('an export that ends in the middle leaves no table that looks whole', async () => {
  const record = await makeRecord(join(root, 'lab@1'), {
    moment: () => ({ flows: [flow('a.0', 'b.0', 1e6)] }),
  });
  const database = new DatabaseSync(join(record, 'run.sqlite'));
  // A value that JavaScript has no number for, after 40 good rows.
  database.exec("INSERT INTO flow_sample VALUES (9223372036854775807, 'a.0', 'b.0', 1.0, NULL, NULL)");
  database.close();
  expect(() => exportCsv(record, root)).toThrow(expect.objectContaining({ code: 'RECORD_UNREADABLE' }));
  await expect(exportParquet(record, root)).rejects.toThrow(
    expect.objectContaining({ code: 'RECORD_UNREADABLE' }),
  );
  expect(readdirSync(root)).toEqual(['lab@1']);
});
