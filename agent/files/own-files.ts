/**
 * Files and folders of netfold's own. Their modes are what the caller says, whatever the umask is, and no symbolic link is
 * followed: what root writes goes where it is meant to go, or nowhere.
 */
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { NetfoldError } from '../../proto/errors.ts';

/** Everybody may look into it; its owner alone changes it. */
export const OPEN_FOLDER = 0o755;
export const PRIVATE_FOLDER = 0o700;
export const OPEN_FILE = 0o644;
export const PRIVATE_FILE = 0o600;

const OTHERS_MAY_WRITE = 0o002;
const GROUP_MAY_WRITE = 0o020;

/** Foreign: netfold's own that is somebody else's. The others are of files that the user names (private-files.ts). */
const BLAME = {
  FOLDER_FOREIGN: 'machine',
  FILE_FOREIGN: 'machine',
  FILE_EXPOSED: 'input',
  FILE_UNREADABLE: 'input',
} as const;

export class FileError extends NetfoldError {
  declare readonly code: keyof typeof BLAME;

  constructor(code: FileError['code'], message: string, remedy: string, cause?: unknown) {
    super({ code, blame: BLAME[code], message, remedy, ...(cause !== undefined && { cause }) });
  }
}

/** Makes a folder with exactly this mode. Throws system errors; `EEXIST` also for a link. */
export function makeNewFolder(path: string, mode: number): void {
  mkdirSync(path, { mode });
  // A strict umask has taken some of it.
  chmodSync(path, mode);
}

/**
 * Makes the folder, and those above it that are missing, with exactly this mode. One that is there stays as it is. Returns
 * whether it was missing. Throws like `requireOwnFolder`, and system errors.
 */
export function makeFolder(path: string, mode: number): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) {
    const above = dirname(path);
    if (!lstatSync(above, { throwIfNoEntry: false })) makeFolder(above, mode);
    try {
      makeNewFolder(path, mode);
      return true;
    } catch (error) {
      // Another process was faster.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  requireOwnFolder(path);
  return false;
}

/**
 * Refuses a folder that this user or root does not alone decide about: a link, somebody else's, or one that others may
 * write to. Does nothing if there is none. Throws `FileError` (`FOLDER_FOREIGN`).
 */
export function requireOwnFolder(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  const why = found && whyForeignFolder(found);
  if (why === undefined) return;
  const remedy = `look at who made it and why (ls -ld ${path}), then remove it: netfold makes it anew`;
  throw new FileError('FOLDER_FOREIGN', `${path} ${why}, so netfold does not write into it`, remedy);
}

function whyForeignFolder(found: Stats): string | undefined {
  if (found.isSymbolicLink()) return 'is a symbolic link';
  if (!found.isDirectory()) return 'is no folder';
  if (!isTrusted(found.uid)) return `belongs to user ${found.uid}`;
  const isOurGroup = found.gid === 0 || found.gid === process.getgid!();
  const forbidden = OTHERS_MAY_WRITE | (isOurGroup ? 0 : GROUP_MAY_WRITE);
  const mode = (found.mode & 0o7777).toString(8).padStart(4, '0');
  return (found.mode & forbidden) === 0 ? undefined : `can be changed by other users (mode ${mode})`;
}

const isTrusted = (uid: number): boolean => uid === 0 || uid === process.getuid!();

/**
 * Opens a regular file to append to it, and makes it with this mode if there is none. The caller closes it. Throws
 * `FileError` (`FILE_FOREIGN`) for a link, a pipe or somebody else's file, and system errors.
 */
export function openToAppend(path: string, mode: number): number {
  return openOwn(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, mode);
}

/** Opens a file that is there, to read and write. Throws the same. */
export const openToChange = (path: string): number => openOwn(path, constants.O_RDWR, 0);

/** Opens a file that is there, to read it. Throws the same. */
export const openToRead = (path: string): number => openOwn(path, constants.O_RDONLY, 0);

function openOwn(path: string, flags: number, mode: number): number {
  // Before it is opened: to open a pipe may take for ever.
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found) requireOwnFile(path, found);
  const descriptor = openSync(path, flags | constants.O_NOFOLLOW, mode);
  try {
    requireOwnFile(path, fstatSync(descriptor));
    if (!found && (flags & constants.O_CREAT) !== 0) setMode(descriptor, mode);
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/**
 * Under Node's permissions (`--permission`) neither mode nor time of writing can be chosen: a command that runs so writes into a folder that
 * its owner alone can enter, and that is not kept.
 */
const isConfined = (): boolean => process.permission !== undefined;

/** Whatever the umask is. */
function setMode(descriptor: number, mode: number): void {
  if (!isConfined()) fchmodSync(descriptor, mode);
}

function requireOwnFile(path: string, found: Stats): void {
  const why = whyForeignFile(found);
  if (why === undefined) return;
  const remedy = `look at who made it and why (ls -l ${path}), then remove it`;
  throw new FileError('FILE_FOREIGN', `${path} ${why}, so netfold does not use it`, remedy);
}

function whyForeignFile(found: Stats): string | undefined {
  if (found.isSymbolicLink()) return 'is a symbolic link';
  if (!found.isFile()) return 'is no regular file';
  return isTrusted(found.uid) ? undefined : `belongs to user ${found.uid}`;
}

/** Throws like `openToAppend`. */
export function appendTo(path: string, text: string, mode: number): void {
  const descriptor = openToAppend(path, mode);
  try {
    writeAll(descriptor, text, path);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Writes the file completely or not at all, with exactly this mode; a link in its place is replaced, and not followed.
 * `isLasting`: it is on the disk when this returns. Throws system errors, and leaves what was there then.
 */
export function replaceFile(path: string, text: string, how: DraftHow): void {
  const draft = draftOf(path);
  // Of a killed process, or a link that somebody has prepared.
  rmSync(draft, { force: true });
  try {
    writeDraft(draft, text, how);
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/** While it is written; what a killed process leaves. */
export const draftOf = (path: string): string => `${path}.new`;

interface DraftHow {
  readonly mode: number;
  readonly isLasting?: boolean;
}

/** Writes a new file, which is to get its name when it is complete. Throws system errors; the file may be there then. */
export function writeDraft(draft: string, text: string, { mode, isLasting = false }: DraftHow): void {
  const descriptor = openSync(draft, 'wx', mode);
  try {
    writeAll(descriptor, text, draft);
    setMode(descriptor, mode);
    if (isLasting && !isConfined()) fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** A single write(2) to a file system that is nearly full writes only a part, and is no error. */
function writeAll(descriptor: number, text: string, path: string): void {
  try {
    writeFileSync(descriptor, text);
  } catch (error) {
    // Of a descriptor the system does not know the name.
    (error as NodeJS.ErrnoException).path ??= path;
    throw error;
  }
}
