/** `lsort` and `lsearch`. */
import { TclError, wrongArgs } from '../errors.ts';
import { globMatches } from '../glob.ts';
import type { Call, CommandFunction, Interpreter } from '../interpreter.ts';
import { formatList, listIndex } from '../lists.ts';
import { anyNumber, smallWhole, wholeNumber } from '../numbers.ts';
import { compareTexts } from '../operators.ts';
import { matcherOf } from './matching.ts';

export function sortCommands(tcl: Interpreter): Record<string, CommandFunction> {
  return {
    lsort: (args, call) => sort(tcl, args, call),
    lsearch: (args) => search(tcl, args),
  };
}

type Compare = (a: string, b: string) => number;

const COMPARISONS: Readonly<Record<string, Compare>> = {
  '-ascii': compareTexts,
  '-integer': (a, b) => compareAny(wholeNumber(a), wholeNumber(b)),
  '-real': (a, b) => compareAny(anyNumber(a), anyNumber(b)),
  '-dictionary': compareAsDictionary,
};

function compareAny<T extends number | bigint>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Without case, and numbers in texts as numbers. */
function compareAsDictionary(a: string, b: string): number {
  const pieces = (text: string): string[] => text.toLowerCase().match(/\d+|\D+/g) ?? [];
  const [left, right] = [pieces(a), pieces(b)];
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const [x, y] = [left[at]!, right[at]!];
    if (x === y) continue;
    const order = /^\d/.test(x) && /^\d/.test(y) ? compareDigits(x, y) : compareTexts(x, y);
    if (order !== 0) return order;
  }
  return left.length - right.length || compareTexts(a, b);
}

function compareDigits(a: string, b: string): number {
  const [x, y] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  return x.length - y.length || compareTexts(x, y);
}

function sort(tcl: Interpreter, args: readonly string[], call: Call): string {
  let compare: Compare = compareTexts;
  let [isReversed, isUnique] = [false, false];
  let index: string | undefined;
  let at = 0;
  for (; at < args.length - 1; at++) {
    const option = args[at]!;
    if (option === '-decreasing') isReversed = true;
    else if (option === '-increasing') isReversed = false;
    else if (option === '-unique') isUnique = true;
    else if (option === '-nocase') compare = (a, b) => compareTexts(a.toLowerCase(), b.toLowerCase());
    else if (option === '-index') index = args[++at];
    else if (option === '-command') compare = byCommand(tcl, args[++at] ?? '', call);
    else if (Object.hasOwn(COMPARISONS, option)) compare = COMPARISONS[option]!;
    else
      throw new TclError(
        `bad option "${option}" of lsort`,
        'use -integer, -real, -dictionary, -decreasing, -unique, -index or -command',
      );
  }
  if (at !== args.length - 1) throw wrongArgs('lsort ?-option value ...? list');
  const items = tcl
    .list(args.at(-1)!)
    .map((item) => ({ item, key: index === undefined ? item : keyOf(tcl, item, index) }));
  tcl.budget.spend((items.length * Math.log2(items.length + 1)) / 16);
  const sorted = items.sort((a, b) => (isReversed ? compare(b.key, a.key) : compare(a.key, b.key)));
  const kept = isUnique
    ? sorted.filter(
        (one, place) => place === sorted.length - 1 || compare(one.key, sorted[place + 1]!.key) !== 0,
      )
    : sorted;
  return tcl.budget.text(formatList(kept.map(({ item }) => item)));
}

function keyOf(tcl: Interpreter, item: string, index: string): string {
  const items = tcl.list(item);
  const found = items[listIndex(index, items.length)];
  if (found === undefined) throw new TclError(`element ${index} missing from sublist "${item}"`);
  return found;
}

function byCommand(tcl: Interpreter, command: string, call: Call): Compare {
  const words = tcl.list(command);
  return (a, b) => {
    tcl.budget.spend(1);
    return smallWhole(tcl.budget.nested(() => tcl.invoke([...words, a, b], call.place)));
  };
}

function search(tcl: Interpreter, args: readonly string[]): string {
  const options = args.slice(0, -2);
  const [list, pattern] = args.slice(-2);
  if (list === undefined || pattern === undefined)
    throw wrongArgs('lsearch ?-option value ...? list pattern');
  const known = [
    '-exact',
    '-glob',
    '-regexp',
    '-all',
    '-inline',
    '-not',
    '-integer',
    '-real',
    '-ascii',
    '-sorted',
    '-nocase',
  ];
  const wrong = options.find((one) => !known.includes(one));
  if (wrong !== undefined)
    throw new TclError(`bad option "${wrong}" of lsearch`, `use ${known.slice(0, 6).join(', ')}`);
  const has = (option: string): boolean => options.includes(option);
  const isMatch = (item: string): boolean => {
    if (has('-exact') || has('-integer') || has('-real')) return item === pattern;
    if (has('-regexp'))
      return matcherOf(tcl, pattern, has('-nocase')).match(item, 0, tcl.budget) !== undefined;
    return globMatches(tcl.budget, pattern, item, has('-nocase'));
  };
  const items = tcl.list(list);
  const places = [...items.keys()].filter((at) => isMatch(items[at]!) !== has('-not'));
  const shown = has('-inline') ? places.map((at) => items[at]!) : places.map(String);
  return has('-all') ? tcl.budget.text(formatList(shown)) : (shown[0] ?? (has('-inline') ? '' : '-1'));
}
