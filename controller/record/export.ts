/** A record's tables as files of other programs. */
import { appendFileSync, closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { withDatabase } from './read.ts';

/** What a reader of numbers wants; where the log goes on is of no use to him. */
const TABLES = ['flow_sample', 'path_sample', 'agent_sample', 'event', 'epoch', 'verdict'] as const;

/** So that few calls write many rows, and few are in memory. */
const ROWS_AT_ONCE = 5000;

export interface ExportedFile {
  readonly file: string;
  readonly rows: number;
}

/** Writes TABLE.csv for each table into the folder (RFC 4180), with a heading. Throws `RECORD_UNREADABLE` and system errors. */
export function exportCsv(record: string, folder: string): ExportedFile[] {
  return withDatabase(record, (database) =>
    TABLES.map((table) => {
      const file = join(folder, `${table}.csv`);
      return { file, rows: writeTable(database, table, file) };
    }),
  );
}

function writeTable(database: DatabaseSync, table: string, path: string): number {
  const statement = database.prepare(`SELECT * FROM ${table} ORDER BY rowid`);
  const file = openSync(path, 'w');
  try {
    let piece = line(statement.columns().map(({ name }) => name));
    let rows = 0;
    for (const row of statement.iterate()) {
      piece += line(Object.values(row));
      if (++rows % ROWS_AT_ONCE > 0) continue;
      appendFileSync(file, piece);
      piece = '';
    }
    appendFileSync(file, piece);
    return rows;
  } finally {
    closeSync(file);
  }
}

const line = (values: readonly unknown[]): string => `${values.map(cell).join(',')}\r\n`;

function cell(value: unknown): string {
  if (value === null) return '';
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
