/** What a record tells, for commands that show or use it. Also of one that is still being written. */
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { ControllerError } from '../errors.ts';
import { openToRead, requireTables } from './database.ts';
import { DATABASE, type Description, readDescription } from './description.ts';
import type { EventRow, VerdictRow } from './rows.ts';
import { hasWriter } from './writer.ts';

export interface FlowSummary {
  readonly source: string;
  readonly destination: string;
  readonly samples: number;
  readonly meanRateBps: number;
  readonly mostRateBps: number;
  /** Of the samples with a share; null: it never had a limit. */
  readonly meanShareBps: number | null;
}

export interface AgentSummary {
  readonly host: string;
  /** Processor time by time, from the first sample to the last. */
  readonly cores: number;
  readonly mostMemoryBytes: number;
  readonly mostTickMs: number;
}

export interface RecordSummary {
  readonly folder: string;
  readonly description: Description;
  /** `recording`: a process writes it. `cut off`: that was killed. */
  readonly state: 'recording' | 'complete' | 'cut off';
  /** From the beginning of the timeline to the last sample. */
  readonly lastMs: number;
  readonly samples: number;
  readonly flows: readonly FlowSummary[];
  readonly events: readonly EventRow[];
  readonly verdicts: readonly VerdictRow[];
  readonly agents: readonly AgentSummary[];
}

export const stateOf = (description: Description): RecordSummary['state'] =>
  description.state === 'complete' ? 'complete' : hasWriter(description) ? 'recording' : 'cut off';

/** Throws `ControllerError` (`RECORD_UNREADABLE`). */
export function readRecord(folder: string): RecordSummary {
  const description = readDescription(folder);
  return withDatabase(folder, (database) => {
    requireGoodValues(folder, database);
    const one = (sql: string) => database.prepare(sql).get() as Record<string, number>;
    return {
      folder,
      description,
      state: stateOf(description),
      lastMs: one('SELECT coalesce(max(t_ms), 0) AS n FROM agent_sample').n!,
      samples: one(
        'SELECT (SELECT count(*) FROM flow_sample) + (SELECT count(*) FROM path_sample) + (SELECT count(*) FROM agent_sample) AS n',
      ).n!,
      flows: rows(database, FLOWS),
      events: readEvents(database),
      verdicts: rows(
        database,
        'SELECT t_ms AS tMs, state, code, host, message FROM verdict ORDER BY t_ms, rowid',
      ),
      agents: rows(database, AGENTS),
    };
  });
}

/** What a command reads may have been made by anybody. Throws `ControllerError` (`RECORD_UNREADABLE`). */
function requireGoodValues(folder: string, database: DatabaseSync): void {
  try {
    requireTables(database, { values: true });
  } catch (error) {
    throw unreadable(join(folder, DATABASE), error);
  }
}

/** In the order in which they were due. */
export const eventsOf = (folder: string): EventRow[] => withDatabase(folder, readEvents);

/** Throws `ControllerError` (`RECORD_UNREADABLE`). */
export function withDatabase<T>(folder: string, use: (database: DatabaseSync) => T): T {
  const path = join(folder, DATABASE);
  let database: DatabaseSync | undefined;
  let isRead = false;
  try {
    database = openToRead(path);
    requireTables(database, { values: false });
    isRead = true;
    return use(database);
  } catch (cause) {
    if (isRead && !isOfSqlite(cause)) throw cause;
    throw unreadable(path, cause);
  } finally {
    database?.close();
  }
}

/** Of a database that can't be read, or has what netfold does not write. */
export const unreadable = (path: string, cause: unknown): ControllerError =>
  new ControllerError(
    'RECORD_UNREADABLE',
    `${path} can't be read: ${(cause as Error).message}`,
    'if it is damaged, restore the folder from a copy; `netfold records verify` says which files were changed',
    cause,
  );

const isOfSqlite = (error: unknown): boolean =>
  ['ERR_SQLITE_ERROR', 'ERR_OUT_OF_RANGE'].includes((error as NodeJS.ErrnoException).code ?? '');

const FLOWS = `SELECT source, destination, count(*) AS samples, avg(rate_bps) AS meanRateBps, max(rate_bps) AS mostRateBps, avg(share_bps) AS meanShareBps
FROM flow_sample GROUP BY source, destination ORDER BY meanRateBps DESC, source, destination`;

const AGENTS = `SELECT host, coalesce((max(cpu_seconds) - min(cpu_seconds)) * 1000 / nullif(max(t_ms) - min(t_ms), 0), 0) AS cores, max(memory_bytes) AS mostMemoryBytes, max(tick_ms) AS mostTickMs
FROM agent_sample GROUP BY host ORDER BY host`;

const readEvents = (database: DatabaseSync): EventRow[] =>
  rows(
    database,
    'SELECT t_ms AS tMs, due_ms AS dueMs, until_ms AS untilMs, origin, text, outcome FROM event ORDER BY due_ms, rowid',
  );

/** Throws errors of SQLite. */
export function rows<Row>(database: DatabaseSync, sql: string): Row[] {
  // Objects of SQLite have no prototype, which not all that prints them expects.
  return database
    .prepare(sql)
    .all()
    .map((row) => ({ ...row })) as Row[];
}

/**
 * How often was sampled in each interval of ?1 ms before ?2. Hosts of several machines were not asked at the same instants, so that
 * the host that was asked most often counts.
 */
export const MOMENTS = `SELECT bucket, max(n) AS moments FROM
  (SELECT t_ms / ?1 AS bucket, host, count(DISTINCT t_ms) AS n FROM agent_sample WHERE t_ms < ?2 GROUP BY bucket, host)
GROUP BY bucket`;
