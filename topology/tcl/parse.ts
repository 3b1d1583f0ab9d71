/** The text of a script → commands of words, as Tcl(n) has it. Nothing is evaluated. */
import { TclError } from './errors.ts';
import { escapeAt, joinLines } from './escapes.ts';

export type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'variable'; readonly name: string; readonly index?: readonly Part[] }
  | { readonly kind: 'script'; readonly script: Script };

/** Lines and columns count from 0, from the beginning of the script. */
export interface Spot {
  readonly line: number;
  readonly column: number;
}

export interface Word extends Spot {
  readonly parts: readonly Part[];
  /** Of a word without anything to substitute. */
  readonly text?: string;
  /** The word as it is written, without its braces or quotes, if a script in it has the same lines as the file. */
  readonly source?: string;
  /** `{*}`. */
  readonly isExpanded: boolean;
}

export interface Command extends Spot {
  readonly words: readonly Word[];
  readonly start: number;
  readonly end: number;
}

export interface Script {
  readonly commands: readonly Command[];
  readonly text: string;
}

/** Brackets in brackets. */
const MAX_NESTING = 100;
const NAME = /(?:::+|\w)+/y;
const BLANK = /(?:[ \t\r\f\v]|\\\n[ \t]*)+/y;
const ENDS_BARE = new Set([' ', '\t', '\n', '\r', '\f', '\v', ';']);
/** No two alternatives begin with the same character. */
const PLAIN_BARE = /[^\s;\\$[\]"{}]+/y;
const PLAIN_QUOTED = /[^\\$["]+/y;

/** Throws `TclError` with its place, counted from 0. */
export function parseScript(text: string): Script {
  return new Parser(text).script(false);
}

/** What `subst` and `expr` substitute: parts of a text that is one word. */
export function parseParts(text: string, kinds = ALL_KINDS): readonly Part[] {
  return withoutPlace(() => new Parser(text).parts(kinds));
}

export interface Kinds {
  readonly backslashes: boolean;
  readonly commands: boolean;
  readonly variables: boolean;
}
export const ALL_KINDS: Kinds = { backslashes: true, commands: true, variables: true };

/** A `$name`, `[script]` or `"text"` of an expression, at `at`. */
export function parseOperand(
  text: string,
  at: number,
): { readonly parts: readonly Part[]; readonly next: number } {
  const parser = new Parser(text, at);
  return { parts: withoutPlace(() => parser.operand()), next: parser.at };
}

/** The text is a part of a command, whose place says more. */
function withoutPlace<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof TclError) error.place = undefined;
    throw error;
  }
}

/** Where the brace that is open at `at` is closed; throws `TclError`. */
export function closingBrace(text: string, at: number): number {
  let depth = 0;
  const brace = /[{}]|\\[\s\S]/g;
  brace.lastIndex = at;
  for (let match = brace.exec(text); match; match = brace.exec(text)) {
    if (match[0] === '{') depth++;
    else if (match[0] === '}' && --depth === 0) return match.index;
  }
  throw new TclError('missing close-brace', 'close each { with a }');
}

class Parser {
  readonly #text: string;
  at: number;
  #depth = 0;
  #lineOf = { line: 0, start: 0, end: -1 };

  constructor(text: string, at = 0) {
    this.#text = text;
    this.at = at;
  }

  script(inBrackets: boolean): Script {
    const commands: Command[] = [];
    for (;;) {
      this.#skipSeparators();
      const next = this.#text[this.at];
      if (next === undefined || (inBrackets && next === ']')) return { commands, text: this.#text };
      if (next === '#') this.#skipComment();
      else commands.push(this.#command(inBrackets));
    }
  }

  parts(kinds: Kinds): readonly Part[] {
    return this.#partsUntil(kinds, () => false, /[^\\$[]+/y);
  }

  operand(): readonly Part[] {
    if (this.#text[this.at] === '"') return this.#quoted();
    const part = this.#text[this.at] === '[' ? this.#brackets() : this.#variable();
    return [part ?? { kind: 'text', text: '$' }];
  }

  #skipSeparators(): void {
    for (;;) {
      this.#match(BLANK);
      const char = this.#text[this.at];
      if (char !== '\n' && char !== ';') return;
      this.at++;
    }
  }

  /** To the end of the line, which a backslash continues. */
  #skipComment(): void {
    const end = /\n|\\[\s\S]/g;
    end.lastIndex = this.at;
    for (let match = end.exec(this.#text); match; match = end.exec(this.#text)) {
      if (match[0] !== '\n') continue;
      this.at = match.index;
      return;
    }
    this.at = this.#text.length;
  }

  #command(inBrackets: boolean): Command {
    const start = this.at;
    const spot = this.#spot(start);
    const words: Word[] = [];
    for (;;) {
      this.#match(BLANK);
      const char = this.#text[this.at];
      if (char === undefined || char === '\n' || char === ';' || (inBrackets && char === ']')) break;
      words.push(this.#word(inBrackets));
    }
    return { ...spot, words, start, end: this.at };
  }

  #word(inBrackets: boolean): Word {
    const isExpanded = this.#text.startsWith('{*}', this.at) && /\S/.test(this.#text[this.at + 3] ?? ' ');
    if (isExpanded) this.at += 3;
    const char = this.#text[this.at];
    const at = this.at;
    if (char === '{') {
      const end = this.#closing(at);
      const spot = this.#spot(at + 1);
      this.at = end + 1;
      this.#requireEnd(inBrackets, 'brace');
      const source = this.#text.slice(at + 1, end);
      return { ...spot, parts: [], text: joinLines(source), source, isExpanded };
    }
    const spot = this.#spot(char === '"' ? at + 1 : at);
    const parts = char === '"' ? this.#quoted() : this.#bare(inBrackets);
    if (char === '"') this.#requireEnd(inBrackets, 'quote');
    const [first] = parts;
    const text =
      parts.length === 0 ? '' : parts.length === 1 && first!.kind === 'text' ? first.text : undefined;
    const inside = char === '"' ? this.#text.slice(at + 1, this.at - 1) : undefined;
    return {
      ...spot,
      parts,
      isExpanded,
      ...(text !== undefined && { text }),
      // Backslashes have made it another text.
      ...(text !== undefined && text === inside && { source: text }),
    };
  }

  #closing(at: number): number {
    try {
      return closingBrace(this.#text, at);
    } catch (error) {
      if (error instanceof TclError) error.place ??= this.#spot(at);
      throw error;
    }
  }

  #requireEnd(inBrackets: boolean, what: 'brace' | 'quote'): void {
    const next = this.#text[this.at];
    if (next === undefined || /[\s;]/.test(next) || (inBrackets && next === ']')) return;
    if (this.#text.startsWith('\\\n', this.at)) return;
    throw this.#error(`extra characters after close-${what}`, 'write a blank before the next word', this.at);
  }

  #quoted(): readonly Part[] {
    const start = this.at++;
    const parts = this.#partsUntil(ALL_KINDS, (char) => char === '"', PLAIN_QUOTED);
    if (this.#text[this.at] !== '"') throw this.#error('missing "', 'close the quotes', start);
    this.at++;
    return parts;
  }

  #bare(inBrackets: boolean): readonly Part[] {
    const ends = (char: string): boolean => ENDS_BARE.has(char) || (inBrackets && char === ']');
    return this.#partsUntil(ALL_KINDS, ends, PLAIN_BARE);
  }

