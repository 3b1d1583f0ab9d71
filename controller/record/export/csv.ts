/** A record's tables as CSV. */
import { appendFileSync, closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { wholeFile } from '../../whole-file.ts';
import { columnsOf, TABLE_NAMES, type Table } from '../database.ts';
import { withDatabase } from '../read.ts';

/** So that few calls write many rows, and few are in memory. */
const ROWS_AT_ONCE = 5000;

export interface ExportedFile {
  readonly file: string;
  readonly rows: number;
}

/** Writes TABLE.csv for each table into the folder (RFC 4180), with a heading. Throws `RECORD_UNREADABLE` and system errors. */
export function exportCsv(record: string, folder: string): ExportedFile[] {
  return withDatabase(record, (database) =>
    TABLE_NAMES.map((table) => {
      const file = join(folder, `${table}.csv`);
      return { file, rows: wholeFile(file, (path) => writeTable(database, table, path)) };
    }),
  );
}

function writeTable(database: DatabaseSync, table: Table, path: string): number {
  const names = columnsOf(table).map(([name]) => name);
  const statement = database.prepare(`SELECT ${names.join(', ')} FROM ${table} ORDER BY rowid`);
  const file = openSync(path, 'w');
  try {
    let piece = csvLine(names);
    let rows = 0;
    for (const row of statement.iterate()) {
      piece += csvLine(Object.values(row));
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

export const csvLine = (values: readonly unknown[]): string => `${values.map(cell).join(',')}\r\n`;

function cell(value: unknown): string {
  if (value === null) return '';
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
