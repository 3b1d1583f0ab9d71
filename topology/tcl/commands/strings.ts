/** `string` and `format`. */
import { TclError, wrongArgs } from '../errors.ts';
import { globMatches } from '../glob.ts';
import type { CommandFunction, Interpreter } from '../interpreter.ts';
import { listIndex } from '../lists.ts';
import { parseBoolean, parseNumber, smallWhole } from '../numbers.ts';
import { compareTexts } from '../operators.ts';
import { formatText } from './formatting.ts';

export function stringCommands(tcl: Interpreter): Record<string, CommandFunction> {
  return {
    string: ([verb, ...args]) => tcl.budget.text(stringCommand(tcl, verb ?? '', args)),
    format: ([pattern, ...values]) => {
      if (pattern === undefined) throw wrongArgs('format formatString ?arg ...?');
      return tcl.budget.text(formatText(tcl.budget, pattern, values));
    },
    scan: ([text, pattern, ...names]) => scan(tcl, text ?? '', pattern ?? '', names),
  };
}

const BLANKS = ' \t\n\r\f\v\0';
const CLASSES: Readonly<Record<string, (text: string) => boolean>> = {
  alnum: (text) => /^[\p{L}\p{N}]+$/u.test(text),
  alpha: (text) => /^\p{L}+$/u.test(text),
  digit: (text) => /^\p{Nd}+$/u.test(text),
  lower: (text) => /^\p{Ll}+$/u.test(text),
  upper: (text) => /^\p{Lu}+$/u.test(text),
  space: (text) => /^\s+$/.test(text),
  punct: (text) => /^\p{P}+$/u.test(text),
  xdigit: (text) => /^[\da-fA-F]+$/.test(text),
  wordchar: (text) => /^\w+$/.test(text),
  boolean: (text) => parseBoolean(text) !== undefined,
  integer: (text) => typeof parseNumber(text) === 'bigint',
  wideinteger: (text) => typeof parseNumber(text) === 'bigint',
  entier: (text) => typeof parseNumber(text) === 'bigint',
  double: (text) => parseNumber(text) !== undefined,
};

function stringCommand(tcl: Interpreter, verb: string, args: readonly string[]): string {
  const { budget } = tcl;
  const [text = '', second = '', third = ''] = args;
  const need = (least: number, most: number, usage: string): void => {
    if (args.length < least || args.length > most) throw wrongArgs(`string ${verb} ${usage}`);
  };
  switch (verb) {
    case 'length':
    case 'bytelength':
      need(1, 1, 'string');
      return String(text.length);
    case 'index':
      need(2, 2, 'string charIndex');
      return text[listIndex(second, text.length)] ?? '';
    case 'range':
      need(3, 3, 'string first last');
      return text.slice(
        Math.max(0, listIndex(second, text.length)),
        Math.max(0, listIndex(third, text.length) + 1),
      );
    case 'equal':
    case 'compare': {
      const [a, b] = compared(args, need);
      const order = compareTexts(a, b);
      return verb === 'compare' ? String(order) : order === 0 ? '1' : '0';
    }
    case 'match': {
      need(2, 3, '?-nocase? pattern string');
      const ignoresCase = args.length === 3;
      return globMatches(budget, args.at(-2)!, args.at(-1)!, ignoresCase) ? '1' : '0';
    }
    case 'first':
      need(2, 3, 'needleString haystackString ?startIndex?');
      budget.room(second.length);
      return String(second.indexOf(text, third === '' ? 0 : listIndex(third, second.length)));
    case 'last':
      need(2, 3, 'needleString haystackString ?lastIndex?');
      budget.room(second.length);
      return String(
        third === '' ? second.lastIndexOf(text) : second.lastIndexOf(text, listIndex(third, second.length)),
      );
    case 'tolower':
    case 'toupper':
    case 'totitle':
      need(1, 3, 'string ?first? ?last?');
      return cased(verb, text, args.slice(1));
    case 'trim':
    case 'trimleft':
    case 'trimright':
      need(1, 2, 'string ?chars?');
      return trimmed(verb, text, args[1] ?? BLANKS);
    case 'repeat': {
      need(2, 2, 'string count');
      const count = Math.max(0, smallWhole(second));
      budget.room(text.length * count);
      return text.repeat(count);
    }
    case 'reverse':
      need(1, 1, 'string');
      return [...text].reverse().join('');
    case 'replace': {
      need(3, 4, 'string first last ?newString?');
      const [first, last] = [Math.max(0, listIndex(second, text.length)), listIndex(third, text.length)];
      if (first > last || first >= text.length) return text;
      return text.slice(0, first) + (args[3] ?? '') + text.slice(last + 1);
    }
    case 'map':
      need(2, 3, '?-nocase? charMap string');
      return mapped(tcl, args.at(-2)!, args.at(-1)!, args.length === 3);
    case 'is': {
      need(2, 5, 'class ?-strict? ?-failindex var? str');
      if (!Object.hasOwn(CLASSES, text))
        throw new TclError(`bad class "${text}"`, `use one of ${Object.keys(CLASSES).join(', ')}`);
      const value = args.at(-1)!;
      if (value === '') return args.includes('-strict') ? '0' : '1';
      return CLASSES[text]!(value) ? '1' : '0';
    }
    default:
      throw new TclError(
        `unknown or ambiguous subcommand "${verb}" of string`,
        'write e.g. string length $name',
      );
  }
}

