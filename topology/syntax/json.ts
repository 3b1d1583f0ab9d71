/** JSON (RFC 8259) with the place of each value, and numbers as they are written. In linear time for any text. */
import { type Findings, quote } from '../model/diagnostics.ts';
import { MAX_DEPTH } from '../model/limits.ts';

interface Placed {
  readonly line: number;
  readonly column: number;
}

export interface JsonObject extends Placed {
  readonly kind: 'object';
  readonly members: ReadonlyMap<string, Json>;
}

export interface JsonArray extends Placed {
  readonly kind: 'array';
  readonly items: readonly Json[];
}

export interface JsonScalar extends Placed {
  /** `word`: true, false or null. */
  readonly kind: 'text' | 'number' | 'word';
  readonly text: string;
}

export type Json = JsonObject | JsonArray | JsonScalar;

/** The value of the text; `undefined` if it is no JSON, and `findings` then has the reason. */
export function parseJson(text: string, findings: Findings): Json | undefined {
  try {
    return new Parser(text).file();
  } catch (error) {
    if (!(error instanceof Mistake)) throw error;
    findings.error('JSON_SYNTAX', error.place, '', error.message, error.remedy);
    return undefined;
  }
}

/** Within this file only. */
class Mistake extends Error {
  readonly place: Placed;
  readonly remedy: string;
  constructor(place: Placed, message: string, remedy: string) {
    super(message);
    this.place = place;
    this.remedy = remedy;
  }
}

const NEWLINE = 0x0a;
const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** NetworkX writes numbers that JSON does not have, as Python does. */
const WORD = /true|false|null|NaN|-?Infinity/y;

class Parser {
  readonly #text: string;
  #at = 0;
  #line = 1;
  #lineStart = 0;

  constructor(text: string) {
    this.#text = text;
  }

  file(): Json {
    const value = this.#value(0);
    this.#skip();
    if (this.#at < this.#text.length) throw this.#mistake('more follows after the value', 'write one value');
    return value;
  }

  #place(): Placed {
    return { line: this.#line, column: this.#at - this.#lineStart + 1 };
  }

  #mistake(message: string, remedy: string): Mistake {
    return new Mistake(this.#place(), message, remedy);
  }

  #unexpected(wanted: string): Mistake {
    const rest = this.#text.slice(this.#at, this.#at + 10);
    const found = rest === '' ? 'the file ends' : `${quote(rest)} stands`;
    return this.#mistake(
      `${found} where ${wanted} belongs`,
      'write JSON: texts in ", no comma before ] and }',
    );
  }

  #skip(): void {
    for (; this.#at < this.#text.length; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === NEWLINE) {
        this.#line++;
        this.#lineStart = this.#at + 1;
      } else if (code > SPACE) return;
    }
  }

  #take(char: string): boolean {
    this.#skip();
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #value(depth: number): Json {
    this.#skip();
    if (depth > MAX_DEPTH) throw this.#mistake('the values are nested too deep', 'write a flat graph');
    const place = this.#place();
    const char = this.#text[this.#at];
    if (char === '{') return { kind: 'object', members: this.#members(depth), ...place };
    if (char === '[') return { kind: 'array', items: this.#items(depth), ...place };
    if (char === '"') return { kind: 'text', text: this.#string(), ...place };
    const word = this.#match(WORD);
    if (word !== undefined) return { kind: 'word', text: word, ...place };
    const number = this.#match(NUMBER);
    if (number !== undefined) return { kind: 'number', text: number, ...place };
    throw this.#unexpected('a value');
  }

  #members(depth: number): Map<string, Json> {
    const members = new Map<string, Json>();
    this.#at++;
    if (this.#take('}')) return members;
    do {
      this.#skip();
      if (this.#text[this.#at] !== '"') throw this.#unexpected('a key');
      const place = this.#place();
      const key = this.#string();
      if (members.has(key))
        throw new Mistake(place, `the key ${quote(key)} is written twice`, 'remove or rename one of them');
      if (!this.#take(':')) throw this.#unexpected('a colon');
      members.set(key, this.#value(depth + 1));
    } while (this.#take(','));
    if (!this.#take('}')) throw this.#unexpected('a comma or }');
    return members;
  }

  #items(depth: number): Json[] {
    const items: Json[] = [];
    this.#at++;
    if (this.#take(']')) return items;
    do items.push(this.#value(depth + 1));
    while (this.#take(','));
    if (!this.#take(']')) throw this.#unexpected('a comma or ]');
    return items;
  }

  /** With its quotes; `undefined` if it does not end on its line. */
  #raw(): string | undefined {
    const start = this.#at;
    for (let at = start + 1; at < this.#text.length; at++) {
      const code = this.#text.charCodeAt(at);
      if (code === BACKSLASH) at++;
      else if (code === QUOTE) {
        this.#at = at + 1;
        return this.#text.slice(start, this.#at);
      } else if (code === NEWLINE) return undefined;
    }
    return undefined;
  }

  #string(): string {
    const place = this.#place();
    const raw = this.#raw();
    if (raw === undefined) throw new Mistake(place, 'a text has no end on its line', 'close it with "');
    if (!raw.includes('\\')) return raw.slice(1, -1);
    try {
      return JSON.parse(raw.replaceAll('\t', '\\t')) as string;
    } catch {
      throw new Mistake(
        place,
        `${quote(raw)} has an escape that JSON does not have`,
        'write \\\\ for a backslash',
      );
    }
  }
}
