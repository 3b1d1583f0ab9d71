/**
 * Where records are: one folder each, EXPERIMENT@START, in the state folder of this machine. Their number and size are bounded;
 * the oldest go first, pinned ones never.
 */
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { makeFolder, makeNewFolder, OPEN_FOLDER, PRIVATE_FOLDER } from '../../agent/files/own-files.ts';
import { suggest } from '../../topology/model/names.ts';
import { ControllerError } from '../errors.ts';
import { removeFolder } from '../machine/folders.ts';
import { DESCRIPTION, type Description, readDescription, sizeOf } from './description.ts';
import { hasWriter, recordOf } from './writer.ts';

/** Another one for those who must not push out the user's records: the tests. */
export const recordsFolder = (): string => process.env.NETFOLD_RECORDS || '/var/lib/netfold/records';

/** What all records together may have. */
export interface RecordLimits {
  readonly records: number;
  readonly bytes: number;
}

/** Weeks of work; a disk that holds an operating system doesn't notice it. */
export const RECORD_LIMITS: RecordLimits = { records: 100, bytes: 2 * 2 ** 30 };

/** A file of this name in a record keeps it from being dropped. It says nothing of the run, so it is in no hash. */
const PIN = '.pinned';

export interface KeptRecord {
  readonly folder: string;
  readonly description: Description;
  readonly bytes: number;
  readonly pinned: boolean;
}

/** Of the characters of a path, only those that every file system and shell takes. */
export const recordId = (experiment: string, startedAt: string): string =>
  `${experiment}@${startedAt.replaceAll(':', '-')}`;

/** Throws `ControllerError` (`RECORD_EXISTS`) if anything is there that a record would mix with. */
export function requireEmptyFolder(folder: string): void {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (!found || (found.isDirectory() && readdirSync(folder).length === 0)) return;
  throw new ControllerError(
    'RECORD_EXISTS',
    `${folder} is there already, and a record needs a folder of its own`,
    'name one that does not exist, or is empty',
  );
}

/** A new folder for a record: `wanted`, or one among the others. Throws `ControllerError` and system errors. */
export function makeRecordFolder(id: string, wanted?: string): string {
  if (wanted !== undefined) {
    requireEmptyFolder(wanted);
    // Node's own way to make folders never ends in /proc.
    makeFolder(wanted, PRIVATE_FOLDER);
    return wanted;
  }
  const root = recordsFolder();
  makeFolder(root, OPEN_FOLDER);
  const folder = join(root, id);
  // What endpoints write may be secret.
  makeNewFolder(folder, PRIVATE_FOLDER);
  return folder;
}

/** What a user calls a record: its name among the others of this machine, or its path. */
export const nameOfRecord = (folder: string): string =>
  dirname(folder) === recordsFolder() ? basename(folder) : folder;

/** All that can be read, the last one first. */
export function keptRecords(root = recordsFolder()): KeptRecord[] {
  return namesIn(root)
    .flatMap((name) => readKept(join(root, name)) ?? [])
    .sort((a, b) => compareKept(b, a));
}

function namesIn(root: string): string[] {
  try {
    return readdirSync(root);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** By their starts; of one run, what was joined of most parts is the last. */
function compareKept({ description: a }: KeptRecord, { description: b }: KeptRecord): number {
  if (a.startedAt !== b.startedAt) return a.startedAt < b.startedAt ? -1 : 1;
  const parts = (a.parts?.length ?? 0) - (b.parts?.length ?? 0);
  return parts === 0 ? a.id.localeCompare(b.id, 'en', { numeric: true }) : parts;
}

function readKept(folder: string): KeptRecord | undefined {
  try {
    const description = readDescription(folder);
    return { folder, description, bytes: sizeOf(folder), pinned: isPinned(folder) };
  } catch {
    return undefined;
  }
}

/**
 * The folder that a user means: a path, the name of a record, the beginning of one that fits only one, or the name of an
 * experiment, whose last record it is. Throws `ControllerError` (`RECORD_UNKNOWN`).
 */
export function findRecord(given: string, root = recordsFolder()): string {
  if (existsSync(join(given, DESCRIPTION)) && (isAbsolute(given) || !existsSync(join(root, given))))
    return given;
  const names = keptRecords(root).map(({ folder }) => basename(folder));
  const found =
    names.find((name) => name === given) ??
    names.find((name) => name.startsWith(`${given}@`)) ??
    only(names.filter((name) => name.startsWith(given)));
  if (found !== undefined) return join(root, found);
  const remedy =
    names.length === 0
      ? `there are none in ${root}; \`netfold up\` makes one of each run`
      : suggest(given, names, `there are: ${names.slice(0, 5).join(' ')}`);
  throw new ControllerError('RECORD_UNKNOWN', `there is no record "${given}"`, remedy);
}

const only = (names: readonly string[]): string | undefined => (names.length === 1 ? names[0] : undefined);

export function pin(folder: string): void {
  writeFileSync(join(folder, PIN), '');
}

export const isPinned = (folder: string): boolean => existsSync(join(folder, PIN));

export function unpin(folder: string): void {
  rmSync(join(folder, PIN), { force: true });
}

/** Removes the oldest ones beyond the limits; never the last one, pinned ones, or one that is being written or may be taken over. */
export function dropOldRecords(root = recordsFolder(), limits = RECORD_LIMITS): string[] {
  const dropped: string[] = [];
  let bytes = 0;
  for (const [index, record] of keptRecords(root).entries()) {
    bytes += record.bytes;
    const isKept = index === 0 || record.pinned || isInUse(record);
    if (isKept || (index < limits.records && bytes <= limits.bytes)) continue;
    removeFolder(record.folder);
    dropped.push(record.folder);
  }
  return dropped;
}

/** The same after a record of this machine is complete. Never throws: whoever keeps the next one tries again. */
export function makeRoom(): void {
  try {
    dropOldRecords();
  } catch {
    // Somebody else has removed the same, or may alone.
  }
}

/** What was cut off is only of use as it is, unless its experiment is still there to be resumed or removed. */
const isInUse = ({ folder, description }: KeptRecord): boolean =>
  description.state !== 'complete' && (hasWriter(description) || recordOf(description.experiment) === folder);
