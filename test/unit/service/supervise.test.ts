import { closeSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openToAppend, PRIVATE_FILE } from '../../../agent/files/own-files.ts';
import { rotate, shorten, superviseService } from '../../../controller/service/supervise.ts';

let folder: string;
let log: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-supervise-'));
  log = join(folder, 'logs', 'wan.service.log');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Ends with these codes, one after the other. */
function service(...codes: number[]) {
  const left = [...codes];
  return async (output: number): Promise<number> => {
    writeSync(output, `run ${codes.length - left.length}\n`);
    return left.shift()!;
  };
}

const never = new AbortController().signal;

it.each([
  ['that others are away', [3, 3, 0], 0, 3],
  ['a crash', [4, 0], 0, 2],
  ['wrong input', [1, 0], 1, 1],
  ['wrong usage', [4, 2, 0], 2, 2],
])('after %s: exit codes %j', async (_, codes, code, runs) => {
  expect(await superviseService({ run: service(...codes), log, signal: never, restartMs: 0 })).toBe(code);
  expect(readFileSync(log, 'utf8').trim().split('\n')).toHaveLength(runs);
});

it('when it is asked to end, does not start it again, also while it waits', async () => {
  const ending = new AbortController();
  const run = async (): Promise<number> => {
    setImmediate(() => ending.abort());
    return 3;
  };
  expect(await superviseService({ run, log, signal: ending.signal, restartMs: 3_600_000 })).toBe(0);
});

it('a long log makes room, and one before it is kept', () => {
  const short = join(folder, 'log');
  rotate(short, 10);
  writeFileSync(short, 'x'.repeat(10));
  rotate(short, 10);
  expect(readFileSync(short, 'utf8')).toHaveLength(10);
  writeFileSync(short, 'y'.repeat(11));
  rotate(short, 10);
  expect(readFileSync(`${short}.1`, 'utf8')).toHaveLength(11);
  expect(() => readFileSync(short)).toThrow('ENOENT');
});

it('a log that gets long while the service writes is cut, and kept once; what is written then begins it', () => {
  const file = join(folder, 'log');
  shorten(file, 10);
  const output = openToAppend(file, PRIVATE_FILE);
  try {
    writeSync(output, 'x'.repeat(11));
    shorten(file, 20);
    expect(readFileSync(file, 'utf8')).toHaveLength(11);
    shorten(file, 10);
    writeSync(output, 'new');
    expect(readFileSync(file, 'utf8')).toBe('new');
    expect(readFileSync(`${file}.1`, 'utf8')).toBe('x'.repeat(11));
    // Nothing can be copied: the bound holds nevertheless.
    rmSync(`${file}.1`);
    mkdirSync(`${file}.1`);
    writeSync(output, 'y'.repeat(11));
    shorten(file, 10);
    expect(readFileSync(file, 'utf8')).toBe('');
  } finally {
    closeSync(output);
  }
});
