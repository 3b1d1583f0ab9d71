/**
 * The YAML that most files consist of, in one pass over the text: mappings and lists in blocks, or in braces and brackets on one
 * line, and texts of one line. It gives what the YAML library gives, or nothing as soon as it meets something else (an anchor, a
 * tag, a text of several lines, a mistake): then the library reads the file, and says what is wrong. It takes a tenth of the
 * library's time and memory.
 */
import { MAX_DEPTH } from '../model/limits.ts';
import { YamlPlaces } from './yaml-places.ts';

export interface SimpleYaml {
  readonly value: Readonly<Record<string, unknown>>;
  readonly places: YamlPlaces;
}

/** `undefined`: the library has to read it. */
export function readSimpleYaml(text: string): SimpleYaml | undefined {
  if (OTHER_CHARACTERS.test(text)) return undefined;
  try {
    return new Reader(text).file();
  } catch (error) {
    if (!(error instanceof Beyond)) throw error;
    return undefined;
  }
}

/** Thrown where something begins that the library has to read. */
class Beyond extends Error {}

/** Tabs, carriage returns, control characters, and what some programs take for the end of a line. */
const OTHER_CHARACTERS = /[^\n -~\u00a0-\u2027\u202a-\ufefe\uff00-\uffff]/;
/** A key without quotes, before a colon that ends it. */
const KEY = /[A-Za-z_][\w.-]*(?=:(?:[ \n]|$))/y;
/** An implicit key may have 1,024 characters. */
const MAX_KEY = 200;
const WHOLE = /^-?\d{1,15}$/;
const DECIMAL = /^-?\d{1,15}\.\d{1,15}$/;
/** Everything that begins like a number in YAML, without the two above; a text that does is read by the library. Linear in digits. */
const OTHER_NUMBER = /^[-+]?(?:0[ox]|\d+(?:\.\d*)?(?:[eE]|$)|\.(?:\d|inf|nan))/i;
const WORDS: ReadonlyMap<string, boolean | null> = new Map([
  ...['true', 'True', 'TRUE'].map((word) => [word, true] as const),
  ...['false', 'False', 'FALSE'].map((word) => [word, false] as const),
  ...['null', 'Null', 'NULL'].map((word) => [word, null] as const),
]);

const code = (character: string): number => character.charCodeAt(0);
const SPACE = code(' ');
const HASH = code('#');
const COLON = code(':');
const COMMA = code(',');
const DASH = code('-');
const SINGLE = code("'");
const DOUBLE = code('"');
const [OPEN_LIST, CLOSE_LIST, OPEN_MAP, CLOSE_MAP] = [code('['), code(']'), code('{'), code('}')];

const tableOf = (characters: string): Uint8Array =>
  Uint8Array.from({ length: 128 }, (_, index) => (characters.includes(String.fromCharCode(index)) ? 1 : 0));
/** With which a text without quotes does not begin, or means something of its own. */
const NO_START = tableOf('-?:,[]{}#&*!|>\'"%@`~<=');
const LETTERS = tableOf('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./');
const FLOW = tableOf(',[]{}');

