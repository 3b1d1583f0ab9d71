/**
 * Room for what endpoints write. It is the machine's: an application that fills it stops others that write, and
 * agents' logs. No bound can be set for a folder, so status says when little is left.
 */
import { statfs } from 'node:fs/promises';

const MEBIBYTE = 1 << 20;
/** Little is left with less than both: a part of the whole file system, which may be small, and this much of a large one. */
const LEAST_FREE = { part: 0.1, bytes: 64 * MEBIBYTE } as const;

/** statfs(2): sizes in blocks of `bsize` bytes. `bavail`: for users that are not root. */
export interface FileSystemRoom {
  readonly bsize: number;
  readonly blocks: number;
  readonly bavail: number;
}

export class DataRoom {
  readonly #folder: string | undefined;
  readonly #read: (folder: string) => Promise<FileSystemRoom>;
  #problem: string | undefined;

  /** `folder`: absent where endpoints have none. */
  constructor(folder: string | undefined, read: (folder: string) => Promise<FileSystemRoom> = statfs) {
    this.#folder = folder;
    this.#read = read;
  }

  /** In words, while little is left. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Never rejects: a folder that is gone has no room that could be short. */
  async look(): Promise<void> {
    if (this.#folder === undefined) return;
    const room = await this.#read(this.#folder).catch(() => undefined);
    this.#problem = room && isShort(room) ? describe(this.#folder, room) : undefined;
  }
}

const isShort = ({ bsize, blocks, bavail }: FileSystemRoom): boolean =>
  bavail * bsize < Math.min(LEAST_FREE.bytes, LEAST_FREE.part * blocks * bsize);

function describe(folder: string, { bsize, bavail }: FileSystemRoom): string {
  const free = Math.floor((bavail * bsize) / MEBIBYTE);
  return `only ${free} MiB are free where ${folder} is: what applications write there may fail; remove files of theirs, or keep them elsewhere`;
}
