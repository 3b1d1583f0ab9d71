/** Reads one log file piece by piece, while it is written, rotated or removed. */
import { closeSync, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { missingAtStart, missingWithin, readCut } from '../../agent/files/log-cut.ts';

const CHUNK_BYTES = 65_536;
const NEWLINE = 10;

export interface ReadingPlan {
  /** Starts with so many of the lines that are there; absent: with all. */
  readonly tail?: number;
  /** Instead: starts at this byte, where an earlier reader has ended; at the first if the file is shorter by now. */
  readonly from?: number;
  /** Ends where the file ended when it was opened. Otherwise a writer in a loop would never be caught up with. */
  readonly once?: boolean;
}

export class LogReader {
  readonly #path: string;
  readonly #plan: ReadingPlan;
  #descriptor: number | undefined;
  #at = 0;
  #end = Number.POSITIVE_INFINITY;
  /** The last that was known of this file: its note may be removed before it is read to its end. */
  #cut = 0;
  #isFirst = true;
  /** Whether what was read last ends within a line. */
  #isWithinLine = false;

  /** The file need not be there yet. */
  constructor(path: string, plan: ReadingPlan = {}) {
    this.#path = path;
    this.#plan = plan;
  }

  /**
   * The next bytes; none if there are none now. A removed file is read to its end. A file that was replaced, or emptied, is
   * read from its start. A line says where bytes were dropped before they could be read. Throws system errors.
   */
  read(): Buffer {
    if (this.#descriptor === undefined && !this.#open()) return Buffer.alloc(0);
    const bytes = this.#next();
    if (bytes.length > 0 || this.#plan.once) return bytes;
    if (!this.#isRotated()) return bytes;
    return this.#next();
  }

  /** Of the next byte. */
  get position(): number {
    return this.#at;
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
    const { tail, from, once } = this.#plan;
    const cut = readCut(this.#path);
    this.#cut = cut <= size ? cut : 0;
    this.#at = 0;
    if (this.#isFirst && from !== undefined) this.#at = from <= size ? from : 0;
    else if (this.#isFirst && tail !== undefined)
      this.#at = startOfLast(tail, this.#descriptor, this.#cut, size);
    if (once) this.#end = size;
    this.#isFirst = false;
    return true;
  }

  #next(): Buffer {
    const from = this.#at;
    const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, Math.max(0, this.#end - from)));
    const read = readSync(this.#descriptor!, chunk, 0, chunk.length, from);
    // Asked after the reading: what was read may have been dropped meanwhile.
    this.#cut = Math.max(this.#cut, readCut(this.#path));
    const cut = this.#cut;
    if (cut > from && fstatSync(this.#descriptor!).size >= cut) return this.#skipTo(cut);
    this.#at += read;
    if (read > 0) this.#isWithinLine = chunk[read - 1] !== NEWLINE;
    return chunk.subarray(0, read);
  }

  #skipTo(cut: number): Buffer {
    const missing = this.#at === 0 ? missingAtStart(cut) : missingWithin(cut - this.#at);
    const said = Buffer.from(`${this.#isWithinLine ? '\n' : ''}${missing}`);
    this.#at = cut;
    this.#isWithinLine = false;
    return said;
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
    this.#cut = 0;
    return true;
  }
}

/** Where the last `lines` lines from `first` on start; the last one may have no end yet. 0 if there are not so many. */
function startOfLast(lines: number, descriptor: number, first: number, size: number): number {
  if (lines === 0) return size;
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let found = 0;
  for (let end = size; end > first; ) {
    const start = Math.max(first, end - CHUNK_BYTES);
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
