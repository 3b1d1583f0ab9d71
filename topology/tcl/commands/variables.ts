/** Commands about variables and arrays. */
import { TclError, wrongArgs } from '../errors.ts';
import { globMatches } from '../glob.ts';
import type { CommandFunction, Interpreter } from '../interpreter.ts';
import { formatList, listItem } from '../lists.ts';
import { bounded, wholeNumber } from '../numbers.ts';
import { splitElement, type Variable } from '../variables.ts';

export function variableCommands(tcl: Interpreter): Record<string, CommandFunction> {
  const { variables, budget } = tcl;
  return {
    set: ([name, value, ...rest]) => {
      if (name === undefined || rest.length > 0) throw wrongArgs('set varName ?newValue?');
      const { base, index } = splitElement(name);
      return value === undefined ? variables.get(base, index) : tcl.assign(base, index, value);
    },
    unset: (args) => {
      const isQuiet = args[0] === '-nocomplain';
      for (const name of isQuiet ? args.slice(1) : args) {
        if (name === '--') continue;
        const { base, index } = splitElement(name);
        if (!variables.unset(base, index) && !isQuiet)
          throw new TclError(`can't unset "${name}": no such variable`);
      }
      return '';
    },
    incr: ([name, by = '1', ...rest]) => {
      if (name === undefined || rest.length > 0) throw wrongArgs('incr varName ?increment?');
      const { base, index } = splitElement(name);
      const before = variables.exists(base, index) ? wholeNumber(variables.get(base, index)) : 0n;
      const value = String(bounded(before + wholeNumber(by)));
      variables.set(base, index, value);
      return value;
    },
    append: ([name, ...values]) => {
      if (name === undefined) throw wrongArgs('append varName ?value ...?');
      const { base, index } = splitElement(name);
      const before = variables.exists(base, index) ? variables.get(base, index) : '';
      const added = values.join('');
      const value = budget.grown(before + added, added.length);
      variables.set(base, index, value);
      return value;
    },
    lappend: ([name, ...values]) => {
      if (name === undefined) throw wrongArgs('lappend varName ?value ...?');
      const { base, index } = splitElement(name);
      const before = variables.exists(base, index) ? variables.get(base, index) : '';
      const added = before === '' ? formatList(values) : values.map((one) => ` ${listItem(one)}`).join('');
      const value = budget.grown(before + added, added.length);
      variables.set(base, index, value);
      return value;
    },
    array: ([verb, name, ...args]) => {
      if (verb === undefined || name === undefined) throw wrongArgs('array subcommand arrayName ?arg ...?');
      return array(tcl, verb, name, args);
    },
  };
}

function array(tcl: Interpreter, verb: string, name: string, args: readonly string[]): string {
  const found = tcl.variables.find(name);
  const elements = found?.elements ?? new Map<string, Variable>();
  const chosen = (): string[] => {
    tcl.budget.spend(elements.size / 16);
    const pattern = args.at(-1);
    const keys = [...elements].filter(([, { value }]) => value !== undefined).map(([key]) => key);
    if (pattern === undefined) return keys;
    if (args[0] === '-exact') return keys.filter((key) => key === pattern);
    return keys.filter((key) => globMatches(tcl.budget, pattern, key));
  };
  switch (verb) {
    case 'exists':
      return found?.elements ? '1' : '0';
    case 'size':
      return String(chosen().length);
    case 'names':
      return tcl.budget.text(formatList(chosen()));
    case 'get':
      return tcl.budget.text(formatList(chosen().flatMap((key) => [key, elements.get(key)!.value!])));
    case 'set': {
      const items = tcl.list(args[0] ?? '');
      if (items.length % 2 !== 0) throw new TclError('list must have an even number of elements');
      if (found?.value !== undefined) throw new TclError(`can't array set "${name}": variable isn't array`);
      tcl.variables.make(name).elements ??= new Map();
      for (let at = 0; at < items.length; at += 2) tcl.variables.set(name, items[at]!, items[at + 1]!);
      return '';
    }
    case 'unset':
      if (args.length === 0) tcl.variables.unset(name);
      else for (const key of chosen()) tcl.variables.unset(name, key);
      return '';
    default:
      throw new TclError(
        `unknown or ambiguous subcommand "${verb}": must be exists, get, names, set, size or unset`,
      );
  }
}
