/** What came out of a study, as tables and as a page. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { OPEN_FILE, replaceFile } from '../../../agent/files/own-files.ts';
import { netfoldVersion } from '../../machine/version.ts';
import type { Origin } from '../../record/description.ts';
import type { Study } from './definition.ts';
import { isRecord } from './kept-records.ts';
import { studyPage } from './page.ts';
import type { Point } from './points.ts';
import type { Progress } from './schedule.ts';
import { summarize } from './statistics.ts';
import type { PointRow, RunRow, StudyTable } from './table-model.ts';

export interface KeyedPoint extends Point {
  readonly key: string;
}

export interface StudyData {
  readonly study: Study;
  /** Of parameters, in the order of the file. */
  readonly names: readonly string[];
  /** Of results. */
  readonly units: ReadonlyMap<string, string>;
  readonly points: readonly KeyedPoint[];
  readonly progress: Progress;
  /** Absent: the topology is a file. */
  readonly template?: NonNullable<Origin['template']>;
}

export const TABLES = {
  json: 'results.json',
  points: 'points.csv',
  runs: 'runs.csv',
  page: 'index.html',
} as const;

const CONFIDENCE = 0.95;

/** `folder`: of the study, in which it looks what is still kept of each run. */
function tableOf({ study, names, units, points, progress, template }: StudyData, folder: string): StudyTable {
  const { confidence = CONFIDENCE } = study.until ?? {};
  const runs: RunRow[] = [];
  const rows = points.flatMap(({ key, index, parameters }): PointRow[] => {
    const lines = progress.runsOf(key).map((line): RunRow => {
      const kept = line.kept !== null && existsSync(join(folder, line.kept)) ? line.kept : null;
      return { ...line, kept, record: kept !== null && isRecord(join(folder, kept)) ? kept : null };
    });
    if (lines.length === 0) return [];
    // The same combination may stand in a list twice, or at another place than when it was run.
    runs.push(...lines.map((line) => ({ ...line, point: index, parameters })));
    const ok = lines.filter(({ state }) => state === 'ok').length;
    const results = [...units.keys()].flatMap((name) => {
      const summary = summarize(progress.valuesOf(key, name), confidence);
      return summary ? [[name, summary] as const] : [];
    });
    const records = lines.flatMap(({ record }) => record ?? []);
    return [{ index, parameters, runs: lines.length, ok, results: Object.fromEntries(results), records }];
  });
  return {
    ...{ study: study.name, topology: study.topology, netfold: netfoldVersion(), parameters: names },
    ...(template && { template }),
    ...{ results: Object.fromEntries(units), confidence, points: rows, runs },
  };
}

/** Throws system errors. */
export function writeTables(folder: string, data: StudyData): void {
  const table = tableOf(data, folder);
  const write = (name: string, text: string): void =>
    replaceFile(join(folder, name), text, { mode: OPEN_FILE });
  write(TABLES.json, `${JSON.stringify(table, null, 1)}\n`);
  write(TABLES.points, csv(pointRows(table)));
  write(TABLES.runs, csv(runRows(table)));
  write(TABLES.page, studyPage(table));
}

type Cell = string | number | null;

/** One row a point: parameters, runs, and of each result mean, interval and extremes. */
function pointRows({ parameters, results, points }: StudyTable): Cell[][] {
  const of = (name: string): string[] =>
    ['mean', 'low', 'high', 'min', 'max'].map((what) => `${name}_${what}`);
  const heading = ['point', ...parameters, 'runs', 'ok', ...Object.keys(results).flatMap(of), 'records'];
  const rows = points.map(({ index, parameters: values, runs, ok, results: found, records }) => [
    index,
    ...parameters.map((name) => values[name] ?? ''),
    ...[runs, ok],
    ...Object.keys(results).flatMap((name): Cell[] => {
      const one = found[name];
      return one ? [one.mean, one.low, one.high, one.least, one.greatest] : [null, null, null, null, null];
    }),
    records.join(' '),
  ]);
  return [heading, ...rows];
}

/** One row a run. */
function runRows({ parameters, results, runs }: StudyTable): Cell[][] {
  const names = Object.keys(results);
  const heading = [
    'point',
    ...parameters,
    'repetition',
    'state',
    ...names,
    'expectations',
    'seconds',
    'beside',
    'started',
    'reason',
    'record',
  ];
  const rows = runs.map((run): Cell[] => [
    run.point,
    ...parameters.map((name) => run.parameters[name] ?? ''),
    ...[run.repetition, run.state],
    ...names.map((name) => run.results[name] ?? null),
    ...[run.expectations, run.seconds, run.beside, run.startedAt, run.reason, run.record],
  ]);
  return [heading, ...rows];
}

/** RFC 4180; a spreadsheet must not take a text for a formula. */
export function csv(rows: readonly (readonly Cell[])[]): string {
  const cell = (value: Cell): string => {
    if (value === null) return '';
    if (typeof value === 'number') return String(value);
    const safe = /^[=+\-@\t\r]/.test(value) && !/^[+-]?[\d.]+/.test(value) ? `'${value}` : value;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return rows.map((row) => `${row.map(cell).join(',')}\n`).join('');
}
