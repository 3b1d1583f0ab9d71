import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  changesSince,
  type Description,
  hashesOf,
  readDescription,
  writeDescription,
} from '../../../controller/record/description.ts';
import {
  dropOldRecords,
  findRecord,
  keptRecords,
  makeRecordFolder,
  pin,
} from '../../../controller/record/folders.ts';
import { thisWriter } from '../../../controller/record/writer.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'netfold-records-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function description(id: string, startedAt: string): Description {
  return {
    ...{ format: 1, id, experiment: id.split('@')[0]!, state: 'complete', writer: null },
    ...{ startedAt, beganAt: startedAt, endedAt: startedAt },
    versions: { netfold: '0.1.0', commit: null, node: '24' },
    machine: { cpu: 'x', cores: 2, memoryGiB: 1, virtual: null, distribution: 'd', kernel: 'k' },
    ...{ platform: 'lab', delayBackend: 'netem', hosts: ['host0'], endpoints: 2, seeds: { host0: 1 } },
    ...{ topology: { file: 'lab.yaml', hash: 'h', texts: ['topology.yaml'] }, problems: [], files: {} },
  };
}

/** Records of consecutive days, of 1,000 bytes each and some for the description. */
function record(day: number, experiment = 'lab'): string {
  const startedAt = `2026-01-0${day}T00:00:00.000Z`;
  const folder = join(root, `${experiment}@2026-01-0${day}`);
  mkdirSync(folder);
  writeFileSync(join(folder, 'run.sqlite'), Buffer.alloc(1000));
  writeDescription(folder, description(basename(folder), startedAt));
  return folder;
}

const names = (): string[] => keptRecords(root).map(({ folder }) => basename(folder));

describe('records of a machine', () => {
  it('are found by their name, its beginning, and by the experiment, whose last one it is', () => {
    const [first, second, other] = [record(1), record(2), record(3, 'wide')];
    expect(findRecord('lab@2026-01-01', root)).toBe(first);
    expect(findRecord('lab', root)).toBe(second);
    expect(findRecord('wi', root)).toBe(other);
    expect(findRecord(first, root)).toBe(first);
    expect(() => findRecord('labx', root)).toThrow(/no record "labx"/);
    expect(() => findRecord('l', root)).toThrow(/no record "l"/);
  });
  it('give way to newer ones by number and by size; never the last one, nor pinned ones', () => {
    const [first] = [record(1), record(2), record(3), record(4)];
    pin(first);
    dropOldRecords(root, { records: 3, bytes: 1e9 });
    expect(names()).toEqual(['lab@2026-01-04', 'lab@2026-01-03', 'lab@2026-01-02', 'lab@2026-01-01']);
    dropOldRecords(root, { records: 2, bytes: 1e9 });
    expect(names()).toEqual(['lab@2026-01-04', 'lab@2026-01-03', 'lab@2026-01-01']);
    dropOldRecords(root, { records: 9, bytes: 10 });
    expect(names()).toEqual(['lab@2026-01-04', 'lab@2026-01-01']);
  });
  it('leave alone what is no record, or is being written; what was cut off gives way', () => {
    const writing = record(1);
    writeDescription(writing, { ...readDescription(writing), state: 'recording', writer: thisWriter() });
    const cut = record(2);
    const gone = { pid: process.pid, startTime: 1 };
    writeDescription(cut, { ...readDescription(cut), state: 'recording', writer: gone });
    record(3);
    mkdirSync(join(root, 'mine'));
    dropOldRecords(root, { records: 1, bytes: 1 });
    expect(names()).toEqual(['lab@2026-01-03', 'lab@2026-01-01']);
  });
  it('get a folder of their own, or none', () => {
    const folder = join(root, 'here');
    expect(makeRecordFolder('x@1', folder)).toBe(folder);
    expect(makeRecordFolder('x@1', folder)).toBe(folder);
    writeFileSync(join(folder, 'mine'), '');
    expect(() => makeRecordFolder('x@1', folder)).toThrow(expect.objectContaining({ code: 'RECORD_EXISTS' }));
  });
  it('show what was changed in them', async () => {
    const folder = record(1);
    const complete = { ...readDescription(folder), files: await hashesOf(folder) };
    pin(folder);
    expect(await changesSince(folder, complete)).toEqual([]);
    writeFileSync(join(folder, 'run.sqlite'), 'x');
    writeFileSync(join(folder, 'more'), 'x');
    expect(await changesSince(folder, complete)).toEqual(['run.sqlite was changed', 'more was added']);
    rmSync(join(folder, 'run.sqlite'));
    expect(await changesSince(folder, complete)).toEqual(['run.sqlite is missing', 'more was added']);
  });
  it('have the hashes of all files, also of those that are longer than what is read at once', async () => {
    const folder = record(1);
    const texts = { none: '', short: 'x', long: 'y'.repeat(600_000) };
    for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text);
    const hashes = await hashesOf(folder);
    for (const [name, text] of Object.entries(texts))
      expect(hashes[name]).toBe(createHash('sha256').update(text).digest('hex'));
    expect(Object.keys(await hashesOf(folder, { short: hashes.short! }))).not.toContain('short');
  });
  it('of a later format, or damaged ones, are refused', () => {
    const folder = record(1);
    writeDescription(folder, { ...readDescription(folder), format: 2 });
    expect(() => readDescription(folder)).toThrow(/format 2/);
    writeFileSync(join(folder, 'record.json'), '{"format":1,');
    expect(() => readDescription(folder)).toThrow(expect.objectContaining({ code: 'RECORD_UNREADABLE' }));
    expect(keptRecords(root)).toEqual([]);
  });
});
