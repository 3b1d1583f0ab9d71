/** When texts were written to the logs of endpoints: looked for ten times a second, since lines have no times. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { logFile } from '../names.ts';

/** Of one text; what comes more often says nothing new. */
const MOST_TIMES = 1000;
const CHUNK_BYTES = 1 << 20;

export class LogWatch {
  readonly #file: string;
  readonly #texts: ReadonlyMap<string, number[]>;
  readonly #longest: number;
  #read = 0;
  /** The end of what was read: a text may stand across two looks. */
  #tail = '';

  constructor(experiment: string, endpoint: string, texts: readonly string[]) {
    this.#file = logFile(experiment, endpoint);
    this.#texts = new Map(texts.map((text) => [text, []]));
    this.#longest = Math.max(...texts.map(({ length }) => length));
  }

  times(text: string): readonly number[] {
    return this.#texts.get(text) ?? [];
  }

  /** Notes the texts that are new. `nowMs`: since the timeline began. */
  look(nowMs: number): void {
    const news = this.#news();
    if (news === '') return;
    const all = this.#tail + news;
    for (const [text, times] of this.#texts)
      if (all.includes(text) && times.length < MOST_TIMES) times.push(nowMs);
    // One character less than the longest text: what was found is not found again.
    this.#tail = all.slice(all.length - Math.min(all.length, this.#longest - 1));
  }

  #news(): string {
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
