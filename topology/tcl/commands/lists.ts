/** Commands about lists. */
import { TclError, wrongArgs } from '../errors.ts';
import type { CommandFunction, Interpreter } from '../interpreter.ts';
import { formatList, listIndex } from '../lists.ts';
import { smallWhole } from '../numbers.ts';
import { splitElement } from '../variables.ts';

export function listCommands(tcl: Interpreter): Record<string, CommandFunction> {
  const { budget } = tcl;
  /** What a list of items looks like, within the bounds. */
  const made = (items: readonly string[]): string => {
    budget.spend(items.length / 16);
    return budget.text(formatList(items));
  };
  return {
    list: made,
    llength: (args) => {
      if (args.length !== 1) throw wrongArgs('llength list');
      return String(tcl.list(args[0]!).length);
    },
    lindex: ([list, ...indices]) => {
      if (list === undefined) throw wrongArgs('lindex list ?index ...?');
      const path = indices.length === 1 ? tcl.list(indices[0]!) : indices;
      return path.reduce((from, index) => {
        const items = tcl.list(from);
        return items[listIndex(index, items.length)] ?? '';
      }, list);
    },
    lrange: (args) => {
      if (args.length !== 3) throw wrongArgs('lrange list first last');
      const items = tcl.list(args[0]!);
      const [first, last] = [listIndex(args[1]!, items.length), listIndex(args[2]!, items.length)];
      return made(items.slice(Math.max(0, first), Math.max(0, last + 1)));
    },
    linsert: ([list, index, ...added]) => {
      if (list === undefined || index === undefined) throw wrongArgs('linsert list index ?element ...?');
      const items = tcl.list(list);
      // One more place than there are items.
      const at = Math.min(items.length, Math.max(0, listIndex(index, items.length + 1)));
      return made([...items.slice(0, at), ...added, ...items.slice(at)]);
    },
    lreplace: ([list, first, last, ...added]) => {
      if (list === undefined || first === undefined || last === undefined)
        throw wrongArgs('lreplace list first last ?element ...?');
      const items = tcl.list(list);
      const from = Math.min(items.length, Math.max(0, listIndex(first, items.length)));
      const to = Math.max(from, listIndex(last, items.length) + 1);
      return made([...items.slice(0, from), ...added, ...items.slice(to)]);
    },
    lset: ([name, ...rest]) => {
      if (name === undefined || rest.length === 0) throw wrongArgs('lset listVar ?index? ?index ...? value');
      const { base, index } = splitElement(name);
      const path = rest.slice(0, -1).flatMap((one) => tcl.list(one));
      const value = replaced(tcl, tcl.variables.get(base, index), path, rest.at(-1)!);
      tcl.variables.set(base, index, budget.text(value));
      return value;
    },
    lreverse: ([list = '']) => made(tcl.list(list).reverse()),
    lrepeat: ([times = '', ...items]) => {
      const count = smallWhole(times);
      if (count < 0) throw new TclError(`bad count "${times}": must be integer >= 0`);
      budget.room(count * items.reduce((sum, one) => sum + one.length + 1, 0));
      return made(Array.from({ length: count }, () => items).flat());
    },
    lassign: ([list, ...names]) => {
      if (list === undefined) throw wrongArgs('lassign list ?varName ...?');
      const items = tcl.list(list);
      names.forEach((name, at) => {
        const { base, index } = splitElement(name);
        tcl.assign(base, index, items[at] ?? '');
      });
      return made(items.slice(names.length));
    },
    concat: (args) =>
      budget.text(
        args
          .map((one) => one.trim())
          .filter((one) => one !== '')
          .join(' '),
      ),
    join: ([list, between = ' ']) => {
      if (list === undefined) throw wrongArgs('join list ?joinString?');
      const items = tcl.list(list);
      budget.room(items.length * between.length);
      return budget.text(items.join(between));
    },
    split: ([text, chars = ' \t\n\r']) => {
      if (text === undefined) throw wrongArgs('split string ?splitChars?');
      budget.room(text.length * 4);
      return made(parts(text, chars));
    },
  };
}

function parts(text: string, chars: string): string[] {
  if (text === '') return [];
  if (chars === '') return [...text];
  const ends = new Set(chars);
  const found: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (!ends.has(text[at]!)) continue;
    found.push(text.slice(start, at));
    start = at + 1;
  }
  return [...found, text.slice(start)];
}

function replaced(tcl: Interpreter, list: string, path: readonly string[], value: string): string {
  const [first, ...rest] = path;
  if (first === undefined) return value;
  const items = tcl.list(list);
  const at = listIndex(first, items.length);
  if (at < 0 || at > items.length) throw new TclError('list index out of range');
  items[at] = replaced(tcl, items[at] ?? '', rest, value);
  return tcl.budget.text(formatList(items));
}
