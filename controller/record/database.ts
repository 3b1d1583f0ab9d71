/**
 * `run.sqlite` while it is written. In WAL mode it can be read at every moment, and what was committed outlives the process; at
 * the end it becomes a single file.
 */
import { existsSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type {
  AgentSample,
  ClockSample,
  EpochRow,
  EventRow,
  FlowSample,
  LogPosition,
  PathSample,
  VerdictRow,
} from './rows.ts';

/** Columns of each table, as SQLite declares them. What a reader of numbers wants; where the log goes on is of no use to him. */
export const TABLES = {
  flow_sample: {
    ...{ t_ms: 'INTEGER NOT NULL', source: 'TEXT NOT NULL', destination: 'TEXT NOT NULL' },
    ...{ rate_bps: 'REAL NOT NULL', share_bps: 'REAL', limited_by: 'TEXT' },
  },
  path_sample: {
    ...{ t_ms: 'INTEGER NOT NULL', source: 'TEXT NOT NULL', destination: 'TEXT NOT NULL' },
    ...{ target_ms: 'REAL NOT NULL', measured_ms: 'REAL', lost: 'REAL NOT NULL' },
  },
  agent_sample: {
    ...{ t_ms: 'INTEGER NOT NULL', host: 'TEXT NOT NULL', cpu_seconds: 'REAL NOT NULL' },
    ...{ memory_bytes: 'INTEGER NOT NULL', tick_ms: 'REAL NOT NULL' },
  },
  clock_sample: {
    ...{ t_ms: 'INTEGER NOT NULL', host: 'TEXT NOT NULL', reference: 'TEXT' },
    ...{ offset_ms: 'REAL NOT NULL', error_ms: 'REAL' },
  },
  event: {
    ...{ t_ms: 'REAL', due_ms: 'REAL NOT NULL', until_ms: 'REAL' },
    ...{ origin: 'TEXT NOT NULL', text: 'TEXT NOT NULL', outcome: 'TEXT' },
  },
  epoch: {
    ...{ host: 'TEXT NOT NULL', epoch: 'INTEGER NOT NULL', due_ms: 'REAL NOT NULL' },
    ...{ applied_ms: 'REAL NOT NULL', settled_ms: 'REAL NOT NULL' },
  },
  verdict: {
    ...{ t_ms: 'REAL NOT NULL', state: 'TEXT NOT NULL', code: 'TEXT NOT NULL' },
    ...{ host: 'TEXT NOT NULL', message: 'TEXT NOT NULL' },
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, ColumnType>>>>;

export type ColumnType = 'INTEGER NOT NULL' | 'REAL NOT NULL' | 'REAL' | 'TEXT NOT NULL' | 'TEXT';
export type Table = keyof typeof TABLES;
export const TABLE_NAMES = Object.keys(TABLES) as Table[];

/** Of a table, in their order. */
export const columnsOf = (table: Table): [string, ColumnType][] =>
  Object.entries(TABLES[table]) as [string, ColumnType][];

/** Those that records of an earlier netfold do not have. */
const LATER_TABLES: readonly Table[] = ['clock_sample'];

const declarationOf = (table: Table): string =>
  `${table}(${columnsOf(table)
    .map(([name, type]) => `${name} ${type}`)
    .join(', ')})`;

export const SCHEMA = [
  ...TABLE_NAMES.map((table) => `CREATE TABLE IF NOT EXISTS ${declarationOf(table)};`),
  'CREATE TABLE IF NOT EXISTS log_position(host TEXT PRIMARY KEY, incarnation INTEGER NOT NULL, next INTEGER NOT NULL) WITHOUT ROWID;',
].join('\n');

/** A joined record has them after its rows, which is faster. */
export const INDEXES = `
CREATE INDEX IF NOT EXISTS flow_sample_t ON flow_sample(t_ms);
CREATE INDEX IF NOT EXISTS path_sample_t ON path_sample(t_ms);
CREATE INDEX IF NOT EXISTS agent_sample_t ON agent_sample(t_ms);
CREATE INDEX IF NOT EXISTS clock_sample_t ON clock_sample(t_ms);
`;

/** Tables of samples, which are thinned with age. */
const SAMPLED = ['flow_sample', 'path_sample', 'agent_sample', 'clock_sample'] as const;

/**
 * Samples older than `olderThanMs` are kept once in `everyMs`: all of one second in the last hour, one in ten of the last day,
 * one in sixty before. A month has 130,000 instants then.
 */
const THINNING = [
  { olderThanMs: 3_600_000, everyMs: 10_000 },
  { olderThanMs: 86_400_000, everyMs: 60_000 },
] as const;

export interface Moment {
  readonly tMs: number;
  readonly flows: readonly FlowSample[];
  readonly paths: readonly PathSample[];
  readonly agents: readonly AgentSample[];
  readonly clocks: readonly ClockSample[];
}

export interface Batch {
  readonly moments: readonly Moment[];
  readonly events: readonly EventRow[];
  readonly epochs: readonly EpochRow[];
  readonly verdicts: readonly VerdictRow[];
  readonly positions: readonly LogPosition[];
}

export class RunDatabase {
  readonly #database: DatabaseSync;
  readonly #insert: Readonly<
    Record<'flow' | 'path' | 'agent' | 'clock' | 'event' | 'epoch' | 'verdict' | 'position', StatementSync>
  >;
  /** What is thinned already, up to an instant, by rule. */
  readonly #thinnedMs = THINNING.map(() => 0);

  /** Opens it, or makes it. Throws errors of SQLite (`ERR_SQLITE_ERROR`). */
  constructor(path: string) {
    this.#database = new DatabaseSync(path);
    // A process that is killed loses nothing that was committed; NORMAL saves the disk a synchronisation a second.
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    this.#database.exec(SCHEMA + INDEXES);
    const insert = (table: string, values: number): StatementSync =>
      this.#database.prepare(`INSERT INTO ${table} VALUES (${Array(values).fill('?').join(', ')})`);
    this.#insert = {
      flow: insert('flow_sample', 6),
      path: insert('path_sample', 6),
      agent: insert('agent_sample', 5),
      clock: insert('clock_sample', 5),
      event: insert('event', 6),
      epoch: insert('epoch', 5),
      verdict: insert('verdict', 5),
      position: this.#database.prepare('INSERT OR REPLACE INTO log_position VALUES (?, ?, ?)'),
    };
  }

  /** All of it or nothing. Throws errors of SQLite, of a full disk for instance. */
  append({ moments, events, epochs, verdicts, positions }: Batch): void {
    this.#transaction(() => {
      for (const moment of moments) this.#appendMoment(moment);
      for (const { tMs, dueMs, untilMs, origin, text, outcome } of events)
        this.#insert.event.run(tMs, dueMs, untilMs, origin, text, outcome);
      for (const { host, epoch, dueMs, appliedMs, settledMs } of epochs)
        this.#insert.epoch.run(host, epoch, dueMs, appliedMs, settledMs);
      for (const { tMs, state, code, host, message } of verdicts)
        this.#insert.verdict.run(tMs, state, code, host, message);
      for (const { host, incarnation, next } of positions) this.#insert.position.run(host, incarnation, next);
    });
  }

  #appendMoment({ tMs, flows, paths, agents, clocks }: Moment): void {
    for (const { source, destination, rateBps, shareBps, limitedBy } of flows)
      this.#insert.flow.run(tMs, source, destination, rateBps, shareBps, limitedBy);
    for (const { source, destination, targetMs, measuredMs, lost } of paths)
      this.#insert.path.run(tMs, source, destination, targetMs, measuredMs, lost);
    for (const { host, cpuSeconds, memoryBytes, tickMs } of agents)
      this.#insert.agent.run(tMs, host, cpuSeconds, memoryBytes, tickMs);
    for (const { host, reference, offsetMs, errorMs } of clocks)
      this.#insert.clock.run(tMs, host, reference, offsetMs, errorMs);
  }

  /** Of an earlier process that wrote the same record. */
  positions(): LogPosition[] {
    return this.#database.prepare('SELECT host, incarnation, next FROM log_position').all() as never;
  }

  /** What an earlier process that wrote the same record has told of events and commands. */
  events(): Pick<EventRow, 'dueMs' | 'origin' | 'text'>[] {
    return this.#database.prepare('SELECT due_ms AS dueMs, origin, text FROM event').all() as never;
  }

  /** Deletes what the rule of THINNING no longer keeps. Costs what it deletes, and what is new behind each age. */
  thin(nowMs: number): void {
    this.#transaction(() => {
      for (const [index, { olderThanMs, everyMs }] of THINNING.entries()) {
        const from = this.#thinnedMs[index]!;
        const until = Math.floor((nowMs - olderThanMs) / everyMs) * everyMs;
        if (until <= from) continue;
        // A number of JavaScript is a REAL for SQLite, and its quotients are no buckets.
        for (const table of SAMPLED)
          this.#database
            .prepare(
              `DELETE FROM ${table} WHERE t_ms >= ?1 AND t_ms < ?2 AND t_ms NOT IN (SELECT min(t_ms) FROM ${table} WHERE t_ms >= ?1 AND t_ms < ?2 GROUP BY t_ms / ?3)`,
            )
            .run(BigInt(from), BigInt(until), BigInt(everyMs));
        this.#thinnedMs[index] = until;
      }
    });
  }

  /** Makes a single file of it, which is read without writing. */
  complete(): void {
    this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE;');
    this.#database.close();
  }

  /** As it is, for a later process. */
  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #transaction(change: () => void): void {
    this.#database.exec('BEGIN');
    try {
      change();
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }
}

