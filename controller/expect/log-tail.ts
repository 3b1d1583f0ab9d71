/** What an endpoint has written to its log since the last look, byte by byte. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const CHUNK_BYTES = 1 << 20;
/** Read in one look: an application that writes more must not keep the others from being looked at. */
const MOST_CHUNKS = 16;

export class LogTail {
  readonly #file: string;
  #read = 0;

  /** `file`: it need not be there yet. */
  constructor(file: string) {
    this.#file = file;
  }

  /** In pieces; a character is a byte. */
  *news(): Generator<string, void> {
    for (let chunk = 0; chunk < MOST_CHUNKS; chunk++) {
      const piece = this.#next();
      if (piece === '') return;
      yield piece;
    }
  }

  #next(): string {
    let file: number;
    try {
      file = openSync(this.#file, 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
      throw error;
    }
    try {
      const { size } = fstatSync(file);
      // It was emptied.
      if (size < this.#read) this.#read = 0;
      const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, size - this.#read));
      const bytes = readSync(file, chunk, 0, chunk.length, this.#read);
      this.#read += bytes;
      return chunk.toString('latin1', 0, bytes);
    } finally {
      closeSync(file);
    }
  }
}

/** As `LogTail` gives it. */
export const asBytes = (text: string): string => Buffer.from(text).toString('latin1');
