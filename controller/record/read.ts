/** What a record tells, for commands that show or use it. Also of one that is still being written. */
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { ControllerError } from '../errors.ts';
import { openToRead } from './database.ts';
import { DATABASE, type Description, readDescription } from './description.ts';
import { hasWriter } from './recorder.ts';
import type { EventRow, VerdictRow } from './rows.ts';

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

/** In the order in which they were due. */
export const eventsOf = (folder: string): EventRow[] => withDatabase(folder, readEvents);

/** Throws `ControllerError` (`RECORD_UNREADABLE`). */
export function withDatabase<T>(folder: string, use: (database: DatabaseSync) => T): T {
  const path = join(folder, DATABASE);
  let database: DatabaseSync | undefined;
  try {
    database = openToRead(path);
    return use(database);
  } catch (cause) {
    if (database && (cause as NodeJS.ErrnoException).code !== 'ERR_SQLITE_ERROR') throw cause;
    throw new ControllerError(
      'RECORD_UNREADABLE',
      `${path} can't be read: ${(cause as Error).message}`,
      'if it is damaged, restore the folder from a copy; `netfold records verify` says which files were changed',
      cause,
    );
  } finally {
    database?.close();
  }
}

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
