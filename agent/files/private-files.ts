/**
 * Files that hold secrets, wherever the user keeps them: written completely or not at all, for their owner alone, and read only
 * if no other user could.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  linkSync,
  lstatSync,
  openSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { FileError, makeFolder, PRIVATE_FILE, PRIVATE_FOLDER, writeDraft } from './own-files.ts';

const OTHERS = 0o077;
const OTHERS_MAY_WRITE = 0o022;
/** Far more than any key or list of agents needs; a longer file is the wrong one. */
const MAX_BYTES = 1 << 20;

export interface ReadRules {
  /** For messages: `the mesh key`. */
  readonly what: string;
  /** Others may read it, as it is no secret, but not change it. */
  readonly readable?: boolean;
}

/**
 * The text of a file that only its owner, who is this user or root, can read and change. Throws `FileError`
 * (`FILE_EXPOSED`, `FILE_UNREADABLE`).
 */
export function readPrivate(path: string, { what, readable = false }: ReadRules): string {
  const file = attempt(`${what} in ${path} can't be read`, () => openSync(path, 'r'));
  try {
    // The open file is checked, not the name: it can't be exchanged between the check and the reading.
    const { mode, uid, size } = fstatSync(file);
    requireClosed(path, what, { mode, uid }, readable ? OTHERS_MAY_WRITE : OTHERS, '600');
    if (size > MAX_BYTES) throw unreadable(`${what} in ${path} has ${size} bytes, at most ${MAX_BYTES}`);
    return attempt(`${what} in ${path} can't be read`, () => readFileSync(file, 'utf8'));
  } finally {
    closeSync(file);
  }
}

/**
 * Writes a new file with mode 0600, completely or not at all. Returns false, and changes nothing, if it exists.
 * Throws `FileError` (`FILE_UNREADABLE`).
 */
export function writeNewPrivate(path: string, text: string): boolean {
  const draft = join(dirname(path), `.${basename(path)}.${process.pid}`);
  return attempt(`${path} can't be written`, () => {
    rmSync(draft, { force: true });
    try {
      writeDraft(draft, text, { mode: PRIVATE_FILE, isLasting: true });
      // Unlike renaming, linking never replaces a file.
      linkSync(draft, path);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST' && existsSync(path)) return false;
      throw error;
    } finally {
      rmSync(draft, { force: true });
    }
  });
}

/** Makes the folder, and those above it, with mode 0700. Throws like `readPrivate`. */
export function ensurePrivateFolder(path: string, what: string): void {
  const facts = attempt(`the folder ${path} can't be made`, () => {
    const whole = resolve(path);
    if (!existsSync(whole)) makeFolder(whole, PRIVATE_FOLDER);
    return lstatSync(path);
  });
  if (facts.isSymbolicLink()) {
    const remedy = `name the folder itself: readlink -f ${path}`;
    const message = `${what} in ${path} would be wherever that symbolic link leads`;
    throw new FileError('FILE_EXPOSED', message, remedy);
  }
  if (!facts.isDirectory()) throw unreadable(`${path} is no folder`);
  requireClosed(path, what, facts, OTHERS, '700');
}

function requireClosed(
  path: string,
  what: string,
  { mode, uid }: { readonly mode: number; readonly uid: number },
  forbidden: number,
  wanted: string,
): void {
  const me = process.getuid?.() ?? 0;
  if ((mode & forbidden) === 0 && (uid === me || uid === 0)) return;
  const octal = (mode & 0o777).toString(8).padStart(4, '0');
  throw new FileError(
    'FILE_EXPOSED',
    `${what} in ${path} is open to others (mode ${octal}, owner ${uid})`,
    `if nobody else has used it: chown ${me} ${path} && chmod ${wanted} ${path}; otherwise make a new one`,
  );
}

function attempt<Result>(what: string, run: () => Result): Result {
  try {
    return run();
  } catch (cause) {
    if (cause instanceof FileError) throw cause;
    throw unreadable(`${what}: ${(cause as Error).message}`, cause);
  }
}

function unreadable(message: string, cause?: unknown): FileError {
  return new FileError('FILE_UNREADABLE', message, 'check the path and who you are (`id`)', cause);
}