class Reader {
  readonly #text: string;
  readonly #places: YamlPlaces;
  /** The present line: its indentation (of a mapping behind a dash: the column of its keys), and its end. -1: the text is over. */
  #indent = 0;
  #end = 0;
  /** The next character to be read. */
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#places = new YamlPlaces(text);
  }

  file(): SimpleYaml {
    this.#nextLine(0);
    if (this.#indent !== 0) throw new Beyond();
    const value = this.#mapping(0, 1);
    if (!this.#isOver) throw new Beyond();
    this.#places.setRoot(value);
    return { value, places: this.#places };
  }

  /** To the next line that is neither empty nor a comment. */
  #nextLine(from: number): void {
    const text = this.#text;
    for (let start = from; start < text.length; start = this.#end + 1) {
      const newline = text.indexOf('\n', start);
      this.#end = newline === -1 ? text.length : newline;
      this.#at = this.#skip(start);
      this.#indent = this.#at - start;
      if (this.#at < this.#end && text.charCodeAt(this.#at) !== HASH) return;
    }
    this.#indent = -1;
  }

  #skip(from: number): number {
    let at = from;
    while (this.#text.charCodeAt(at) === SPACE) at++;
    return at;
  }

  /** Of a container that begins here: the list for the offsets of its entries. */
  #begin(container: object, depth: number): number[] {
    if (depth > MAX_DEPTH) throw new Beyond();
    return this.#places.begin(container, this.#at);
  }

  get #isOver(): boolean {
    return this.#indent === -1;
  }

  /** Whether a list's entry begins here. */
  #isEntry(): boolean {
    return this.#text.charCodeAt(this.#at) === DASH && this.#text.charCodeAt(this.#at + 1) === SPACE;
  }

  #mapping(indent: number, depth: number): Record<string, unknown> {
    const map: Record<string, unknown> = {};
    const places = this.#begin(map, depth);
    do {
      const start = this.#at;
      const key = this.#key(map);
      const at = this.#skip(this.#at);
      if (at === this.#end || this.#text.charCodeAt(at) === HASH) {
        const value = this.#below(indent, depth + 1);
        map[key] = value;
        places.push(start, this.#places.startOf(value), this.#text.length);
      } else {
        this.#at = at;
        map[key] = this.#value(depth + 1);
        places.push(start, at, this.#at);
        this.#endLine(indent);
      }
    } while (this.#indent === indent && !this.#isEntry());
    if (this.#indent > indent) throw new Beyond();
    return map;
  }

  /** What stands in the lines below a key. */
  #below(indent: number, depth: number): object {
    this.#nextLine(this.#end + 1);
    if (this.#indent < indent) throw new Beyond();
    if (this.#isEntry()) return this.#list(this.#indent, depth);
    if (this.#indent === indent) throw new Beyond();
    return this.#mapping(this.#indent, depth);
  }

  #list(indent: number, depth: number): unknown[] {
    const list: unknown[] = [];
    const places = this.#begin(list, depth);
    do {
      const at = this.#skip(this.#at + 1);
      if (at === this.#end) throw new Beyond();
      KEY.lastIndex = at;
      if (KEY.test(this.#text)) {
        const column = indent + at - this.#at;
        this.#at = at;
        list.push(this.#mapping(column, depth + 1));
        places.push(at, at, this.#text.length);
      } else {
        this.#at = at;
        list.push(this.#value(depth + 1));
        places.push(at, at, this.#at);
        this.#endLine(indent);
      }
    } while (this.#indent === indent && this.#isEntry());
    if (this.#indent > indent) throw new Beyond();
    return list;
  }

  /** After a value: nothing but a comment may follow, and the next line must not go on with it. */
  #endLine(indent: number): void {
    const at = this.#skip(this.#at);
    if (at < this.#end && (at === this.#at || this.#text.charCodeAt(at) !== HASH)) throw new Beyond();
    this.#nextLine(this.#end + 1);
    if (this.#indent > indent) throw new Beyond();
  }

  /** With its colon. Keys that look like numbers would not keep their order in an object. */
  #key(map: object): string {
    const first = this.#text.charCodeAt(this.#at);
    let key: string;
    if (first === DOUBLE || first === SINGLE) {
      key = this.#quoted(first);
      if (this.#text.charCodeAt(this.#at) !== COLON) throw new Beyond();
      if (this.#at + 1 < this.#end && this.#text.charCodeAt(this.#at + 1) !== SPACE) throw new Beyond();
    } else {
      KEY.lastIndex = this.#at;
      if (!KEY.test(this.#text)) throw new Beyond();
      key = this.#text.slice(this.#at, KEY.lastIndex);
      this.#at = KEY.lastIndex;
    }
    this.#at++;
    if (key.length > MAX_KEY || key === '__proto__' || /^\d/.test(key) || Object.hasOwn(map, key))
      throw new Beyond();
    return key;
  }

  /** On the line, in a block. */
  #value(depth: number): unknown {
    const first = this.#text.charCodeAt(this.#at);
    if (first === OPEN_MAP) return this.#flowMapping(depth);
    if (first === OPEN_LIST) return this.#flowList(depth);
    if (first === DOUBLE || first === SINGLE) return this.#quoted(first);
    return this.#plain(false);
  }

  #flowMapping(depth: number): object {
    const map: Record<string, unknown> = {};
    const places = this.#begin(map, depth);
    this.#at = this.#skip(this.#at + 1);
    if (this.#text.charCodeAt(this.#at) === CLOSE_MAP) this.#at++;
    else {
      do {
        const start = this.#at;
        const key = this.#key(map);
        this.#at = this.#skip(this.#at);
        const at = this.#at;
        map[key] = this.#flowValue(depth + 1);
        places.push(start, at, this.#at);
      } while (this.#goesOn(CLOSE_MAP));
    }
    return map;
  }

  #flowList(depth: number): unknown[] {
    const list: unknown[] = [];
    const places = this.#begin(list, depth);
    this.#at = this.#skip(this.#at + 1);
    if (this.#text.charCodeAt(this.#at) === CLOSE_LIST) this.#at++;
    else {
      do {
        const at = this.#at;
        list.push(this.#flowValue(depth + 1));
        places.push(at, at, this.#at);
      } while (this.#goesOn(CLOSE_LIST));
    }
    return list;
  }

  /** After an entry in braces or brackets: whether another one follows. */
  #goesOn(close: number): boolean {
    const at = this.#skip(this.#at);
    const next = this.#text.charCodeAt(at);
    if (next !== COMMA && next !== close) throw new Beyond();
    this.#at = next === COMMA ? this.#skip(at + 1) : at + 1;
    return next === COMMA;
  }

  #flowValue(depth: number): unknown {
    const first = this.#text.charCodeAt(this.#at);
    if (first === OPEN_MAP) return this.#flowMapping(depth);
    if (first === OPEN_LIST) return this.#flowList(depth);
    if (first === DOUBLE || first === SINGLE) return this.#quoted(first);
    return this.#plain(true);
  }

  #quoted(quote: number): string {
    const text = this.#text;
    const start = this.#at;
    let at = start + 1;
    let hasEscapes = false;
    for (; at < this.#end && text.charCodeAt(at) !== quote; at++) {
      if (quote !== DOUBLE || text[at] !== '\\') continue;
      hasEscapes = true;
      at++;
    }
    if (at >= this.#end || (quote === SINGLE && text.charCodeAt(at + 1) === SINGLE)) throw new Beyond();
    this.#at = at + 1;
    return hasEscapes ? unescaped(text.slice(start, this.#at)) : text.slice(start + 1, at);
  }

  /** A text without quotes, and what it stands for. */
  #plain(isInFlow: boolean): unknown {
    const text = this.#text;
    const start = this.#at;
    const first = text.charCodeAt(start);
    const isNegative = first === DASH && LETTERS[text.charCodeAt(start + 1)] === 1;
    if (start >= this.#end || (NO_START[first] === 1 && !isNegative)) throw new Beyond();
    let last = start;
    let at = start;
    for (; at < this.#end; at++) {
      const character = text.charCodeAt(at);
      if (character === SPACE) continue;
      if (character === HASH && text.charCodeAt(at - 1) === SPACE) break;
      if (character === COLON && LETTERS[text.charCodeAt(at + 1)] !== 1) throw new Beyond();
      if (isInFlow && FLOW[character] === 1) break;
      last = at;
    }
    // A flow ends on its line, before any comment.
    if (isInFlow && (at >= this.#end || text.charCodeAt(at) === HASH)) throw new Beyond();
    this.#at = last + 1;
    return scalarOf(text.slice(start, this.#at));
  }
}

/** Escapes of JSON mean the same in YAML, which has more. */
function unescaped(raw: string): string {
  try {
    return JSON.parse(raw) as string;
  } catch {
    throw new Beyond();
  }
}

/** Of the core schema (YAML 1.2.2, section 10.3.2). */
function scalarOf(text: string): unknown {
  const first = text.charCodeAt(0);
  // Numbers begin with + - . or a digit, and words have at most five letters.
  if (first <= 0x39) {
    if (WHOLE.test(text) || DECIMAL.test(text)) return Number(text);
    if (OTHER_NUMBER.test(text)) throw new Beyond();
    return text;
  }
  if (text.length > 5) return text;
  const word = WORDS.get(text);
  return word === undefined ? text : word;
}
