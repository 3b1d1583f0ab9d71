/** Logs of commands that write without end, on the file system of this machine. */
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HOT_LOOK_MS, LogBound } from '../../../agent/endpoints/log-bound.ts';
import { cutFileOf, readCut } from '../../../agent/files/log-cut.ts';
import { keepLogs, keptRuns, logIn } from '../../../controller/logs/kept.ts';
import { LogReader } from '../../../controller/logs/log-reader.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';

/** A block of a file is 4 KiB: holes are made of those. */
const EACH = 64 * 1024;
const LIMITS = { each: EACH, all: 4 * EACH, least: 16 * 1024 };
const LINE = 'this is a line of forty bytes, no more.\n';

let folder: string;
let log: string;
let clock: ManualClock;
let bound: LogBound;
let problems: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-bound-'));
  log = join(folder, 'a.0.log');
  clock = new ManualClock();
  problems = [];
  bound = new LogBound({ timers: clock, onProblem: (problem) => problems.push(problem) }, LIMITS);
});
afterEach(async () => {
  await bound.stop();
  rmSync(folder, { recursive: true });
  expect(problems).toEqual([]);
});

const write = (lines: number, file = log): void => appendFileSync(file, LINE.repeat(lines));
const room = (file = log): number => statSync(file).blocks * 512;
const lookFor = async (ms: number): Promise<void> => {
  await clock.advance(ms);
  await bound.settled();
};
const look = (): Promise<void> => lookFor(HOT_LOOK_MS * 6);
const allOf = (reader: LogReader): string => {
  const parts: Buffer[] = [];
  for (let bytes = reader.read(); bytes.length > 0; bytes = reader.read()) parts.push(bytes);
  return Buffer.concat(parts).toString();
};

describe('a log', () => {
  it('that is short stays whole', async () => {
    bound.watch('a.0', log);
    await look();
    write(1000);
    await look();
    expect([bound.lost('a.0'), existsSync(cutFileOf(log))]).toEqual([0, false]);
    expect(allOf(new LogReader(log))).toBe(LINE.repeat(1000));
  });

  it('that grows without end takes bounded room, and keeps the last lines whole', async () => {
    bound.watch('a.0', log);
    for (let round = 0; round < 50; round++) {
      write(1500);
      await look();
      // A block at each end of the hole is partly in use.
      expect(room()).toBeLessThan(EACH + 3 * 4096);
    }
    expect(statSync(log).size).toBe(50 * 1500 * LINE.length);
    const cut = readCut(log);
    expect(bound.lost('a.0')).toBe(cut);
    expect(statSync(log).size - cut).toBeGreaterThan(EACH / 2 - LINE.length);
    const [first, ...lines] = allOf(new LogReader(log, { once: true }))
      .trimEnd()
      .split('\n');
    expect(first).toBe(`[netfold: the first ${cut.toLocaleString('en')} bytes were not kept]`);
    expect(new Set(lines)).toEqual(new Set([LINE.trimEnd()]));
    expect(lines.length * LINE.length).toBe(statSync(log).size - cut);
  });

  it('is looked at often while it grows fast', async () => {
    bound.watch('a.0', log);
    await look();
    write(4000);
    await look();
    write(4000);
    await lookFor(HOT_LOOK_MS);
    expect(room()).toBeLessThan(EACH);
  });

  it('has less if there are many long ones', async () => {
    const names = Array.from({ length: 16 }, (_, index) => `${index}`);
    for (const name of names) {
      bound.watch(name, join(folder, `${name}.log`));
      write(1200, join(folder, `${name}.log`));
    }
    await look();
    await look();
    const all = names.reduce((sum, name) => sum + room(join(folder, `${name}.log`)), 0);
    expect(all).toBeLessThan(LIMITS.all + 16 * 4096);
    for (const name of names) expect(room(join(folder, `${name}.log`))).toBeGreaterThan(0);
  });

  it('without line ends is cut anywhere', async () => {
    writeFileSync(log, 'x'.repeat(5 * EACH));
    bound.watch('a.0', log);
    await look();
    expect(readCut(log)).toBe(4.5 * EACH);
  });

  it('that somebody empties starts anew', async () => {
    bound.watch('a.0', log);
    write(4000);
    await look();
    truncateSync(log);
    write(10);
    await look();
    expect([bound.lost('a.0'), readCut(log)]).toEqual([0, 0]);
    expect(allOf(new LogReader(log))).toBe(LINE.repeat(10));
  });

  it('is bounded by the next agent as well, which counts what is lost', async () => {
    bound.watch('a.0', log);
    write(4000);
    await look();
    const lost = bound.lost('a.0');
    await bound.stop();
    bound = new LogBound({ timers: clock, onProblem: () => {} }, LIMITS);
    bound.watch('a.0', log);
    await look();
    expect(bound.lost('a.0')).toBe(lost);
    write(4000);
    await look();
    expect(bound.lost('a.0')).toBeGreaterThan(lost);
    expect(room()).toBeLessThan(EACH);
  });
});

describe('who follows a log', () => {
  it('misses nothing if he keeps up', async () => {
    bound.watch('a.0', log);
    const reader = new LogReader(log);
    let read = '';
    for (let round = 0; round < 20; round++) {
      write(1000);
      read += allOf(reader);
      await look();
    }
    read += allOf(reader);
    reader.close();
    expect(read).toBe(LINE.repeat(20_000));
  });

  it('is told how much he missed, on a line of its own', async () => {
    bound.watch('a.0', log);
    const reader = new LogReader(log);
    appendFileSync(log, 'a part of a line');
    expect(allOf(reader)).toBe('a part of a line');
    const at = statSync(log).size;
    write(8000);
    await look();
    const [, said, ...lines] = allOf(reader).trimEnd().split('\n');
    reader.close();
    expect(said).toBe(`[netfold: ${(readCut(log) - at).toLocaleString('en')} bytes were not kept]`);
    expect(new Set(lines)).toEqual(new Set([LINE.trimEnd()]));
  });

  it('asks for the last lines, and gets those that are there', async () => {
    bound.watch('a.0', log);
    write(8000);
    await look();
    expect(allOf(new LogReader(log, { once: true, tail: 3 }))).toBe(LINE.repeat(3));
    expect(allOf(new LogReader(log, { once: true, tail: 8000 }))).toMatch(
      /^\[netfold: the first .* not kept\]\nthis/,
    );
  });
});

it('is kept after the end without its hole', async () => {
  bound.watch('a.0', log);
  write(8000);
  await look();
  const root = join(folder, 'kept');
  keepLogs({ name: 'lab', logFolder: folder }, root, { runs: 3, bytesOfRun: 2 * EACH, bytes: 3 * EACH });
  const [run] = keptRuns('lab', root);
  const text = allOf(new LogReader(logIn(run!.folder, 'a.0')));
  const [first, ...lines] = text.trimEnd().split('\n');
  expect(first).toBe(`[netfold: the first ${readCut(log).toLocaleString('en')} bytes were not kept]`);
  expect(new Set(lines)).toEqual(new Set([LINE.trimEnd()]));
  expect(lines.length * LINE.length).toBe(statSync(log).size - readCut(log));
});
