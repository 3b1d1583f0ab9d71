/**
 * Parts of one run, which hosts of several machines have written, joined into one record. The rule: what two parts tell alike is taken
 * once; where two have samples of the same host in the same second, those of the part that goes further count.
 */
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isDeepStrictEqual } from 'node:util';
import { millisToSeconds } from '../../../proto/units.ts';
import { ControllerError } from '../../errors.ts';
import { removeFolder } from '../../machine/folders.ts';
import { columnsOf, INDEXES, SCHEMA, type Table } from '../database.ts';
import {
  CAPTURES,
  changesSince,
  DATABASE,
  type Description,
  EVENTS,
  LOGS,
  OUTPUTS,
  writeDescription,
} from '../description.ts';
import { makeRecordFolder, makeRoom, recordsFolder } from '../folders.ts';
import { OMITTED } from '../outputs.ts';
import { readRecord, stateOf, withDatabase } from '../read.ts';
import { complete, isOfMissingPart } from '../recorder.ts';
import { readTraffic, writeTraffic } from '../traffic-file.ts';
import { hasWriter, thisWriter } from '../writer.ts';
import { joinedEvents, joinedVerdicts, linesInOrder } from './told.ts';
import { joinedTraffic } from './traffic.ts';

export interface Part {
  readonly folder: string;
  readonly description: Description;
  readonly lastMs: number;
}

/** The name of a joined record among the others of a machine; later ones, with more parts, are numbered. */
const joinedId = (id: string, number: number): string =>
  `${id.replace(/-joined(-\d+)?$/, '')}-joined${number === 1 ? '' : `-${number}`}`;

/** Throws `ControllerError` (`RECORD_UNREADABLE`). */
export function readPart(folder: string): Part {
  const { description, lastMs } = readRecord(folder);
  return { folder, description, lastMs };
}

/** Whether both are of one start of one experiment. */
export const isSameRun = (a: Description, b: Description): boolean =>
  a.run !== undefined && isDeepStrictEqual(a.run, b.run) && a.topology.hash === b.topology.hash;

/** What names a part. */
const keyOf = ({ id, hosts }: Pick<Description, 'id' | 'hosts'>): string => JSON.stringify([id, hosts]);

/** Whether a joined record has all of these parts, or somebody is joining them. */
export function covers(joined: Description, parts: readonly Part[]): boolean {
  const known = new Set(joined.parts?.map(keyOf));
  const isWhole = joined.state === 'complete' || hasWriter(joined);
  return isWhole && parts.every(({ description }) => known.has(keyOf(description)));
}

/**
 * Makes a record of all, and returns where it is. The parts stay as they are. `wanted`: its folder; absent: one among the others of this
 * machine, whose name has the `number`, or the next that is free. Throws `ControllerError` (`RECORD_OTHER_RUN`,
 * `RECORD_EXISTS`, `RECORD_UNREADABLE`) and system errors, `EEXIST` if the number is taken; nothing is left then.
 */
export async function joinParts(parts: readonly Part[], wanted?: string, number?: number): Promise<string> {
  requireOneRun(parts);
  // Who goes further comes first, and keeps what others tell of the same.
  const ordered = parts.toSorted((a, b) => b.lastMs - a.lastMs || (a.folder < b.folder ? -1 : 1));
  const first = parts.toSorted((a, b) => compareStarts(a, b) || (a.folder < b.folder ? -1 : 1))[0]!;
  const folder = makeJoinedFolder(first.description.id, wanted, number);
  try {
    const description = await described(first, ordered, folder);
    writeDescription(folder, description);
    for (const text of [...first.description.topology.texts, 'topology.yaml'])
      if (existsSync(join(first.folder, text))) copyFileSync(join(first.folder, text), join(folder, text));
    joinTables(ordered, join(folder, DATABASE));
    joinLines(ordered, join(folder, EVENTS));
    for (const part of ordered) copyFiles(part.folder, folder);
    joinOmitted(ordered, folder);
    const unread = joinTraffic(ordered, folder);
    await complete(folder, { ...description, problems: [...description.problems, ...unread] });
  } catch (error) {
    removeFolder(folder);
    throw error;
  }
  if (dirname(folder) === recordsFolder()) makeRoom();
  return folder;
}

const compareStarts = ({ description: a }: Part, { description: b }: Part): number =>
  a.startedAt < b.startedAt ? -1 : a.startedAt > b.startedAt ? 1 : 0;

