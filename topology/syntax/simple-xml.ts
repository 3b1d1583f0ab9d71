/**
 * The XML that most files consist of, in one pass over the text: elements, attributes in quotes, texts, comments. It gives what the
 * library of xml.ts gives, or nothing as soon as it meets something else (CDATA, a document type, a mistake): then the library reads
 * the file, and says what is wrong.
 */
import { MAX_DEPTH } from '../model/limits.ts';

export interface Element {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly Element[];
  /** Whether it contains other text than white space. */
  readonly hasText: boolean;
  /** Its own text, without that of elements in it, as it is written: `textOf` of xml.ts has its characters. */
  readonly source: string;
  readonly line: number;
  readonly column: number;
}

interface Place {
  readonly line: number;
  readonly column: number;
}

/** The characters that a text with entities stands for; what is wrong with them is told for `place` and `field`. */
export type Decode = (text: string, place: Place, field: string) => string;

/** `undefined`: the library has to read it. */
export function readSimpleXml(text: string, decode: Decode): Element | undefined {
  if (text.includes('\r') || (text.includes('&') && OTHER_ENTITY.test(text))) return undefined;
  return new Reader(text, decode).file();
}

const OTHER_ENTITY = /&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9a-fA-F]{1,6});)/;
const DECLARATION = /<\?xml version="1\.\d"(?: encoding="[\w.-]+")?(?: standalone="(?:yes|no)")? ?\?>/y;
const WHITE = /^[ \n\t]*$/;
const OPENING = /<([A-Za-z_][\w.:-]*)/y;
const ATTRIBUTE = /[ \n\t]+([A-Za-z_][\w.:-]*)=(?:"([^"<\n\t]*)"|'([^'<\n\t]*)')/y;
const END = /[ \n\t]*(\/?)>/y;
const CLOSING = /<\/([A-Za-z_][\w.:-]*)>/y;
const NONE: ReadonlyMap<string, string> = new Map();

interface Open extends Place {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: Element[];
  text: string;
}

class Reader {
  readonly #text: string;
  readonly #decode: Decode;
  #at = 0;
  #line = 1;
  #lineStart = 0;
  #newline: number;

  constructor(text: string, decode: Decode) {
    this.#text = text;
    this.#decode = decode;
    this.#newline = text.indexOf('\n');
  }

  file(): Element | undefined {
    const text = this.#text;
    const open: Open[] = [];
    let root: Element | undefined;
    this.#match(DECLARATION);
    /** Since the last tag: a comment does not divide a text. */
    let pending = '';
    for (;;) {
      const start = text.indexOf('<', this.#at);
      const piece = text.slice(this.#at, start === -1 ? text.length : start);
      const isWhite = WHITE.test(piece);
      const inner = open.at(-1);
      if (!inner && !isWhite) return undefined;
      if (inner) pending += piece;
      if (start === -1) return inner ? undefined : root;
      this.#at = start;
      if (text.startsWith('<!--', start)) {
        const end = text.indexOf('-->', start + 4);
        if (end === -1) return undefined;
        this.#at = end + 3;
        continue;
      }
      if (inner) inner.text += pending.trim();
      pending = '';
      const closed = this.#match(CLOSING);
      if (closed) {
        if (!inner || closed[1] !== inner.name) return undefined;
        open.pop();
        const element = elementOf(inner);
        if (open.length === 0) root = element;
        else open.at(-1)!.children.push(element);
        continue;
      }
      const next = root || open.length >= MAX_DEPTH ? undefined : this.#open();
      if (!next) return undefined;
      if (!next.isEmpty) open.push(next.element);
      else if (open.length === 0) root = elementOf(next.element);
      else open.at(-1)!.children.push(elementOf(next.element));
    }
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match) this.#at = pattern.lastIndex;
    return match;
  }

  #open(): { readonly element: Open; readonly isEmpty: boolean } | undefined {
    const place = this.#place();
    const [, name] = this.#match(OPENING) ?? [];
    if (name === undefined || isReserved(name)) return undefined;
    let attributes: Map<string, string> | undefined;
    for (let match = this.#match(ATTRIBUTE); match; match = this.#match(ATTRIBUTE)) {
      const [, key, double, single] = match as unknown as [string, string, string?, string?];
      attributes ??= new Map();
      if (isReserved(key) || attributes.has(key)) return undefined;
      attributes.set(key, this.#decode((double ?? single!).trim(), place, `<${name}> ${key}`));
    }
    const end = this.#match(END);
    if (!end) return undefined;
    return {
      element: { name, attributes: attributes ?? NONE, children: [], text: '', ...place },
      isEmpty: end[1] === '/',
    };
  }

  #place(): Place {
    while (this.#newline !== -1 && this.#newline < this.#at) {
      this.#line++;
      this.#lineStart = this.#newline + 1;
      this.#newline = this.#text.indexOf('\n', this.#lineStart);
    }
    return { line: this.#line, column: this.#at - this.#lineStart + 1 };
  }
}

/** What the library calls otherwise, or refuses. */
const isReserved = (name: string): boolean => name in Object.prototype || name === 'prototype';

function elementOf({ name, attributes, children, text, line, column }: Open): Element {
  const source = text.trim();
  return { name, attributes, children, hasText: source !== '', source, line, column };
}
