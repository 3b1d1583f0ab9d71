import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { takeOutputs } from '../../../controller/record/outputs.ts';

let root: string;
let out: string;
let record: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'netfold-outputs-'));
  out = join(root, 'out');
  record = join(root, 'record');
  mkdirSync(join(out, 'a.0'), { recursive: true });
  mkdirSync(record);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const write = (name: string, content: string | Buffer): void => {
  mkdirSync(join(out, name, '..'), { recursive: true });
  writeFileSync(join(out, name), content);
};
const kept = (): string[] =>
  readdirSync(record, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(record.length + 1))
    .sort();
const omitted = (): string[] => readFileSync(join(record, 'out-omitted.txt'), 'utf8').trim().split('\n');

describe('what endpoints leave', () => {
  it('is kept as it is, with its folders', () => {
    write('a.0/result.csv', 'x,y\n');
    write('a.0/deep/er/log', '');
    write('b.1/result.csv', 'z');
    takeOutputs(record, out);
    expect(kept()).toEqual(['out/a.0/deep/er/log', 'out/a.0/result.csv', 'out/b.1/result.csv']);
    expect(readFileSync(join(record, 'out/b.1/result.csv'), 'utf8')).toBe('z');
  });
  it('is nothing where nobody has left anything', () => {
    takeOutputs(record, join(root, 'nowhere'));
    takeOutputs(record, out);
    expect(kept()).toEqual([]);
  });
  it('is taken once', () => {
    write('a.0/x', '1');
    takeOutputs(record, out);
    write('a.0/y', '2');
    takeOutputs(record, out);
    expect(kept()).toEqual(['out/a.0/x']);
  });
  it('leads nowhere else: links and pipes are left out, and named', () => {
    writeFileSync(join(root, 'secret'), 'secret');
    mkdirSync(join(root, 'folder'));
    writeFileSync(join(root, 'folder', 'inside'), 'secret');
    symlinkSync(join(root, 'secret'), join(out, 'a.0', 'link'));
    symlinkSync(join(root, 'folder'), join(out, 'a.0', 'way'));
    execFileSync('mkfifo', [join(out, 'a.0', 'pipe')]);
    write('a.0/real', 'x');
    symlinkSync(join(root, 'folder'), join(out, 'c.0'));
    takeOutputs(record, out);
    expect(kept()).toEqual(['out-omitted.txt', 'out/a.0/real']);
    expect(omitted()).toEqual([
      'a.0/link: no regular file',
      'a.0/pipe: no regular file',
      'a.0/way: no regular file',
    ]);
  });
  it('gets names that every system and page takes, and two stay two', () => {
    write('a.0/a\nb <x>', '1');
    write('a.0/a%0Ab', '2');
    writeFileSync(Buffer.concat([Buffer.from(join(out, 'a.0/')), Buffer.from([0xff, 0x41])]), '3');
    takeOutputs(record, out);
    expect(kept()).toEqual(['out/a.0/%FFA', 'out/a.0/a%0Ab%20%3Cx%3E', 'out/a.0/a%250Ab']);
  });
  it('has a bound: what has no room is named, and who leaves little keeps all', () => {
    write('a.0/1', Buffer.alloc(400));
    write('a.0/2', Buffer.alloc(900));
    write('a.0/3', Buffer.alloc(300));
    write('b.0/small', Buffer.alloc(200));
    takeOutputs(record, out, { bytes: 1000, files: 100 });
    expect(kept()).toEqual(['out-omitted.txt', 'out/a.0/1', 'out/a.0/3', 'out/b.0/small']);
    expect(omitted()).toEqual(['a.0/2: 900 bytes have no room (400 are left)']);
  });
  it('has a bound on the number of files', () => {
    for (const name of ['1', '2', '3']) write(`a.0/${name}`, 'x');
    takeOutputs(record, out, { bytes: 1000, files: 2 });
    expect(kept()).toEqual(['out-omitted.txt', 'out/a.0/1', 'out/a.0/2']);
    expect(omitted()).toEqual(['a.0/3: the record has 2 files already']);
  });
});
