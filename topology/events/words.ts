/** An event line → words with their columns, and a cursor over them whose errors say what was expected. */
import type { Findings } from '../model/diagnostics.ts';
import { quote } from '../model/diagnostics.ts';
import { suggest } from '../model/names.ts';
import type { Position } from '../model/position.ts';

export interface Word {
  readonly text: string;
  /** A quoted text, as after `run`; it is never a keyword or a name. */
  readonly quoted: boolean;
  readonly position: Position;
}

type LineErrorCode = 'EVENT_SYNTAX' | 'EXPECT_SYNTAX' | 'UNIT';

/** Thrown inside the grammar and caught in `parseEvent`: only the first error of a line is useful. */
export class LineError extends Error {
  readonly position: Position;
  readonly remedy: string;
  readonly code: LineErrorCode;

  constructor(position: Position, message: string, remedy: string, code: LineErrorCode = 'EVENT_SYNTAX') {
    super(message);
    this.position = position;
    this.remedy = remedy;
    this.code = code;
  }
}

/** Characters of an event. */
export const MAX_LINE = 10_000;
const WORD = /"((?:[^"\\]|\\["\\])*)"|([^\s"|]+)|(\|)|(")/g;

/** Cuts a line into words; `place` gives the position of a character. Throws `LineError`. */
export type Split = (line: string, place: (index: number) => Position) => readonly Word[];

function splitEvent(line: string, place: (index: number) => Position): Word[] {
  return [...line.matchAll(WORD)].map((match): Word => {
    const position = place(match.index);
    if (match[4] !== undefined) {
      throw new LineError(
        position,
        'a text in quotes does not end',
        'close the quotes; a YAML line with # or ": " needs quotes of its own',
      );
    }
    if (match[1] !== undefined) return { text: match[1].replace(/\\(["\\])/g, '$1'), quoted: true, position };
    return { text: match[2] ?? '|', quoted: false, position };
  });
}

export class Words {
  readonly #words: readonly Word[];
  readonly #end: Position;
  #next = 0;

  /** `start`: the position of the line's first character in the file. */
  constructor(line: string, start: Position, split: Split = splitEvent) {
    if (line.length > MAX_LINE)
      throw new LineError(start, 'the line is too long', `write at most ${MAX_LINE} characters`);
    const place = (index: number): Position => ({ ...start, column: start.column + index });
    this.#words = split(line, place);
    this.#end = place(line.trimEnd().length);
  }

  get position(): Position {
    return this.#words[this.#next]?.position ?? this.#end;
  }

  peek(): Word | undefined {
    return this.#words[this.#next];
  }

  /** The last word that was taken. */
  get last(): Word {
    return this.#words[this.#next - 1]!;
  }

  /** Takes the next word, whatever it is. */
  take(expected: string): Word {
    const word = this.#words[this.#next];
    if (!word) throw this.unexpected(expected);
    this.#next++;
    return word;
  }

  /** Takes the next word if it is `keyword`. */
  skip(keyword: string): boolean {
    const word = this.peek();
    if (!word || word.quoted || word.text !== keyword) return false;
    this.#next++;
    return true;
  }

  demand(keyword: string, expected: string): void {
    if (!this.skip(keyword)) throw this.unexpected(expected);
  }

  keyword<T extends string>(allowed: readonly T[], what: string): T {
    const word = this.peek();
    const found = word && !word.quoted ? allowed.find((one) => one === word.text) : undefined;
    if (found === undefined) {
      const remedy = word
        ? suggest(word.text, allowed, `write one of ${allowed.join(' ')}`)
        : `write one of ${allowed.join(' ')}`;
      throw this.unexpected(what, remedy);
    }
    this.#next++;
    return found;
  }

  atEnd(): boolean {
    return this.#next >= this.#words.length;
  }

  unexpected(expected: string, remedy = `write ${expected}`): LineError {
    const word = this.peek();
    const found = word ? `found ${quote(word.text)}` : 'the line ends';
    return new LineError(this.position, `expected ${expected}, but ${found}`, remedy);
  }
}

/** Runs `parse`; an error of the line becomes a finding and gives `undefined`. */
export function reportingLineErrors<T>(field: string, findings: Findings, parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof LineError)) throw error;
    findings.error(error.code, error.position, field, error.message, error.remedy);
    return undefined;
  }
}
