/**
 * What endpoints have left in `$NETFOLD_OUT`, copied into a record: regular files only, as many as have room. Endpoints are root, so
 * nothing that they may have put there is trusted: no link is followed, no pipe or device is opened, and names become harmless.
 */
import {
  type BigIntStats,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { count } from '../../proto/words.ts';
import { fairSize } from '../logs/kept.ts';
import { OUTPUTS } from './description.ts';

/** What a record takes. Data that is larger belongs to where its user keeps data. */
export interface OutputLimits {
  readonly bytes: number;
  readonly files: number;
}

const OUTPUT_LIMITS: OutputLimits = { bytes: 256 * 2 ** 20, files: 10_000 };

/** What was left out, one line each; absent: nothing was. */
export const OMITTED = 'out-omitted.txt';
const MOST_LINES = 1000;
/** Deeper folders are left out: a loop of mounts has no end. */
const DEEPEST = 32;
const PIECE = 1 << 20;

interface Found {
  /** As bytes: a name need not be UTF-8. */
  readonly path: Buffer;
  /** In the record, below the folder of the endpoint. */
  readonly name: string;
  readonly bytes: number;
}

/**
 * Copies from `outRoot`, which has a folder for each endpoint. Does nothing if the record has files of endpoints already. What can't
 * be read is left out, and told. Throws system errors of the record's own folder.
 */
export function takeOutputs(record: string, outRoot: string, limits: OutputLimits = OUTPUT_LIMITS): void {
  fillFolder(record, OUTPUTS, (to) => {
    const { kept, omitted } = copyAll(outRoot, to, limits);
    // Who is first has seen all.
    if (omitted.length > 0 && !existsSync(join(record, OMITTED)))
      writeFileSync(join(record, OMITTED), linesOf(omitted));
    return kept > 0;
  });
}

/**
 * Fills a folder of a record that is not there yet: as a whole, since two processes may end a run at once, and the one that completes
 * the record must not meet a half of it. `fill` says whether there is anything.
 */
export function fillFolder(record: string, name: string, fill: (to: string) => boolean): void {
  const target = join(record, name);
  if (lstatSync(target, { throwIfNoEntry: false })) return;
  // Of a name that is in no hash.
  const draft = mkdtempSync(join(record, `.${name}-`));
  try {
    if (fill(draft)) renameSync(draft, target);
  } catch (error) {
    // The other process was faster.
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

function copyAll(
  outRoot: string,
  to: string,
  limits: OutputLimits,
): { readonly kept: number; readonly omitted: readonly string[] } {
  const omitted: string[] = [];
  const endpoints = entriesOf(Buffer.from(outRoot)).filter(({ kind }) => kind === 'folder');
  const found = endpoints.map(({ path, name }) => ({
    name,
    files: filesIn(path, name, limits.files, omitted),
  }));
  const sizes = found.map(({ files }) => files.reduce((sum, { bytes }) => sum + bytes, 0));
  const most = fairSize(sizes, limits.bytes);
  let left = limits.files;
  for (const { name, files } of found) {
    let room = most;
    for (const file of files) {
      const where = `${name}/${file.name}`;
      if (left === 0) omitted.push(`${where}: the record has ${count(limits.files, 'file')} already`);
      else if (file.bytes > room)
        omitted.push(`${where}: ${file.bytes} bytes have no room (${room} are left)`);
      else {
        const problem = copied(file, join(to, name));
        if (problem !== undefined) {
          if (problem !== GONE) omitted.push(`${where}: ${problem}`);
        } else {
          room -= file.bytes;
          left--;
        }
      }
    }
  }
  return { kept: limits.files - left, omitted };
}

function linesOf(omitted: readonly string[]): string {
  const rest = omitted.length - MOST_LINES;
  return `${[...omitted.slice(0, MOST_LINES), ...(rest > 0 ? [`and ${rest} more`] : [])].join('\n')}\n`;
}

/** In the order of their names. Of a folder with very many, the first that are needed. */
function filesIn(root: Buffer, endpoint: string, most: number, omitted: string[]): Found[] {
  const files: Found[] = [];
  const walk = (folder: Buffer, prefix: string, depth: number): void => {
    for (const { path, name, kind, bytes } of entriesOf(folder)) {
      if (files.length > most) return;
      const where = `${prefix}${name}`;
      if (kind === 'file') files.push({ path, name: where, bytes });
      else if (kind === 'folder' && depth < DEEPEST) walk(path, `${where}/`, depth + 1);
      else omitted.push(`${endpoint}/${where}: ${kind === 'folder' ? 'too deep' : 'no regular file'}`);
    }
  };
  walk(root, '', 0);
  return files;
}

interface Entry {
  readonly path: Buffer;
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'other';
  readonly bytes: number;
}

function entriesOf(folder: Buffer): Entry[] {
  let names: Buffer[];
  try {
    names = readdirSync(folder, { encoding: 'buffer' });
  } catch {
    // Nobody has one, or it went away.
    return [];
  }
  return names.sort(Buffer.compare).flatMap((bytes): Entry[] => {
    const path = Buffer.concat([folder, Buffer.from('/'), bytes]);
    const found = lstatSync(path, { throwIfNoEntry: false, bigint: true });
    if (!found) return [];
    return [{ path, name: harmless(bytes), kind: kindOf(found), bytes: Number(found.size) }];
  });
}

const kindOf = (found: BigIntStats): Entry['kind'] =>
  found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other';

const HARMLESS = /^[A-Za-z0-9._+=,@-]$/;

/** Other bytes as in addresses, so that two names stay two. */
function harmless(name: Buffer): string {
  return [...name]
    .map((byte) => {
      const letter = String.fromCharCode(byte);
      return HARMLESS.test(letter) ? letter : `%${byte.toString(16).padStart(2, '0').toUpperCase()}`;
    })
    .join('');
}

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;

/** Another process that ends the run has taken it already. */
const GONE = 'gone';

/** Returns what went wrong, in words; then nothing of it is there. */
function copied({ path, name, bytes }: Found, to: string): string | undefined {
  const target = join(to, name);
  let source: number | undefined;
  try {
    source = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    // Between the look and now it may have become something else.
    if (!fstatSync(source).isFile()) return 'no regular file';
    mkdirSync(join(target, '..'), { recursive: true });
    pour(source, target, bytes);
    return undefined;
  } catch (error) {
    rmSync(target, { force: true });
    return source === undefined && (error as NodeJS.ErrnoException).code === 'ENOENT'
      ? GONE
      : (error as Error).message;
  } finally {
    if (source !== undefined) closeSync(source);
  }
}

function pour(source: number, target: string, most: number): void {
  const file = openSync(target, 'wx', 0o600);
  try {
    const piece = Buffer.allocUnsafe(Math.max(1, Math.min(PIECE, most)));
    for (let left = most; left > 0; ) {
      const read = readSync(source, piece, 0, Math.min(piece.length, left), null);
      if (read === 0) return;
      writeSync(file, piece, 0, read);
      left -= read;
    }
  } finally {
    closeSync(file);
  }
}
