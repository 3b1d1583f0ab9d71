/** A study without experiments: what runs, what is kept, what a killed process leaves. */
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readStudy } from '../../../controller/workbench/studies/definition.ts';
import { Journal, readRuns } from '../../../controller/workbench/studies/journal.ts';
import { spaceOf } from '../../../controller/workbench/studies/points.ts';
import type { RunOrder, RunOutcome } from '../../../controller/workbench/studies/run-once.ts';
import {
  type StudyEnd,
  type StudyOptions,
  StudyRunner,
} from '../../../controller/workbench/studies/study.ts';
import { loadTopology } from '../../../topology/load.ts';
import { makeRecord } from '../../support/records.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-study-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const LAB =
  'vars: { delay: 1ms, loss: 0% }\nservices: { a: { run: x }, b: {} }\nlinks:\n  - { from: a, to: b, latency: "${delay}", loss: "${loss}" }\n';
const RESULTS = 'results: { r: { log: a, pattern: "r (\\\\d+)" } }';
const GRID = `parameters: { delay: [1ms, 2ms, 3ms], loss: [0%, 1%] }\n${RESULTS}`;

type Run = (order: RunOrder, nth: number) => RunOutcome | undefined | Promise<RunOutcome>;
const ok = (r: number): RunOutcome => ({
  state: 'ok',
  reason: '',
  expectations: null,
  results: { r },
  isKept: false,
});
const failed: RunOutcome = { state: 'failed', reason: 'why', expectations: null, results: {}, isKept: false };

async function runStudy(
  rest: string,
  run: Run,
  { jobs = 1, tries = 1, records = 'some' as StudyOptions['records'] } = {},
): Promise<StudyEnd & { ran: RunOrder[] }> {
  const study = readStudy(`study: s\ntopology: lab.yaml\n${rest}`, 's.yaml');
  const ran: RunOrder[] = [];
  const ending = new AbortController();
  const runner = new StudyRunner(
    study,
    spaceOf(study),
    { file: 's.yaml', folder, jobs, tries, records, signal: ending.signal },
    {
      open: (set) => {
        const loaded = loadTopology(LAB, 'lab.yaml', undefined, undefined, {
          set,
          outside: false,
          read: () => ({ problem: '' }),
        });
        return { topology: loaded.topology, source: { file: 'lab.yaml', text: loaded.expanded?.() ?? LAB } };
      },
      run: async (order) => {
        ran.push(order);
        const outcome = await run(order, ran.length);
        if (!outcome) ending.abort();
        return outcome;
      },
      tell: () => {},
    },
  );
  runner.check();
  return { ...(await runner.run()), ran };
}

const table = () => JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8'));

