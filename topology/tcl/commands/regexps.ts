/** `regexp` and `regsub`. */
import { TclError, wrongArgs } from '../errors.ts';
import type { CommandFunction, Interpreter } from '../interpreter.ts';
import { formatList, listIndex } from '../lists.ts';
import type { Match } from '../regexp/matcher.ts';
import { splitElement } from '../variables.ts';
import { matcherOf } from './matching.ts';

export function regexpCommands(tcl: Interpreter): Record<string, CommandFunction> {
  return {
    regexp: (args) => regexp(tcl, args),
    regsub: (args) => regsub(tcl, args),
  };
}

interface Options {
  readonly has: (flag: string) => boolean;
  readonly start: string;
  readonly rest: readonly string[];
}

function options(args: readonly string[], known: readonly string[]): Options {
  const flags = new Set<string>();
  let start = '0';
  let at = 0;
  for (; args[at]?.startsWith('-'); at++) {
    const flag = args[at]!;
    if (flag === '--') {
      at++;
      break;
    }
    if (flag === '-start') start = args[++at] ?? '0';
    else if (known.includes(flag)) flags.add(flag);
    else throw new TclError(`bad option "${flag}"`, `use ${known.join(', ')}, -start or --`);
  }
  return { has: (flag) => flags.has(flag), start, rest: args.slice(at) };
}

const LINES = ['-line', '-lineanchor', '-linestop'];

/** All matches from `start` on, or the first; an empty one does not stop the search. `last`: where another one may begin. */
function* matches(
  tcl: Interpreter,
  pattern: string,
  text: string,
  { has, start }: Options,
  last: number,
): Generator<Match> {
  const matcher = matcherOf(tcl, pattern, has('-nocase'), LINES.some(has));
  let at = Math.max(0, listIndex(start, text.length));
  for (let isFirst = true; isFirst || at <= last; isFirst = false) {
    tcl.budget.spend(1);
    const match = matcher.match(text, at, tcl.budget);
    if (!match) return;
    yield match;
    if (!has('-all')) return;
    at = match[1]! > match[0]! ? match[1]! : match[1]! + 1;
  }
}

function regexp(tcl: Interpreter, args: readonly string[]): string {
  const chosen = options(args, ['-all', '-inline', '-indices', '-nocase', '-expanded', ...LINES]);
  const [pattern, text, ...names] = chosen.rest;
  if (pattern === undefined || text === undefined)
    throw wrongArgs('regexp ?-option ...? exp string ?matchVar? ?subMatchVar ...?');
  const isInline = chosen.has('-inline');
  if (isInline && names.length > 0)
    throw new TclError('regexp match variables not allowed when using -inline');
  const shown = (match: Match | undefined, group: number): string => {
    const [from, to] = match ? [match[2 * group] ?? -1, match[2 * group + 1] ?? -1] : [-1, -1];
    if (chosen.has('-indices')) return from < 0 || to < 0 ? '-1 -1' : `${from} ${to - 1}`;
    return from < 0 || to < 0 ? '' : text.slice(from, to);
  };
  let count = 0;
  let last: Match | undefined;
  const inline: string[] = [];
  for (const match of matches(tcl, pattern, text, chosen, text.length - 1)) {
    count++;
    last = match;
    if (isInline) for (let group = 0; group < match.length / 2; group++) inline.push(shown(match, group));
  }
  if (isInline) return tcl.budget.text(formatList(inline));
  if (last)
    names.forEach((name, group) => {
      const { base, index } = splitElement(name);
      tcl.variables.set(base, index, shown(last, group));
    });
  return String(count);
}

function regsub(tcl: Interpreter, args: readonly string[]): string {
  const chosen = options(args, ['-all', '-nocase', '-expanded', ...LINES]);
  const [pattern, text, by, name, ...rest] = chosen.rest;
  if (pattern === undefined || text === undefined || by === undefined || rest.length > 0)
    throw wrongArgs('regsub ?-option ...? exp string subSpec ?varName?');
  let result = '';
  let from = 0;
  let count = 0;
  // An empty expression matches between characters only, any other also at the end.
  const end = text.length - (pattern === '' ? 1 : 0);
  for (const match of matches(tcl, pattern, text, chosen, end)) {
    count++;
    const replacement = filled(by, text, match);
    tcl.budget.room(replacement.length);
    result += text.slice(from, match[0]!) + replacement;
    from = match[1]!;
  }
  const value = tcl.budget.text(result + text.slice(from));
  if (name === undefined) return value;
  const { base, index } = splitElement(name);
  tcl.variables.set(base, index, value);
  return String(count);
}

/** `&` and `\0` are the match, `\1` the first group. */
function filled(by: string, text: string, match: Match): string {
  return by.replace(/\\([0-9&\\])|&/g, (all: string, char?: string) => {
    if (char === '&' || char === '\\') return char;
    const group = all === '&' ? 0 : Number(char);
    const [from, to] = [match[2 * group] ?? -1, match[2 * group + 1] ?? -1];
    return from < 0 || to < 0 ? '' : text.slice(from, to);
  });
}
