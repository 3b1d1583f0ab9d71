/** Numbers that endpoints write to their logs behind a text: the results of applications that measure themselves. */
import type { NumberSample } from '../../topology/judge/evidence.ts';
import { asBytes, LogTail } from './log-tail.ts';

/** Of one text; more of them are as good as these. */
const MOST_NUMBERS = 100_000;
/** Of a line that does not end; it is no line of text. */
const MOST_LINE = 1 << 16;
const NUMBER = /[ \t:=]*([-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)/y;

export class NumberWatch {
  readonly #log: LogTail;
  readonly #texts: ReadonlyMap<string, NumberSample[]>;
  /** The beginning of a line whose end is not there yet. */
  #line = '';

  /** `file`: it need not be there yet. */
  constructor(file: string, texts: readonly string[]) {
    this.#log = new LogTail(file);
    this.#texts = new Map(texts.map((text) => [asBytes(text), []]));
  }

  numbers(text: string): readonly NumberSample[] {
    return this.#texts.get(asBytes(text)) ?? [];
  }

  /** Takes the lines that are new. `nowMs`: since the timeline began. */
  look(nowMs: number): void {
    for (const news of this.#log.news()) {
      const lines = (this.#line + news).split('\n');
      this.#line = lines.pop()!.slice(-MOST_LINE);
      for (const line of lines) this.#take(line, nowMs);
    }
  }

  /** What was written last may have no end of a line. */
  end(nowMs: number): void {
    this.#take(this.#line, nowMs);
    this.#line = '';
  }

  #take(line: string, nowMs: number): void {
    for (const [text, found] of this.#texts) {
      for (let at = line.indexOf(text); at !== -1; at = line.indexOf(text, at + text.length)) {
        NUMBER.lastIndex = at + text.length;
        const number = NUMBER.exec(line);
        if (number && found.length < MOST_NUMBERS) found.push({ tMs: nowMs, value: Number(number[1]) });
      }
    }
  }
}
