/**
 * What is known of templates besides their files: versions, which never change, and what is said of them, which may. In SQLite, so
 * that two writers wait for each other, and a killed one leaves nothing half done.
 */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makeFolder, PRIVATE_FILE, PRIVATE_FOLDER } from '../../../agent/files/own-files.ts';
import { TemplateError } from './errors.ts';

/** Hidden: not listed. Deleted: not used either. */
export type VersionState = 'shown' | 'hidden' | 'deleted';

export interface VersionRow {
  readonly id: string;
  readonly template: string;
  /** Empty: the first one. */
  readonly parent: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly message: string;
  /** Hash of the object with its `Manifest`. */
  readonly manifest: string;
  readonly state: VersionState;
}

export interface Note {
  readonly at: string;
  readonly text: string;
}

/** What a file was when it was read last. */
export interface CachedFile {
  readonly path: string;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly ino: bigint;
  readonly hash: string;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS template (name TEXT PRIMARY KEY, created_at TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS version (
    id TEXT PRIMARY KEY, template TEXT NOT NULL, parent TEXT NOT NULL, created_at TEXT NOT NULL,
    message TEXT NOT NULL, manifest TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'shown', number INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS tag (template TEXT NOT NULL, tag TEXT NOT NULL, version TEXT NOT NULL, PRIMARY KEY (template, tag));
  CREATE TABLE IF NOT EXISTS note (version TEXT NOT NULL, at TEXT NOT NULL, text TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS base (folder TEXT NOT NULL, template TEXT NOT NULL, version TEXT NOT NULL, PRIMARY KEY (folder, template));
  CREATE TABLE IF NOT EXISTS cached (
    folder TEXT NOT NULL, path TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL,
    ino INTEGER NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (folder, path)) WITHOUT ROWID;
`;
/** How long a writer waits for another one: a commit of 100 MB holds the lock for a moment only. */
const WAIT_MS = 10_000;
const COLUMNS = 'id, template, parent, created_at AS createdAt, message, manifest, state';

export class TemplateDatabase {
  readonly #database: DatabaseSync;

  /** Throws `TemplateError`, and system errors. */
  constructor(folder: string) {
    makeFolder(folder, PRIVATE_FOLDER);
    const file = join(folder, 'templates.sqlite');
    this.#database = coded(() => new DatabaseSync(file, { timeout: WAIT_MS }));
    coded(() => {
      this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
      this.#database.exec(SCHEMA);
    });
    chmodSync(file, PRIVATE_FILE);
  }

  close(): void {
    this.#database.close();
  }

  /** All or nothing; other writers wait. Throws `TemplateError` (`TEMPLATE_BUSY`, `NO_ROOM`). */
  write<T>(change: () => T): T {
    return coded(() => {
      this.#database.exec('BEGIN IMMEDIATE');
      try {
        const result = change();
        this.#database.exec('COMMIT');
        return result;
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
        throw error;
      }
    });
  }

  templates(): { readonly name: string; readonly createdAt: string }[] {
    return this.#all('SELECT name, created_at AS createdAt FROM template ORDER BY name');
  }

  addTemplate(name: string, at: string): void {
    this.#run('INSERT INTO template (name, created_at) VALUES (?, ?)', name, at);
  }

  removeTemplate(name: string): void {
    for (const table of ['tag', 'base']) this.#run(`DELETE FROM ${table} WHERE template = ?`, name);
    this.#run('DELETE FROM template WHERE name = ?', name);
  }

  /** In the order of their commits. */
  versions(template?: string): VersionRow[] {
    if (template === undefined) return this.#all(`SELECT ${COLUMNS} FROM version ORDER BY number`);
    return this.#all(`SELECT ${COLUMNS} FROM version WHERE template = ? ORDER BY number`, template);
  }

  addVersion({ id, template, parent, createdAt, message, manifest }: Omit<VersionRow, 'state'>): void {
    this.#run(
      'INSERT INTO version (id, template, parent, created_at, message, manifest, number) VALUES (?, ?, ?, ?, ?, ?, (SELECT COALESCE(MAX(number), 0) + 1 FROM version))',
      ...[id, template, parent, createdAt, message, manifest],
    );
  }

  setState(id: string, state: VersionState): void {
    this.#run('UPDATE version SET state = ? WHERE id = ?', state, id);
  }

  removeVersion(id: string): void {
    for (const table of ['tag', 'note', 'base']) this.#run(`DELETE FROM ${table} WHERE version = ?`, id);
    this.#run('DELETE FROM version WHERE id = ?', id);
  }

  tags(template: string): { readonly tag: string; readonly version: string }[] {
    return this.#all('SELECT tag, version FROM tag WHERE template = ? ORDER BY tag', template);
  }

  setTag(template: string, tag: string, version: string): void {
    this.#run(
      'INSERT INTO tag (template, tag, version) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET version = excluded.version',
      template,
      tag,
      version,
    );
  }

  removeTag(template: string, tag: string): void {
    this.#run('DELETE FROM tag WHERE template = ? AND tag = ?', template, tag);
  }

  notes(version: string): Note[] {
    return this.#all('SELECT at, text FROM note WHERE version = ? ORDER BY rowid', version);
  }

  addNote(version: string, at: string, text: string): void {
    this.#run('INSERT INTO note (version, at, text) VALUES (?, ?, ?)', version, at, text);
  }

  /** The version that the files of a folder come from. */
  base(folder: string, template: string): string | undefined {
    return this.#all<{ version: string }>(
      'SELECT version FROM base WHERE folder = ? AND template = ?',
      folder,
      template,
    )[0]?.version;
  }

  setBase(folder: string, template: string, version: string): void {
    this.#run(
      'INSERT INTO base (folder, template, version) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET version = excluded.version',
      folder,
      template,
      version,
    );
  }

  cached(folder: string): Map<string, CachedFile> {
    const statement = this.#database.prepare(
      'SELECT path, size, mtime_ns AS mtimeNs, ctime_ns AS ctimeNs, ino, hash FROM cached WHERE folder = ?',
    );
    statement.setReadBigInts(true);
    return new Map((statement.all(folder) as unknown as CachedFile[]).map((one) => [one.path, one]));
  }

  setCached(folder: string, files: readonly CachedFile[]): void {
    this.#run('DELETE FROM cached WHERE folder = ?', folder);
    const insert = this.#database.prepare(
      'INSERT INTO cached (folder, path, size, mtime_ns, ctime_ns, ino, hash) VALUES (?, ?, ?, ?, ?, ?, ?)',
    );
    for (const { path, size, mtimeNs, ctimeNs, ino, hash } of files)
      insert.run(folder, path, size, mtimeNs, ctimeNs, ino, hash);
  }

  #all<T>(sql: string, ...values: readonly string[]): T[] {
    return coded(() => this.#database.prepare(sql).all(...values) as unknown as T[]);
  }

  #run(sql: string, ...values: readonly string[]): void {
    this.#database.prepare(sql).run(...values);
  }
}

/** SQLite's own numbers of errors (sqlite3.h). */
const BUSY = 5;
const FULL = 13;
const CORRUPT = 11;
const NOT_A_DATABASE = 26;

function coded<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    const { errcode, message } = error as { errcode?: number; message?: string };
    const kind = errcode === undefined ? undefined : errcode & 0xff;
    if (kind === BUSY)
      throw new TemplateError(
        'TEMPLATE_BUSY',
        'another command has been writing templates for more than 10 s',
        'try again when it has ended',
        error,
      );
    if (kind === FULL)
      throw new TemplateError(
        'NO_ROOM',
        `templates can't be written: no room is left (${message})`,
        'see which file system is full: df',
        error,
      );
    if (kind === CORRUPT || kind === NOT_A_DATABASE)
      throw new TemplateError(
        'TEMPLATE_DAMAGED',
        `the list of templates is damaged (${message})`,
        'restore its folder from a backup',
        error,
      );
    throw error;
  }
}