function makeJoinedFolder(id: string, wanted: string | undefined, number: number | undefined): string {
  if (wanted !== undefined || number !== undefined)
    return makeRecordFolder(joinedId(id, number ?? 1), wanted);
  for (let next = 1; ; next++) {
    try {
      return makeRecordFolder(joinedId(id, next));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

function requireOneRun(parts: readonly Part[]): void {
  const [first] = parts;
  const other = parts.find(({ description }) => !isSameRun(description, first!.description));
  if (!other) return;
  throw new ControllerError(
    'RECORD_OTHER_RUN',
    `${other.folder} is no part of the run of ${first!.folder}: ${whyOther(first!.description, other.description)}`,
    'give the parts of one run: netfold records shows those of a machine',
  );
}

function whyOther(a: Description, b: Description): string {
  if (a.run === undefined || b.run === undefined) return 'it does not say of which start it is';
  if (a.topology.hash !== b.topology.hash) return 'its topology is another one';
  return a.run.experiment === b.run.experiment
    ? `it is of another start of ${a.run.experiment}`
    : `it is of ${b.run.experiment}, not of ${a.run.experiment}`;
}

async function described(first: Part, parts: readonly Part[], folder: string): Promise<Description> {
  const all = parts.map(({ description }) => description);
  const merged = <T>(of: (one: Description) => Readonly<Record<string, T>> | undefined): Record<string, T> =>
    Object.assign({}, ...all.toReversed().map((one) => of(one) ?? {})) as Record<string, T>;
  const placement = merged((one) => one.placement);
  const problems: string[] = [];
  for (const part of parts) {
    const { id, hosts, state, parts: own } = part.description;
    const of = `of ${hosts.join(', ')} (${id})`;
    // Those of a joined one say themselves of whom they are; which parts are missing is seen anew.
    const told = part.description.problems.filter((problem) => !isOfMissingPart(problem));
    problems.push(...told.map((problem) => (own ? problem : `${of}: ${problem}`)));
    if (state === 'complete')
      problems.push(...(await changesSince(part.folder, part.description)).map((one) => `${of}: ${one}`));
    else
      problems.push(
        `${of}: what came after ${millisToSeconds(part.lastMs).toFixed(0)} s, since it ${stateOf(part.description) === 'recording' ? 'is still written' : 'was cut off'}`,
      );
  }
  const hosts = [...new Set(all.flatMap((one) => one.hosts))].sort();
  const elsewhere = new Set(all.flatMap((one) => one.elsewhere ?? []));
  for (const host of hosts) elsewhere.delete(host);
  return {
    ...first.description,
    ...{ id: basename(folder), state: 'recording', writer: thisWriter(), endedAt: null, files: {}, hosts },
    elsewhere: elsewhere.size === 0 ? undefined : [...elsewhere].sort(),
    endpoints: Math.max(Object.keys(placement).length, ...all.map(({ endpoints }) => endpoints)),
    placement,
    seeds: merged((one) => one.seeds),
    clocks: merged((one) => one.clocks),
    images: merged((one) => one.images),
    processes: merged((one) => one.processes),
    problems: [...new Set(problems)],
    parts: partsOf(all),
  };
}

/** Each once, also those that a joined record is made of; as they are now, if they are given themselves. */
function partsOf(all: readonly Description[]): NonNullable<Description['parts']> {
  const known = new Map<string, NonNullable<Description['parts']>[number]>();
  const own = all.filter((one) => one.parts === undefined);
  const within = all.flatMap((one) => one.parts ?? []);
  for (const { id, hosts, startedAt, endedAt, state, versions, machine } of [...own, ...within]) {
    const key = keyOf({ id, hosts });
    if (!known.has(key)) known.set(key, { id, hosts, startedAt, endedAt, state, versions, machine });
  }
  return [...known.values()];
}

const SAMPLED = [
  'flow_sample',
  'path_sample',
  'agent_sample',
  'clock_sample',
] as const satisfies readonly Table[];
/** What two samples of the same thing have alike. */
const KEYS: Readonly<Record<(typeof SAMPLED)[number], readonly string[]>> = {
  flow_sample: ['source', 'destination'],
  path_sample: ['source', 'destination'],
  agent_sample: ['host'],
  clock_sample: ['host'],
};

function joinTables(parts: readonly Part[], path: string): void {
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;');
    database.exec(`${SCHEMA} BEGIN;`);
    const known = new Set<string>();
    for (const part of parts) {
      const isTwice = part.description.hosts.some((host) => known.has(host));
      for (const table of SAMPLED) copySamples(part, table, database, isTwice);
      for (const host of part.description.hosts) known.add(host);
    }
    for (const table of SAMPLED) database.exec(`DROP INDEX IF EXISTS ${table}_twice`);
    insertAll(database, 'epoch', epochsOf(parts));
    insertAll(database, 'event', joinedEvents(parts.map((part) => rowsOf(part, 'event'))));
    insertAll(database, 'verdict', joinedVerdicts(parts.map((part) => rowsOf(part, 'verdict'))));
    database.exec(`COMMIT; ${INDEXES}`);
  } finally {
    database.close();
  }
}

const namesOf = (table: Table): string[] => columnsOf(table).map(([name]) => name);

const rowsOf = (part: Part, table: Table): unknown[][] =>
  withDatabase(part.folder, (database) => {
    const statement = database.prepare(`SELECT ${namesOf(table).join(', ')} FROM ${table} ORDER BY rowid`);
    statement.setReturnArrays(true);
    return statement.all() as unknown as unknown[][];
  });

function insertAll(database: DatabaseSync, table: Table, rows: readonly (readonly unknown[])[]): void {
  const places = namesOf(table).map(() => '?');
  const insert = database.prepare(`INSERT INTO ${table} VALUES (${places.join(', ')})`);
  for (const row of rows) insert.run(...(row as (string | number | null)[]));
}

/** `isTwice`: parts before this one have a host of it. */
function copySamples(
  part: Part,
  table: (typeof SAMPLED)[number],
  database: DatabaseSync,
  isTwice: boolean,
): void {
  const names = namesOf(table);
  const places = names.map((_, index) => `?${index + 1}`);
  const keys = KEYS[table];
  if (isTwice)
    database.exec(`CREATE INDEX IF NOT EXISTS ${table}_twice ON ${table}(${keys.join(', ')}, t_ms / 1000)`);
  const same = keys.map((key) => `${key} = ?${names.indexOf(key) + 1}`).join(' AND ');
  const last = database.prepare(`SELECT coalesce(max(rowid), 0) AS n FROM ${table}`).get() as { n: number };
  const unless = isTwice
    ? ` WHERE NOT EXISTS (SELECT 1 FROM ${table} WHERE ${same} AND t_ms / 1000 = CAST(?1 AS INTEGER) / 1000 AND rowid <= ${last.n})`
    : '';
  const insert = database.prepare(`INSERT INTO ${table} SELECT ${places.join(', ')}${unless}`);
  withDatabase(part.folder, (source) => {
    const statement = source.prepare(`SELECT ${names.join(', ')} FROM ${table} ORDER BY rowid`);
    statement.setReturnArrays(true);
    for (const row of statement.iterate() as Iterable<unknown>)
      insert.run(...(row as (string | number | null)[]));
  });
}

/** Host, number and instant name one. */
function epochsOf(parts: readonly Part[]): unknown[][] {
  const known = new Map<string, unknown[]>();
  for (const part of parts)
    for (const row of rowsOf(part, 'epoch')) {
      const key = JSON.stringify(row.slice(0, 3));
      if (!known.has(key)) known.set(key, row);
    }
  return [...known.values()].sort((a, b) => (a[2] as number) - (b[2] as number));
}

function joinLines(parts: readonly Part[], file: string): void {
  const texts = parts.map(({ folder }) => {
    const path = join(folder, EVENTS);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  });
  appendFileSync(
    file,
    linesInOrder(texts)
      .map((line) => `${line}\n`)
      .join(''),
  );
}

/** Logs and what endpoints have left. Where another part has a file of the same name and other content, both stay. */
function copyFiles(from: string, to: string): void {
  for (const below of [LOGS, OUTPUTS, CAPTURES]) {
    const root = join(from, below);
    if (!existsSync(root)) continue;
    for (const entry of readdirSync(root, { withFileTypes: true, recursive: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const target = freeName(join(to, relative(from, path)), path);
      if (target === undefined) continue;
      mkdirSync(dirname(target), { recursive: true });
      copyFileSync(path, target);
    }
  }
}

/** Lines of all, each once. */
function joinOmitted(parts: readonly Part[], to: string): void {
  const files = parts.map(({ folder }) => join(folder, OMITTED)).filter((file) => existsSync(file));
  const lines = new Set(files.flatMap((file) => readFileSync(file, 'utf8').split('\n').filter(Boolean)));
  if (lines.size > 0) writeFileSync(join(to, OMITTED), `${[...lines].join('\n')}\n`);
}

/** Returns what could not be read, one sentence each. */
function joinTraffic(parts: readonly Part[], to: string): string[] {
  const problems: string[] = [];
  const read = parts.flatMap(({ folder, lastMs, description: { id, placement = {} } }) => {
    const has = (endpoint: string): boolean => placement[endpoint] !== undefined;
    try {
      return [{ rows: readTraffic(folder), has, lastMs }];
    } catch (error) {
      problems.push(`the traffic that ${id} tells of: ${(error as Error).message}`);
      return [];
    }
  });
  writeTraffic(to, joinedTraffic(read));
  return problems;
}

/** `undefined`: it is there already. */
function freeName(wanted: string, of: string): string | undefined {
  for (let number = 1; ; number++) {
    const path = number === 1 ? wanted : wanted.replace(/(\.[^./]*)?$/, `~${number}$1`);
    if (!existsSync(path)) return path;
    if (areAlike(path, of)) return undefined;
  }
}

const PIECE = 1 << 20;

/** Captures may be larger than memory. */
function areAlike(a: string, b: string): boolean {
  if (statSync(a).size !== statSync(b).size) return false;
  const files = [a, b].map((path) => openSync(path, 'r'));
  const pieces = files.map(() => Buffer.alloc(PIECE));
  try {
    for (;;) {
      const [ofA, ofB] = files.map((file, index) => readSync(file, pieces[index]!)) as [number, number];
      if (ofA !== ofB || !pieces[0]!.subarray(0, ofA).equals(pieces[1]!.subarray(0, ofB))) return false;
      if (ofA === 0) return true;
    }
  } finally {
    for (const file of files) closeSync(file);
  }
}
