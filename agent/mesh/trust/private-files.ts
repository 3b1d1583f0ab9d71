/**
 * Files that hold secrets: written completely or not at all, for their owner alone, and read only if no other user
 * could.
 */
import {
  chmodSync,
  closeSync,
  existsSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { MeshError } from '../errors.ts';

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
 * The text of a file that only its owner, who is this user or root, can read and change. Throws `MeshError`
 * (`MESH_FILE_EXPOSED`, `MESH_FILE_UNREADABLE`).
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
 * Throws `MeshError` (`MESH_FILE_UNREADABLE`).
 */
export function writeNewPrivate(path: string, text: string): boolean {
  const draft = join(dirname(path), `.${basename(path)}.${process.pid}`);
  return attempt(`${path} can't be written`, () => {
    rmSync(draft, { force: true });
    const file = openSync(draft, 'wx', 0o600);
    try {
      // A single write(2) to a file system that is nearly full writes only a part, and is no error.
      writeFileSync(file, text);
      fchmodSync(file, 0o600);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    try {
      // Unlike renaming, linking never replaces a file.
      linkSync(draft, path);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    } finally {
      rmSync(draft, { force: true });
    }
  });
}

/** Makes the folder, and those above it, with mode 0700. Throws like `readPrivate`. */
export function ensurePrivateFolder(path: string, what: string): void {
  const facts = attempt(`the folder ${path} can't be made`, () => {
    makeFolders(resolve(path));
    return lstatSync(path);
  });
  if (facts.isSymbolicLink()) {
    const remedy = `name the folder itself: readlink -f ${path}`;
    const message = `${what} in ${path} would be wherever that symbolic link leads`;
    throw new MeshError('MESH_FILE_EXPOSED', message, { remedy, blame: 'input' });
  }
  requireClosed(path, what, facts, OTHERS, '700');
}

/** As `mkdir -p`. Node's own tries for ever where a folder exists but can't have another in it, as in /proc. */
function makeFolders(path: string): void {
  const above = dirname(path);
  if (!existsSync(above)) makeFolders(above);
  try {
    mkdirSync(path, { mode: 0o700 });
    chmodSync(path, 0o700);
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST' && statSync(path).isDirectory();
    if (!isThere) throw error;
  }
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
  throw new MeshError(
    'MESH_FILE_EXPOSED',
    `${what} in ${path} is open to others (mode ${octal}, owner ${uid})`,
    {
      remedy: `if nobody else has used it: chown ${me} ${path} && chmod ${wanted} ${path}; otherwise make a new one`,
      blame: 'input',
    },
  );
}

function attempt<Result>(what: string, run: () => Result): Result {
  try {
    return run();
  } catch (cause) {
    if (cause instanceof MeshError) throw cause;
    throw unreadable(`${what}: ${(cause as Error).message}`, cause);
  }
}

function unreadable(message: string, cause?: unknown): MeshError {
  return new MeshError('MESH_FILE_UNREADABLE', message, {
    remedy: 'check the path and who you are (`id`)',
    blame: 'input',
    ...(cause !== undefined && { cause }),
  });
}