describe('a study', () => {
  it('runs each point as often as it says, and makes its tables', async () => {
    const end = await runStudy(`${GRID}\nrepeat: 2`, (_, nth) => ok(nth));
    expect(end).toMatchObject({ ok: 12, notOk: [], isInterrupted: false });
    expect(new Set(end.ran.map(({ name }) => name)).size).toBe(12);
    expect(end.ran[0]!.source.text).toMatch(/latency: "?1ms/);
    // What the record of the last run says of where it comes from.
    expect(end.ran[11]!.source.origin).toEqual({
      study: { name: 's', file: 's.yaml', point: 5, repetition: 2 },
    });
    const { points, runs } = table();
    expect(points).toHaveLength(6);
    // The first of the two rounds over all points is run 1, the second run 7.
    expect(points[0]).toMatchObject({
      parameters: { delay: '1ms', loss: '0%' },
      runs: 2,
      ok: 2,
      results: { r: { mean: 4 } },
    });
    expect(runs).toHaveLength(12);
    const csv = readFileSync(join(folder, 'points.csv'), 'utf8').split('\n');
    expect(csv[0]).toBe('point,delay,loss,runs,ok,r_mean,r_low,r_high,r_min,r_max,records');
    expect(csv[6]).toMatch(/^5,3ms,1%,2,2,9,/);
    expect(readFileSync(join(folder, 'index.html'), 'utf8')).toContain('delay');
  });

  it('keeps the record of each run, and names it in its tables; none of runs that are ok, if it is told so', async () => {
    const record = async ({ record: to }: RunOrder, nth: number): Promise<RunOutcome> => {
      if (to !== undefined) await makeRecord(to, { seconds: 1 });
      return nth === 2 ? { ...failed } : ok(nth);
    };
    const points = 'parameters: { delay: [1ms, 2ms] }\nrepeat: 2';
    await runStudy(`${points}\n${RESULTS}`, record);
    const found = table();
    expect(found.points.map(({ records }: { records: string[] }) => records)).toEqual([
      ['runs/0-1', 'runs/0-2'],
      ['runs/1-1', 'runs/1-2'],
    ]);
    expect(found.runs[2]).toMatchObject({ state: 'failed', kept: 'runs/1-1', record: 'runs/1-1' });
    const csv = readFileSync(join(folder, 'points.csv'), 'utf8').split('\n');
    expect(csv[1]).toMatch(/,runs\/0-1 runs\/0-2$/);
    expect(readFileSync(join(folder, 'runs.csv'), 'utf8').split('\n')[1]).toMatch(/,runs\/0-1$/);
    expect(readFileSync(join(folder, 'index.html'), 'utf8')).toContain('<a href="runs/0-2/">0-2</a>');
    // Somebody has removed it.
    rmSync(join(folder, 'runs/0-2'), { recursive: true });
    await runStudy(`${points}\n${RESULTS}`, record);
    expect(table().points[0].records).toEqual(['runs/0-1']);

    rmSync(folder, { recursive: true });
    const none = await runStudy(`${points}\n${RESULTS}`, record, { records: 'none' });
    expect(none.ran.map((one) => one.record)).toEqual([undefined, undefined, undefined, undefined]);
    await runStudy(`${points}\nresults: { r: rate a b }`, record, { records: 'none' });
    expect(table().runs.map((run: { record: string | null }) => run.record)).toEqual([
      null,
      null,
      'runs/1-1',
      null,
    ]);
  });

  it('goes on where it was ended, and runs again what was not ok', async () => {
    const first = await runStudy(GRID, (_, nth) => (nth === 2 ? failed : nth === 5 ? undefined : ok(nth)));
    expect(first).toMatchObject({ ok: 3, isInterrupted: true });
    expect(first.notOk.map(({ point, reason }) => [point, reason])).toEqual([[1, 'why']]);
    const second = await runStudy(GRID, () => ok(50));
    expect(second.ran.map(({ name }) => name.split('-').slice(2).join('-'))).toEqual(['1-1', '4-1', '5-1']);
    expect(second).toMatchObject({ ok: 6, notOk: [] });
    expect((await runStudy(GRID, () => ok(0))).ran).toEqual([]);
  });

  it('of which a process was killed while it wrote loses that line alone', async () => {
    await runStudy(GRID, (_, nth) => (nth === 4 ? undefined : ok(nth)));
    appendFileSync(join(folder, 'runs.ndjson'), '{"kind":"run","key":"x","po');
    expect((await runStudy(GRID, () => ok(1))).ran).toHaveLength(3);
    expect(readRuns(folder)).toHaveLength(6);
  });

  it('runs what is new after a change of its file, and no more', async () => {
    await runStudy(GRID, () => ok(1));
    const more = await runStudy(GRID.replace('3ms]', '3ms, 9ms]'), () => ok(1));
    expect(more.ran.map(({ source }) => /latency: "?(\w+)/.exec(source.text)?.[1])).toEqual(['9ms', '9ms']);
    // Another order of the values is no change of what is run.
    expect((await runStudy(GRID.replace('1ms, 2ms', '2ms, 1ms'), () => ok(1))).ran).toEqual([]);
    expect(table().points[0].parameters).toEqual({ delay: '2ms', loss: '0%' });
    expect((await runStudy(`${GRID}\nduration: 3s`, () => ok(1))).ran).toHaveLength(6);
  });

  it('repeats until the interval is narrow, within bounds', async () => {
    const text = `parameters: { delay: [1ms, 2ms] }\n${RESULTS}\nuntil: { result: r, within: 5%, least: 3, most: 6 }`;
    const wild = [50, 150, 20, 400, 90, 210];
    const counts = { quiet: 0, loud: 0 };
    const end = await runStudy(text, ({ source }) =>
      source.text.includes('1ms') ? ok(100 + (counts.quiet++ % 2)) : ok(wild[counts.loud++ % wild.length]!),
    );
    expect(counts).toEqual({ quiet: 3, loud: 6 });
    expect(end.ok).toBe(9);
  });

  it('says before it starts which point is wrong', async () => {
    const text = `parameters: { delay: [1ms, 2 bananas] }\n${RESULTS}`;
    await expect(runStudy(text, () => ok(1))).rejects.toThrow(/with delay=2 bananas: /);
    expect(existsSync(join(folder, 'runs.ndjson'))).toBe(false);
  });

  it('has one process at a time, and no lock of a killed one', async () => {
    const journal = Journal.open(folder);
    await expect(runStudy(GRID, () => ok(1))).rejects.toThrow(`process ${process.pid} runs this study`);
    journal.close();
    writeFileSync(join(folder, 'lock.json'), JSON.stringify({ pid: 1, startTime: 1 }));
    expect((await runStudy(GRID, () => ok(1))).ok).toBe(6);
    expect(existsSync(join(folder, 'lock.json'))).toBe(false);
  });

  it('whose journal is none is refused, and stays as it is', async () => {
    writeFileSync(join(folder, 'runs.ndjson'), 'hello\n');
    await expect(runStudy(GRID, () => ok(1))).rejects.toThrow('is none of a study');
    expect(readFileSync(join(folder, 'runs.ndjson'), 'utf8')).toBe('hello\n');
    expect(existsSync(join(folder, 'lock.json'))).toBe(false);
  });
});
