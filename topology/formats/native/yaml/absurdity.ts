/**
 * Texts that no topology is, and that cost the YAML library far more than the same number of characters of a valid file:
 * found before it reads them, in one pass over the characters.
 */
import { MAX_DEPTH } from '../../../model/limits.ts';

export interface Absurdity {
  /** `depth`: nested endlessly. `empty`: lines without a value. */
  readonly kind: 'depth' | 'empty';
  readonly line: number;
}

/** Brackets in texts count too: hence more than a topology's depth. */
const MAX_BRACKETS = 500;
/** In a script after `run: |`, some lines may look like it. */
const MAX_EMPTY = 1000;

/**
 * Brackets or dashes that are nested endlessly, or more than a thousand keys and entries (`-`, `name:`) without a value: on
 * each of these the library spends some microseconds and 700 bytes.
 */
export function absurdity(text: string): Absurdity | undefined {
  let depth = 0;
  let empty = 0;
  let line = 0;
  /** The greatest indentation of a line that leaves the line before, which ends with `-` or `:`, without a value. */
  let open = -1;
  let isKey = false;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    line++;
    for (let at = start; at < end; at++) {
      depth += BRACKETS[text.charCodeAt(at)] ?? 0;
      if (depth > MAX_BRACKETS) return { kind: 'depth', line };
    }
    const first = skipBlanks(text, start, end);
    if (first < end && text[first] !== '#') {
      // The entries of a list may be as far to the left as its key.
      const isEntry = text[first] === '-' && isKey;
      if (first - start <= (isEntry ? open - 1 : open) && ++empty > MAX_EMPTY) return { kind: 'empty', line };
      if (dashesAt(text, first, end) > MAX_DEPTH) return { kind: 'depth', line };
      const last = lastOf(text, first, end);
      isKey = text[last] === ':';
      open = isKey || (last === first && text[last] === '-') ? first - start : -1;
    }
    start = end + 1;
  }
  return undefined;
}

const BRACKETS: readonly number[] = Object.assign(Array<number>(128).fill(0), {
  [code('[')]: 1,
  [code('{')]: 1,
  [code(']')]: -1,
  [code('}')]: -1,
});

function code(character: string): number {
  return character.charCodeAt(0);
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t' || character === '\r';
}

function skipBlanks(text: string, from: number, end: number): number {
  let at = from;
  while (at < end && isBlank(text[at])) at++;
  return at;
}

/** How many lists and keys begin at once: 3 in `- - ? a`. */
function dashesAt(text: string, from: number, end: number): number {
  let count = 0;
  let at = from;
  while (at < end && '-?:'.includes(text[at]!) && isBlank(text[at + 1])) {
    count++;
    at = skipBlanks(text, at + 1, end);
  }
  return count;
}

/** The last character of the line that is no blank. */
function lastOf(text: string, first: number, end: number): number {
  let last = end - 1;
  while (last > first && isBlank(text[last])) last--;
  return last;
}
