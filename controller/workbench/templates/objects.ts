/** Contents of files, each once, by their SHA-256. */
import { createHash, randomBytes } from 'node:crypto';
import {
  type BigIntStats,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { makeFolder, PRIVATE_FOLDER } from '../../../agent/files/own-files.ts';
import { TemplateError } from './errors.ts';

const PIECE_BYTES = 1 << 20;
/** Of the owner alone, who does not write to it either. */
const OBJECT_MODE = 0o400;
const DRAFT = 'draft-';
/** A draft that is older is what a killed process has left. */
const DRAFT_LIFE_MS = 3_600_000;

export class Objects {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  path(hash: string): string {
    return join(this.#root, hash.slice(0, 2), hash.slice(2));
  }

  has(hash: string): boolean {
    return existsSync(this.path(hash));
  }

  /**
   * Keeps the content of a file. Returns its hash. `stats`: as it was found. Throws `TemplateError`
   * (`TEMPLATE_FILE_CHANGED`) if it is another one now, or becomes one meanwhile, and system errors.
   */
  add(file: string, stats: BigIntStats): string {
    // A pipe that has taken its place must not be waited for.
    const source = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      requireSame(file, stats, fstatSync(source, { bigint: true }));
      const hash = this.#keep((write) => copy(source, write));
      requireSame(file, stats, fstatSync(source, { bigint: true }));
      return hash;
    } finally {
      closeSync(source);
    }
  }

  addText(text: string): string {
    return this.#keep((write) => write(Buffer.from(text)));
  }

  /** Throws `TemplateError` (`TEMPLATE_DAMAGED`). */
  text(hash: string): string {
    return this.bytes(hash).toString('utf8');
  }

  bytes(hash: string): Buffer {
    let bytes: Buffer;
    try {
      bytes = readFileSync(this.path(hash));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      throw damaged(this.path(hash), 'is missing', error);
    }
    if (createHash('sha256').update(bytes).digest('hex') !== hash)
      throw damaged(this.path(hash), 'has been changed');
    return bytes;
  }

  /** Removes all that `isUsed` does not name. Returns how many bytes that were. */
  sweep(isUsed: (hash: string) => boolean): number {
    let freed = 0;
    for (const folder of entries(this.#root)) {
      for (const name of entries(join(this.#root, folder))) {
        const path = join(this.#root, folder, name);
        const isDraft = name.startsWith(DRAFT);
        const { size, mtimeMs } = statOf(path);
        if (isDraft ? Date.now() - mtimeMs < DRAFT_LIFE_MS : isUsed(folder + name)) continue;
        rmSync(path, { force: true });
        freed += size;
      }
    }
    return freed;
  }

  #keep(fill: (write: (piece: Uint8Array) => void) => void): string {
    const folder = join(this.#root, DRAFT.slice(0, 2));
    makeFolder(folder, PRIVATE_FOLDER);
    const draft = join(folder, `${DRAFT}${process.pid}-${randomBytes(6).toString('hex')}`);
    const hash = createHash('sha256');
    try {
      const target = openSync(draft, 'wx', OBJECT_MODE);
      try {
        fill((piece) => {
          hash.update(piece);
          writeAll(target, piece, draft);
        });
        fsyncSync(target);
      } finally {
        closeSync(target);
      }
      const name = hash.digest('hex');
      if (this.has(name)) return name;
      makeFolder(join(this.#root, name.slice(0, 2)), PRIVATE_FOLDER);
      renameSync(draft, this.path(name));
      return name;
    } finally {
      rmSync(draft, { force: true });
    }
  }
}

function copy(source: number, write: (piece: Uint8Array) => void): void {
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  for (let length = readSync(source, piece); length > 0; length = readSync(source, piece))
    write(piece.subarray(0, length));
}

/** A full disk takes a part, and says so with the next one. */
function writeAll(target: number, piece: Uint8Array, path: string): void {
  try {
    for (let at = 0; at < piece.length; ) at += writeSync(target, piece, at);
  } catch (error) {
    (error as NodeJS.ErrnoException).path ??= path;
    throw error;
  }
}

/** What says that a file is another one, or has another content. */
export function isSame(a: BigIntStats, b: BigIntStats): boolean {
  return (
    a.dev === b.dev &&
    a.ino === b.ino &&
    a.size === b.size &&
    a.mtimeNs === b.mtimeNs &&
    a.ctimeNs === b.ctimeNs
  );
}

function requireSame(file: string, before: BigIntStats, now: BigIntStats): void {
  if (now.isFile() && isSame(before, now)) return;
  throw new TemplateError(
    'TEMPLATE_FILE_CHANGED',
    `${file} has changed while it was read`,
    'commit again when nothing writes to it',
  );
}

function damaged(path: string, what: string, cause?: unknown): TemplateError {
  return new TemplateError(
    'TEMPLATE_DAMAGED',
    `${path} ${what}: the versions with this file are damaged`,
    'restore it from a backup, or commit the file again',
    cause,
  );
}

function statOf(path: string): { readonly size: number; readonly mtimeMs: number } {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    return fstatSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}
