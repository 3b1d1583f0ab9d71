/** When texts were written to the logs of endpoints: looked for ten times a second, since lines have no times. */
import type { Hit } from '../../topology/judge/evidence.ts';
import { asBytes, LogTail } from './log-tail.ts';

/** Of one text; what comes more often says nothing new. */
const MOST_HITS = 1000;

export class LogWatch {
  readonly #log: LogTail;
  readonly #texts: ReadonlyMap<string, Hit[]>;
  readonly #longest: number;
  /** Of what is read next, among all that the endpoint wrote; it goes on when the file is emptied. */
  #place = 0;
  /** The end of what was read: a text may stand across two looks. */
  #tail = '';

  /** `file`: it need not be there yet. */
  constructor(file: string, texts: readonly string[]) {
    this.#log = new LogTail(file);
    this.#texts = new Map(texts.map((text) => [asBytes(text), []]));
    this.#longest = Math.max(...[...this.#texts.keys()].map(({ length }) => length));
  }

  hits(text: string): readonly Hit[] {
    return this.#texts.get(asBytes(text)) ?? [];
  }

  /** Notes the texts that are new. `nowMs`: since the timeline began. */
  look(nowMs: number): void {
    for (const news of this.#log.news()) this.#take(news, nowMs);
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
}
