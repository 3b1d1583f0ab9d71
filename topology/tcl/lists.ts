/** Lists of Tcl: texts that are words with braces, quotes and backslashes. */
import { TclError } from './errors.ts';
import { escapeAt, joinLines } from './escapes.ts';
import { closingBrace } from './parse.ts';

const BLANK = /\s*/y;
const PLAIN = /[^\s\\]+/y;
const PLAIN_QUOTED = /[^"\\]+/y;

/** Throws `TclError` for a text that is no list. Blanks are those of ASCII. */
export function parseList(text: string): string[] {
  if (!/[{"\\]/.test(text)) {
    const trimmed = text.trim();
    return trimmed === '' ? [] : trimmed.split(/\s+/);
  }
  const items: string[] = [];
  for (let at = skip(text, 0, BLANK); at < text.length; at = skip(text, at, BLANK)) {
    const char = text[at];
    if (char === '{') {
      const end = closing(text, at);
      items.push(joinLines(text.slice(at + 1, end)));
      at = requireBlank(text, end + 1, 'braces');
    } else if (char === '"') {
      const { value, next } = element(text, at + 1, PLAIN_QUOTED);
      if (text[next] !== '"') throw new TclError('unmatched open quote in list');
      items.push(value);
      at = requireBlank(text, next + 1, 'quotes');
    } else {
      const { value, next } = element(text, at, PLAIN);
      items.push(value);
      at = next;
    }
  }
  return items;
}

function skip(text: string, at: number, pattern: RegExp): number {
  pattern.lastIndex = at;
  pattern.test(text);
  return pattern.lastIndex;
}

function closing(text: string, at: number): number {
  try {
    return closingBrace(text, at);
  } catch (error) {
    if (error instanceof TclError) throw new TclError('unmatched open brace in list');
    throw error;
  }
}

function requireBlank(text: string, at: number, what: 'braces' | 'quotes'): number {
  if (at >= text.length || /\s/.test(text[at]!)) return at;
  throw new TclError(`list element in ${what} followed by "${text.slice(at, at + 20)}" instead of space`);
}

function element(
  text: string,
  start: number,
  plain: RegExp,
): { readonly value: string; readonly next: number } {
  let value = '';
  let at = start;
  for (;;) {
    const from = at;
    plain.lastIndex = at;
    const found = plain.exec(text)?.[0] ?? '';
    value += found;
    at += found.length;
    if (text[at] === '\\') {
      const escaped = escapeAt(text, at);
      value += escaped.value;
      at = escaped.next;
    }
    if (at === from) return { value, next: at };
  }
}

/** An item as a word of a list, so that `parseList` gives it back. */
export function listItem(text: string): string {
  if (text === '') return '{}';
  if (!/[\s;$[\]{}"\\]/.test(text)) return text.startsWith('#') ? `{${text}}` : text;
  // Those alone are escaped rather than put into braces, as tclUtil.c does it.
  if (/^[^\s;$[{}"\\][^\s;$[{}\\]*$/.test(text)) return text.replace(/["\]]/g, '\\$&');
  if (isBalanced(text)) return `{${text}}`;
  return text
    .replace(/[\s;$[\]{}"\\]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`))
    .replace(/^#/, '\\#');
}

/** Whether braces around it would hold: each one in it is closed, and no backslash comes before the last. */
function isBalanced(text: string): boolean {
  if (text.includes('\\\n')) return false;
  let depth = 0;
  for (const [found] of text.matchAll(/\\[\s\S]?|[{}]/g)) {
    if (found === '\\') return false;
    if (found === '{') depth++;
    else if (found === '}' && --depth < 0) return false;
  }
  return depth === 0;
}

export function formatList(items: readonly string[]): string {
  if (items.length === 0) return '';
  return items
    .map((item, index) =>
      index > 0 && /^#/.test(item) && !/[\s;$[\]{}"\\]/.test(item) ? item : listItem(item),
    )
    .join(' ');
}

/** `end`, `end-1`, `3`, `1+2`; may be outside of the list. Throws `TclError`. */
export function listIndex(text: string, length: number): number {
  const match = /^\s*(?:(end)|([+-]?\d{1,15}))(?:([+-])(\d{1,15}))?\s*$/.exec(text);
  if (!match) throw new TclError(`bad index "${text}": must be integer?[+-]integer? or end?[+-]integer?`);
  const [, end, number, sign, offset] = match;
  const base = end === undefined ? Number(number) : length - 1;
  return base + (sign === '-' ? -Number(offset) : Number(offset ?? 0));
}
