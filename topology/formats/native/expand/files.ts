/** Files that a topology file names: included ones, and tables. Whoever reads the main file hands in how to read them. */
import type { Findings } from '../../../model/diagnostics.ts';
import { quote } from '../../../model/diagnostics.ts';
import type { Extras } from '../../../model/format.ts';
import { fieldOf, type Origin, placeOf } from './origins.ts';

const MAX_FILES = 64;
const MAX_PATH = 4096;

export class Files {
  readonly #extras: Extras;
  readonly #findings: Findings;
  readonly #root: string;
  #count = 0;
  #left: number;

  /** `main`: the file that was named; `mostText`: characters of all others together. */
  constructor(main: string, extras: Extras, mostText: number, findings: Findings) {
    this.#extras = extras;
    this.#findings = findings;
    this.#root = folderOf(main);
    this.#left = mostText;
  }

  /** Its path, and its text; `undefined` if it can't be read, or must not be: `findings` then has the reason. */
  open(name: string, from: string, origin: Origin): { file: string; text: string } | undefined {
    const file = this.pathOf(name, from, origin);
    return file === undefined ? undefined : this.read(file, origin);
  }

  /** `name`: as `from` writes it, relative to the folder in which that is. */
  pathOf(name: string, from: string, origin: Origin): string | undefined {
    if (name.trim() === '' || name.length > MAX_PATH || name.includes('\0')) {
      this.#refuse(origin, `${quote(name)} is no name of a file`, 'write e.g. racks/rack1.yaml');
      return undefined;
    }
    const path = joined(folderOf(from), name);
    if (!this.#extras.outside && (name.startsWith('/') || !isBelow(path, this.#root))) {
      const message = `${quote(name)} leads out of the folder of the file that was named`;
      this.#refuse(origin, message, 'put it there, or allow it with --include-outside');
      return undefined;
    }
    return path;
  }

  /** Of a file that is no text. */
  bytes(file: string, origin: Origin): Uint8Array | undefined {
    return this.#found(file, origin, this.#extras.readBytes)?.bytes;
  }

  read(file: string, origin: Origin): { file: string; text: string } | undefined {
    const found = this.#found(file, origin, this.#extras.read);
    if (!found) return undefined;
    this.#left -= found.text.length;
    if (this.#left < 0) {
      this.#refuse(origin, 'the files together are too long', 'use ranges and replicas');
      return undefined;
    }
    return { file, text: found.text.startsWith('\uFEFF') ? found.text.slice(1) : found.text };
  }

  #found<T>(
    file: string,
    origin: Origin,
    read: ((path: string) => T | { readonly problem: string }) | undefined,
  ): T | undefined {
    if (!read) {
      this.#refuse(
        origin,
        'no other file can be read here',
        'give the file that netfold check --expand prints',
      );
      return undefined;
    }
    if (++this.#count > MAX_FILES) {
      if (this.#count === MAX_FILES + 1)
        this.#refuse(origin, `the file names more than ${MAX_FILES} others`, 'name fewer');
      return undefined;
    }
    const found = read(file);
    if (!isProblem(found)) return found;
    this.#refuse(
      origin,
      `${quote(file)} can't be read: ${found.problem}`,
      'paths are relative to the file that names them',
    );
    return undefined;
  }

  #refuse(origin: Origin, message: string, remedy: string): void {
    this.#findings.error('INCLUDE', placeOf(origin), fieldOf(origin), message, remedy);
  }
}

const isProblem = <T>(found: T | { readonly problem: string }): found is { readonly problem: string } =>
  typeof found === 'object' && found !== null && 'problem' in found;

function folderOf(file: string): string {
  const at = file.lastIndexOf('/');
  return at === -1 ? '' : file.slice(0, at + 1);
}

/** Without `.`, and without `..` where something is before it. */
function joined(folder: string, name: string): string {
  const whole = name.startsWith('/') ? name : `${folder}${name}`;
  const parts: string[] = [];
  for (const part of whole.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else parts.push(part);
  }
  return `${whole.startsWith('/') ? '/' : ''}${parts.join('/')}`;
}

function isBelow(path: string, folder: string): boolean {
  const root = joined('', folder);
  if (root === '' || root === '.') return !path.startsWith('/') && !path.startsWith('..');
  return path.startsWith(root === '/' ? '/' : `${root}/`);
}
