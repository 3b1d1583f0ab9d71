/** The record of an experiment of this machine, while it is written. */
import { createReadStream, lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { backup } from 'node:sqlite';
import type { Readable } from 'node:stream';
import { MAX_RECORD_ROWS } from '../../../proto/api/v1/record.ts';
import type { AnswerOf } from '../../../proto/api/v1/routes.ts';
import { ControllerError } from '../../errors.ts';
import { openToRead } from '../../record/database.ts';
import { DATABASE } from '../../record/description.ts';
import { readRecord } from '../../record/read.ts';
import { recordOf } from '../../record/writer.ts';

/** Throws `RECORD_UNKNOWN`, `RECORD_UNREADABLE`. */
export const recordNow = (experiment: string): AnswerOf<'getRecord'> => recordIn(folderOf(experiment));

/** Throws `RECORD_UNREADABLE`. */
export function recordIn(folder: string): AnswerOf<'getRecord'> {
  const { description, state, lastMs, samples, flows, events, verdicts, agents } = readRecord(folder);
  return {
    ...{ id: description.id, state, description, lastMs, samples },
    flows: flows.slice(0, MAX_RECORD_ROWS),
    events: events.slice(-MAX_RECORD_ROWS),
    verdicts: verdicts.slice(-MAX_RECORD_ROWS),
    agents,
    files: filesOf(folder),
  };
}

/** One of the files that `recordNow` names, whole. Throws `RECORD_UNKNOWN`. */
export async function recordFile(experiment: string, path: string): Promise<Readable> {
  const folder = folderOf(experiment);
  // Only what was listed just now: nothing else of the machine can be named so, and no link leads away.
  if (!filesOf(folder).some((file) => file.path === path))
    throw new ControllerError(
      'RECORD_UNKNOWN',
      `the record of ${experiment} has no file ${JSON.stringify(path)}`,
      'GET …/record lists its files',
    );
  return path === DATABASE ? databaseNow(join(folder, path)) : createReadStream(join(folder, path));
}

/** The database and what is still in its log, as one file, which is gone when it was read. */
async function databaseNow(path: string): Promise<Readable> {
  // Node makes it for its owner alone.
  const copies = mkdtempSync(join(tmpdir(), 'netfold-record-'));
  const remove = (): void => rmSync(copies, { recursive: true, force: true });
  try {
    const copy = join(copies, DATABASE);
    const database = openToRead(path);
    try {
      await backup(database, copy);
    } finally {
      database.close();
    }
    return createReadStream(copy).on('close', remove);
  } catch (error) {
    remove();
    throw error;
  }
}

function folderOf(experiment: string): string {
  const folder = recordOf(experiment);
  if (folder !== undefined) return folder;
  throw new ControllerError(
    'RECORD_UNKNOWN',
    `${experiment} is not recorded`,
    'runs are, unless they were started with --no-record, or before anything could be written',
  );
}

/** Without what belongs to the database, and what is netfold's own. */
function filesOf(folder: string): { path: string; bytes: number }[] {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((path) => !path.startsWith('.') && !path.startsWith(`${DATABASE}-`))
    .sort()
    .flatMap((path) => {
      const bytes = lstatSync(join(folder, path), { throwIfNoEntry: false })?.size;
      return bytes === undefined ? [] : [{ path, bytes }];
    });
}