type Need = (least: number, most: number, usage: string) => void;

function compared(args: readonly string[], need: Need): [string, string] {
  need(2, 5, '?-nocase? ?-length int? string1 string2');
  let [a, b] = args.slice(-2) as [string, string];
  const length = args.indexOf('-length');
  if (length !== -1 && length < args.length - 2) {
    const most = smallWhole(args[length + 1]!);
    if (most >= 0) [a, b] = [a.slice(0, most), b.slice(0, most)];
  }
  return args.slice(0, -2).includes('-nocase') ? [a.toLowerCase(), b.toLowerCase()] : [a, b];
}

function cased(verb: string, text: string, range: readonly string[]): string {
  const first = range[0] === undefined ? 0 : Math.max(0, listIndex(range[0], text.length));
  const last =
    range[1] === undefined
      ? range[0] === undefined
        ? text.length - 1
        : first
      : listIndex(range[1], text.length);
  const part = text.slice(first, last + 1);
  const changed =
    verb === 'tolower'
      ? part.toLowerCase()
      : verb === 'toupper'
        ? part.toUpperCase()
        : part.slice(0, 1).toUpperCase() + part.slice(1).toLowerCase();
  return text.slice(0, first) + changed + text.slice(Math.max(first, last + 1));
}

function trimmed(verb: string, text: string, chars: string): string {
  const of = new Set(chars);
  let [start, end] = [0, text.length];
  if (verb !== 'trimright') while (start < end && of.has(text[start]!)) start++;
  if (verb !== 'trimleft') while (end > start && of.has(text[end - 1]!)) end--;
  return text.slice(start, end);
}

function mapped(tcl: Interpreter, map: string, text: string, ignoresCase: boolean): string {
  const items = tcl.list(map);
  if (items.length % 2 !== 0) throw new TclError('char map list unbalanced');
  const pairs: [string, string][] = [];
  for (let at = 0; at < items.length; at += 2) if (items[at] !== '') pairs.push([items[at]!, items[at + 1]!]);
  const [source, key] = ignoresCase
    ? [text.toLowerCase(), (one: string) => one.toLowerCase()]
    : [text, (one: string) => one];
  tcl.budget.spend((text.length * pairs.length) / 64);
  const keys = pairs.map(([from, to]) => [key(from), to] as const);
  let result = '';
  for (let at = 0; at < text.length; ) {
    const found = keys.find(([from]) => source.startsWith(from, at));
    result += found ? found[1] : text[at];
    at += found ? found[0].length : 1;
    if (result.length > text.length) tcl.budget.room(found ? found[1].length : 0);
  }
  return result;
}

/** Decimal numbers, words and characters, which is what scripts take quantities apart with. */
function scan(tcl: Interpreter, text: string, pattern: string, names: readonly string[]): string {
  const found: string[] = [];
  let at = 0;
  for (const [token] of pattern.matchAll(/%[dfsc]|\s+|[\s\S]/g)) {
    if (/^\s/.test(token)) {
      at += /^\s*/.exec(text.slice(at))![0].length;
      continue;
    }
    const rest = text.slice(at, at + 1000);
    const expression = SCANNED[token] ?? undefined;
    const match = expression?.exec(rest);
    if (expression && !match) break;
    if (!expression && rest[0] !== token) break;
    at += match?.[0].length ?? 1;
    if (match) found.push(scannedValue(token, match[0]));
  }
  if (names.length === 0)
    return tcl.budget.text(found.map((one) => (/\s/.test(one) || one === '' ? `{${one}}` : one)).join(' '));
  found.slice(0, names.length).forEach((value, index) => {
    tcl.assign(names[index]!, undefined, value);
  });
  return String(found.length === 0 && text === '' ? -1 : Math.min(found.length, names.length));
}

const SCANNED: Readonly<Record<string, RegExp>> = {
  '%d': /^\s*[+-]?\d+/,
  '%f': /^\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/,
  '%s': /^\s*\S+/,
  '%c': /^[\s\S]/,
};

function scannedValue(token: string, text: string): string {
  if (token === '%c') return String(text.charCodeAt(0));
  const plain = text.trim();
  if (token === '%d') return String(BigInt(plain.replace(/^\+/, '')));
  if (token === '%f') return /[.eE]/.test(plain) ? String(Number(plain)) : `${Number(plain)}.0`;
  return plain;
}
