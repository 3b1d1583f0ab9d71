import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openToRead, RunDatabase } from '../../../controller/record/database.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-database-'));
  path = join(folder, 'run.sqlite');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const NOTHING = { moments: [], events: [], epochs: [], verdicts: [], positions: [] };
const moment = (tMs: number) => ({
  tMs,
  flows: [{ source: 'a', destination: 'b', rateBps: 1e6, shareBps: null, limitedBy: null }],
  paths: [],
  agents: [{ host: 'host0', cpuSeconds: 1, memoryBytes: 2, tickMs: 3 }],
  clocks: [{ host: 'host1', reference: 'host0', offsetMs: 0.5, errorMs: null }],
});
const all = (sql: string): unknown[] => {
  const database = openToRead(path);
  try {
    return database
      .prepare(sql)
      .all()
      .map((row) => Object.values(row));
  } finally {
    database.close();
  }
};

describe('the database of a run', () => {
  it('can be read while it is written, and what was committed stays when it is not closed', () => {
    const database = new RunDatabase(path);
    database.append({ ...NOTHING, moments: [moment(1000)] });
    expect(all('SELECT * FROM flow_sample')).toEqual([[1000, 'a', 'b', 1e6, null, null]]);
    database.append({ ...NOTHING, moments: [moment(2000)] });
    expect(all('SELECT t_ms FROM agent_sample')).toEqual([[1000], [2000]]);
    database.close();
  });
  it('takes a batch as a whole or not at all', () => {
    const database = new RunDatabase(path);
    const bad = {
      ...moment(2000),
      agents: [{ host: null as never, cpuSeconds: 1, memoryBytes: 2, tickMs: 3 }],
    };
    expect(() => database.append({ ...NOTHING, moments: [moment(1000), bad] })).toThrow(/NOT NULL/);
    expect(all('SELECT * FROM flow_sample')).toEqual([]);
    database.append({ ...NOTHING, moments: [moment(3000)] });
    expect(all('SELECT t_ms FROM flow_sample')).toEqual([[3000]]);
    database.close();
  });
  it('tells a later process where to go on', () => {
    const first = new RunDatabase(path);
    first.append({ ...NOTHING, positions: [{ host: 'host0', incarnation: 7, next: 9 }] });
    first.append({ ...NOTHING, positions: [{ host: 'host0', incarnation: 7, next: 12 }] });
    first.close();
    const second = new RunDatabase(path);
    expect(second.positions().map((one) => ({ ...one }))).toEqual([
      { host: 'host0', incarnation: 7, next: 12 },
    ]);
    second.close();
  });
  it('keeps every second of the last hour, one in ten of the last day, one in sixty before', () => {
    const database = new RunDatabase(path);
    const nowMs = 26 * 3_600_000;
    const moments = [];
    // Some milliseconds after each second, as a real clock has them.
    for (let ms = 0; ms < nowMs; ms += 1000) moments.push({ ...moment(ms + 7), flows: [] });
    database.append({ ...NOTHING, moments });
    for (let ms = 0; ms <= nowMs; ms += 600_000) database.thin(ms);
    const count = (from: number, to: number) =>
      (all(`SELECT count(*) FROM agent_sample WHERE t_ms >= ${from} AND t_ms < ${to}`)[0] as number[])[0];
    expect(count(nowMs - 3_600_000, nowMs)).toBe(3600);
    expect(count(nowMs - 7_200_000, nowMs - 3_600_000)).toBe(360);
    expect(count(0, 3_600_000)).toBe(60);
    expect(all('SELECT count(*) FROM clock_sample')).toEqual(all('SELECT count(*) FROM agent_sample'));
    database.close();
  });
  it('is a single file in the end, which nobody writes to by reading it', () => {
    const database = new RunDatabase(path);
    database.append({ ...NOTHING, moments: [moment(1000)] });
    database.complete();
    expect(all('PRAGMA journal_mode')).toEqual([['delete']]);
    expect(all('SELECT t_ms FROM flow_sample')).toEqual([[1000]]);
    expect(all('SELECT * FROM clock_sample')).toEqual([[1000, 'host1', 'host0', 0.5, null]]);
  });
  it('of an earlier netfold has no samples of clocks', () => {
    const database = new RunDatabase(path);
    database.append({ ...NOTHING, moments: [moment(1000)] });
    database.complete();
    const earlier = new DatabaseSync(path);
    earlier.exec('DROP TABLE clock_sample');
    earlier.close();
    expect(all('SELECT t_ms FROM flow_sample')).toEqual([[1000]]);
    expect(all('SELECT * FROM clock_sample')).toEqual([]);
  });
});
