/**
 * A record's tables as Apache Parquet, which DuckDB, pandas and Spark read: one file a table. Compressed with Zstandard, since Node has
 * it built in; the library's own Snappy is JavaScript, and takes most of the time.
 */
import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { constants, zstdCompressSync } from 'node:zlib';
import type { ColumnSource, ParquetWriter, SchemaElement } from 'hyparquet-writer';
import { wholeFile } from '../../whole-file.ts';
import { type ColumnType, columnsOf, TABLE_NAMES, type Table } from '../database.ts';
import { DATABASE } from '../description.ts';
import { unreadable, withDatabase } from '../read.ts';
import type { ExportedFile } from './csv.ts';

/** Rows of a group, which is in memory as a whole: 100,000 rows of six columns are some megabytes. */
const ROWS_OF_GROUP = 100_000;

/** The fastest: what it leaves is some hundredths of the size. */
const ZSTD_LEVEL = 1;

type Library = typeof import('hyparquet-writer');

/** Writes TABLE.parquet for each table into the folder. Throws `RECORD_UNREADABLE` and system errors. */
export async function exportParquet(record: string, folder: string): Promise<ExportedFile[]> {
  const library = await import('hyparquet-writer');
  return withDatabase(record, (database) => {
    return TABLE_NAMES.map((table) => {
      const file = join(folder, `${table}.parquet`);
      try {
        return { file, rows: wholeFile(file, (path) => writeTable(library, database, table, path)) };
      } catch (error) {
        throw error instanceof WrongValue ? unreadable(join(record, DATABASE), error) : error;
      }
    });
  });
}

function writeTable(library: Library, database: DatabaseSync, table: Table, file: string): number {
  const columns = columnsOf(table);
  const names = columns.map(([name]) => name);
  const statement = database.prepare(`SELECT ${names.join(', ')} FROM ${table} ORDER BY rowid`);
  statement.setReturnArrays(true);
  const writer = new library.ParquetWriter({
    writer: library.fileWriter(file),
    schema: schemaOf(columns),
    codec: 'ZSTD',
    compressors: { ZSTD: compressed },
    createdBy: 'netfold',
  });
  const rows = writeGroups(writer, statement, columns);
  void writer.finish();
  return rows;
}

const compressed = (bytes: Uint8Array): Uint8Array =>
  zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL } });

function writeGroups(
  writer: ParquetWriter,
  statement: StatementSync,
  columns: readonly [string, ColumnType][],
): number {
  let [rows, inGroup] = [0, 0];
  let values = columns.map((): unknown[] => []);
  const write = (): void => {
    if (inGroup === 0) return;
    const columnData = columns.map((column, index) => columnOf(column, values[index]!));
    void writer.write({ columnData, rowGroupSize: ROWS_OF_GROUP });
    values = columns.map(() => []);
    inGroup = 0;
  };
  for (const row of statement.iterate() as Iterable<unknown>) {
    const cells = row as readonly unknown[];
    for (let at = 0; at < cells.length; at++) values[at]!.push(cells[at]);
    rows++;
    if (++inGroup === ROWS_OF_GROUP) write();
  }
  write();
  return rows;
}

/** Numbers that are measured hardly ever repeat: a dictionary of them would be sought in vain. */
function columnOf([name, type]: readonly [string, ColumnType], values: unknown[]): ColumnSource {
  const kind = kindOf(type);
  if (!values.every(isGood(kind, type.endsWith('NOT NULL')))) throw new WrongValue(name);
  if (kind === 'REAL') return { name, data: values, encoding: 'PLAIN' };
  // Of names, the least and the greatest help no reader to skip anything.
  if (kind === 'TEXT') return { name, data: values, statistics: false };
  return { name, data: BigInt64Array.from(values as number[], BigInt) };
}

/** While it is written, since looking at all before takes a sixth of the time. */
function isGood(kind: string, isNeeded: boolean): (value: unknown) => boolean {
  if (kind === 'INTEGER') return Number.isSafeInteger;
  const wanted = kind === 'REAL' ? 'number' : 'string';
  return (value) => (value === null ? !isNeeded : typeof value === wanted);
}

/** Whoever made the database, netfold did not. */
class WrongValue extends Error {
  constructor(column: string) {
    super(`its column ${column} has values that netfold does not write`);
  }
}

const kindOf = (type: ColumnType): string => type.split(' ')[0]!;

function schemaOf(columns: readonly [string, ColumnType][]): SchemaElement[] {
  return [
    { name: 'root', num_children: columns.length },
    ...columns.map(([name, type]): SchemaElement => {
      const repetition_type = type.endsWith('NOT NULL') ? 'REQUIRED' : 'OPTIONAL';
      const kind = kindOf(type);
      if (kind === 'TEXT') return { name, type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type };
      return { name, type: kind === 'REAL' ? 'DOUBLE' : 'INT64', repetition_type };
    }),
  ];
}
