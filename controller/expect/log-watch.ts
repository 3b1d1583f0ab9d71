/** When texts were written to the logs of endpoints: looked for ten times a second, since lines have no times. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Hit } from '../../topology/judge/evidence.ts';

/** Of one text; what comes more often says nothing new. */
const MOST_HITS = 1000;
const CHUNK_BYTES = 1 << 20;
/** Read in one look: an application that writes more must not keep the others from being looked at. */
const MOST_CHUNKS = 16;

export class LogWatch {
  readonly #file: string;
  readonly #texts: ReadonlyMap<string, Hit[]>;
  readonly #longest: number;
  #read = 0;
  /** Of what is read next, among all that the endpoint wrote; unlike `#read`, it goes on when the file is emptied. */
  #place = 0;
  /** The end of what was read: a text may stand across two looks. */
  #tail = '';

  /** `file`: it need not be there yet. */
  constructor(file: string, texts: readonly string[]) {
    this.#file = file;
    // Logs are read byte by byte.
    this.#texts = new Map(texts.map((text) => [Buffer.from(text).toString('latin1'), []]));
    this.#longest = Math.max(...[...this.#texts.keys()].map(({ length }) => length));
  }

  hits(text: string): readonly Hit[] {
    return this.#texts.get(Buffer.from(text).toString('latin1')) ?? [];
  }

  /** Notes the texts that are new. `nowMs`: since the timeline began. */
  look(nowMs: number): void {
    for (let chunk = 0; chunk < MOST_CHUNKS; chunk++) {
      const news = this.#news();
      if (news === '') return;
      this.#take(news, nowMs);
    }
  }

  #take(news: string, nowMs: number): void {
    const all = this.#tail + news;
    const start = this.#place - this.#tail.length;
    for (const [text, hits] of this.#texts) {
      // What ends in what was there already was found then.
      const at = all.indexOf(text, Math.max(0, this.#tail.length - text.length + 1));
      if (at !== -1 && hits.length < MOST_HITS) hits.push({ tMs: nowMs, place: start + at });
    }
    this.#place += news.length;
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