  #partsUntil(kinds: Kinds, ends: (char: string) => boolean, plain: RegExp): readonly Part[] {
    const parts: Part[] = [];
    let text = '';
    const add = (part: Part): void => {
      if (text !== '') parts.push({ kind: 'text', text });
      text = '';
      parts.push(part);
    };
    for (let char = this.#text[this.at]; char !== undefined && !ends(char); char = this.#text[this.at]) {
      if (char === '\\' && this.#text[this.at + 1] === '\n' && plain === PLAIN_BARE) break;
      if (char === '\\' && kinds.backslashes) {
        const { value, next } = escapeAt(this.#text, this.at);
        text += value;
        this.at = next;
      } else if (char === '$' && kinds.variables) {
        const part = this.#variable();
        if (part) add(part);
        else text += '$';
      } else if (char === '[' && kinds.commands) add(this.#brackets());
      else text += this.#match(plain) || this.#text[this.at++]!;
    }
    if (text !== '') parts.push({ kind: 'text', text });
    return parts;
  }

  #brackets(): Part {
    const start = this.at++;
    if (++this.#depth > MAX_NESTING) throw this.#error('brackets are nested too deep', '', start);
    const script = this.script(true);
    this.#depth--;
    if (this.#text[this.at] !== ']')
      throw this.#error('missing close-bracket', 'close each [ with a ]', start);
    this.at++;
    return { kind: 'script', script };
  }

  /** `undefined`: the `$`, which is skipped, begins none. */
  #variable(): Part | undefined {
    const start = this.at++;
    if (this.#text[this.at] === '{') {
      const end = this.#text.indexOf('}', this.at);
      if (end === -1) throw this.#error('missing close-brace for variable name', 'close the brace', start);
      const whole = this.#text.slice(this.at + 1, end);
      this.at = end + 1;
      const element = /^([^(]*)\(([\s\S]*)\)$/.exec(whole);
      if (!element) return { kind: 'variable', name: whole };
      return { kind: 'variable', name: element[1]!, index: [{ kind: 'text', text: element[2]! }] };
    }
    const name = this.#match(NAME);
    if (this.#text[this.at] !== '(') return name === '' ? undefined : { kind: 'variable', name };
    this.at++;
    if (++this.#depth > MAX_NESTING) throw this.#error('indices are nested too deep', '', start);
    const index = this.#partsUntil(ALL_KINDS, (char) => char === ')', /[^\\$[)]+/y);
    this.#depth--;
    if (this.#text[this.at] !== ')')
      throw this.#error('missing )', 'close the parenthesis of the index', start);
    this.at++;
    return { kind: 'variable', name, index };
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.at += found.length;
    return found;
  }

  #error(message: string, remedy: string, at: number): TclError {
    const error = new TclError(message, remedy);
    error.place = this.#spot(at);
    return error;
  }

  /** Places are asked for about in the order of the text. */
  #spot(at: number): Spot {
    if (at < this.#lineOf.start || this.#lineOf.end === -1) this.#lineOf = this.#lineFrom(0, 0);
    // The end is kept: looking for it again for each word of a long line would be quadratic.
    while (this.#lineOf.end < at) this.#lineOf = this.#lineFrom(this.#lineOf.line + 1, this.#lineOf.end + 1);
    const { line, start } = this.#lineOf;
    return { line, column: at - start };
  }

  #lineFrom(line: number, start: number): { line: number; start: number; end: number } {
    const end = this.#text.indexOf('\n', start);
    return { line, start, end: end === -1 ? Number.POSITIVE_INFINITY : end };
  }
}
