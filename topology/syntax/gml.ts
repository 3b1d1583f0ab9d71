/**
 * GML (Himsolt, "GML: A portable Graph File Format", 1997): keys and values, of which a value may be a list of the same. In
 * linear time for any text.
 */
import { type Findings, quote } from '../model/diagnostics.ts';
import { MAX_DEPTH } from '../model/limits.ts';

export interface GmlEntry {
  readonly key: string;
  /** The characters of a number, a word or a text; or the list. */
  readonly value: string | readonly GmlEntry[];
  readonly line: number;
  readonly column: number;
}

interface Open {
  readonly entries: GmlEntry[];
  readonly line: number;
  readonly column: number;
}

/** The entries of the file; `undefined` if it is no GML, and `findings` then has the reason. */
export function parseGml(text: string, findings: Findings): GmlEntry[] | undefined {
  const scanner = new Scanner(text);
  const root: GmlEntry[] = [];
  const open: Open[] = [];
  let entries = root;
  const fail = (place: { line: number; column: number }, message: string, remedy: string): undefined => {
    findings.error('GML_SYNTAX', place, '', message, remedy);
    return undefined;
  };
  for (let token = scanner.next(); token.kind !== 'end'; token = scanner.next()) {
    const { line, column } = token;
    if (token.kind === ']') {
      const last = open.pop();
      if (!last) return fail(token, 'a ] closes nothing', 'remove it');
      entries = open.at(-1)?.entries ?? root;
      continue;
    }
    if (token.kind !== 'word' || !/^[A-Za-z_]\w{0,199}$/.test(token.text))
      return fail(token, `${quote(token.text)} stands where a key belongs`, 'write e.g. label "Rome"');
    const value = scanner.next();
    if (value.kind === 'open text') return fail(value, 'a text has no end', 'close it with "');
    if (value.kind === 'end' || value.kind === ']')
      return fail(token, `the key ${quote(token.text)} has no value`, 'write e.g. label "Rome"');
    if (value.kind !== '[') {
      entries.push({ key: token.text, value: value.text, line, column });
      continue;
    }
    if (open.length >= MAX_DEPTH) return fail(value, 'the lists are nested too deep', 'write a flat graph');
    const list: GmlEntry[] = [];
    entries.push({ key: token.text, value: list, line, column });
    open.push({ entries: list, line: value.line, column: value.column });
    entries = list;
  }
  const last = open.at(-1);
  return last ? fail(last, 'the list that begins here has no end', 'close it with ]') : root;
}

interface Token {
  readonly kind: '[' | ']' | 'word' | 'text' | 'open text' | 'end';
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

const NEWLINE = 0x0a;
const SPACE = 0x20;

class Scanner {
  readonly #text: string;
  #at = 0;
  #line = 1;
  #lineStart = 0;
  /** Whether nothing but white space was on the line. */
  #isFresh = true;

  constructor(text: string) {
    this.#text = text;
  }

  next(): Token {
    this.#skip();
    const at = this.#at;
    const place = { line: this.#line, column: at - this.#lineStart + 1 };
    this.#isFresh = false;
    if (at >= this.#text.length) return { kind: 'end', text: '', ...place };
    const char = this.#text[at]!;
    if (char === '[' || char === ']') {
      this.#at++;
      return { kind: char, text: char, ...place };
    }
    if (char === '"') return { ...this.#quoted(), ...place };
    while (this.#at < this.#text.length && !this.#endsWord(this.#at)) this.#at++;
    return { kind: 'word', text: this.#text.slice(at, this.#at), ...place };
  }

  #endsWord(at: number): boolean {
    const char = this.#text[at];
    return this.#text.charCodeAt(at) <= SPACE || char === '[' || char === ']' || char === '"';
  }

  /** White space, and lines that begin with `#`. */
  #skip(): void {
    for (; this.#at < this.#text.length; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === NEWLINE) this.#newline(this.#at);
      else if (this.#isFresh && this.#text[this.#at] === '#') {
        const end = this.#text.indexOf('\n', this.#at);
        this.#at = end === -1 ? this.#text.length : end - 1;
      } else if (code > SPACE) return;
    }
  }

  #quoted(): Pick<Token, 'kind' | 'text'> {
    const start = this.#at + 1;
    const end = this.#text.indexOf('"', start);
    if (end === -1) {
      this.#at = this.#text.length;
      return { kind: 'open text', text: '' };
    }
    const raw = this.#text.slice(start, end);
    for (let at = raw.indexOf('\n'); at !== -1; at = raw.indexOf('\n', at + 1)) this.#newline(start + at);
    this.#at = end + 1;
    this.#isFresh = false;
    return { kind: 'text', text: raw.includes('&') ? decode(raw) : raw };
  }

  #newline(at: number): void {
    this.#line++;
    this.#lineStart = at + 1;
    this.#isFresh = true;
  }
}

/** HTML's names of the characters 160 to 255, which GML uses since it is ASCII (Himsolt, section 2). */
const LATIN_1 =
  'nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml';
const NAMED: ReadonlyMap<string, string> = new Map([
  ...LATIN_1.split(' ').map((name, index): [string, string] => [name, String.fromCodePoint(160 + index)]),
  ...Object.entries({ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }),
]);

/** What is no entity stays as it is: `AT&T`. */
function decode(raw: string): string {
  return raw.replace(/&(#x[0-9a-fA-F]{1,6}|#\d{1,7}|\w{1,10});/g, (whole, entity: string) => {
    if (!entity.startsWith('#')) return NAMED.get(entity) ?? whole;
    const code = entity[1] === 'x' ? Number.parseInt(entity.slice(2), 16) : Number(entity.slice(1));
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

/** Whether the text begins as a file of GML with a graph does: plain keys, then `graph [`. */
export function looksLikeGml(text: string): boolean {
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    // A long line is none of those that may stand before the graph.
    const line = text.slice(start, Math.min(end, start + MAX_LINE)).trim();
    if (/^graph(?:\s*\[|$)/.test(line)) return true;
    if (line !== '' && !line.startsWith('#') && !/^[A-Za-z_]\w*\s+(?:"[^"]*"|[\w.+-]+)$/.test(line))
      return false;
    start = end + 1;
  }
  return false;
}

const MAX_LINE = 1000;
