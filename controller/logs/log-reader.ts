/** Reads one log file piece by piece, while it is written, rotated or removed. */
import { closeSync, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';

const CHUNK_BYTES = 65_536;
const NEWLINE = 10;

export interface ReadingPlan {
  /** Starts with so many of the lines that are there; absent: with all. */
  readonly tail?: number;
  /** Ends where the file ended when it was opened. Otherwise a writer in a loop would never be caught up with. */
  readonly once?: boolean;
}

export class LogReader {
  readonly #path: string;
  readonly #plan: ReadingPlan;
  #descriptor: number | undefined;
  #at = 0;
  #end = Number.POSITIVE_INFINITY;
  #isFirst = true;

  /** The file need not be there yet. */
  constructor(path: string, plan: ReadingPlan = {}) {
    this.#path = path;
    this.#plan = plan;
  }

  /**
   * The next bytes; none if there are none now. A removed file is read to its end. A file that was replaced, or cut, is read
   * from its start. Throws system errors.
   */
  read(): Buffer {
    if (this.#descriptor === undefined && !this.#open()) return Buffer.alloc(0);
    const bytes = this.#next();
    if (bytes.length > 0 || this.#plan.once) return bytes;
    if (!this.#isRotated()) return bytes;
    return this.#next();
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #open(): boolean {
    try {
      this.#descriptor = openSync(this.#path, 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
    const { size } = fstatSync(this.#descriptor);
    const { tail, once } = this.#plan;
    this.#at = this.#isFirst && tail !== undefined ? startOfLast(tail, this.#descriptor, size) : 0;
    if (once) this.#end = size;
    this.#isFirst = false;
    return true;
  }

  #next(): Buffer {
    const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, Math.max(0, this.#end - this.#at)));
    const read = readSync(this.#descriptor!, chunk, 0, chunk.length, this.#at);
    this.#at += read;
    return chunk.subarray(0, read);
  }

  #isRotated(): boolean {
    const own = fstatSync(this.#descriptor!);
    const there: Stats | undefined = statSync(this.#path, { throwIfNoEntry: false });
    if (there && (there.ino !== own.ino || there.dev !== own.dev)) {
      this.close();
      return this.#open();
    }
    if (own.size >= this.#at) return false;
    this.#at = 0;
    return true;
  }
}

/** Where the last `lines` lines start; the last one may have no end yet. */
function startOfLast(lines: number, descriptor: number, size: number): number {
  if (lines === 0) return size;
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let found = 0;
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - CHUNK_BYTES);
    readSync(descriptor, chunk, 0, end - start, start);
    for (let index = end - start - 1; index >= 0; index--) {
      // The newline at the very end ends the last line.
      if (chunk[index] !== NEWLINE || start + index === size - 1) continue;
      found++;
      if (found === lines) return start + index + 1;
    }
    end = start;
  }
  return 0;
}