const EVERY_TABLE =
  'SELECT name, type FROM sqlite_schema UNION ALL SELECT name, type FROM sqlite_temp_schema';

/** Whole milliseconds, as JavaScript has them. */
const MOST_MS = 2 ** 53;

/**
 * Whether the tables are those that netfold writes: whoever made the file, what reads it meets numbers where it wants numbers. With
 * `values`, each row is looked at: a quarter of a second for a million. Throws `Error`.
 */
export function requireTables(database: DatabaseSync, { values }: { readonly values: boolean }): void {
  for (const table of TABLE_NAMES) {
    const found = database.prepare(`SELECT type FROM (${EVERY_TABLE}) WHERE name = ?`).get(table);
    if (found?.type !== 'table') throw new Error(`it has no table ${table}`);
    const there = new Set(
      database
        .prepare(`PRAGMA table_info(${table})`)
        .all()
        .map(({ name }) => name),
    );
    const missing = columnsOf(table).find(([name]) => !there.has(name));
    if (missing) throw new Error(`its table ${table} has no column ${missing[0]}`);
    if (!values) continue;
    const wrong = columnsOf(table).map(([name, type]) => isWrong(name, type));
    const row = database.prepare(`SELECT rowid FROM ${table} WHERE ${wrong.join(' OR ')} LIMIT 1`).get();
    if (row) throw new Error(`row ${row.rowid} of its table ${table} has values that netfold does not write`);
  }
}

function isWrong(name: string, type: ColumnType): string {
  const [kind] = type.split(' ') as ['INTEGER' | 'REAL' | 'TEXT'];
  const kinds = type.endsWith('NOT NULL') ? `'${kind.toLowerCase()}'` : `'${kind.toLowerCase()}', 'null'`;
  const range = kind === 'INTEGER' ? ` OR abs(${name}) >= ${MOST_MS}` : '';
  return `typeof(${name}) NOT IN (${kinds})${range}`;
}

/** For reading only; while it is written as well. Tables that a record is too old to have are empty. Throws errors of SQLite. */
export function openToRead(path: string): DatabaseSync {
  // SQLite would make an empty one.
  if (!existsSync(path)) throw new Error(`${path} is missing`);
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const known = database.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?');
    for (const table of LATER_TABLES)
      if (!known.get(table)) database.exec(`CREATE TEMP TABLE ${declarationOf(table)}`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
