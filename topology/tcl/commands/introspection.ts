/** `info`, and what scripts ask of the machine, which they do not get. */
import { TclError, wrongArgs } from '../errors.ts';
import { globMatches } from '../glob.ts';
import type { CommandFunction, Interpreter } from '../interpreter.ts';
import { formatList } from '../lists.ts';
import { smallWhole } from '../numbers.ts';
import { type Frame, splitElement } from '../variables.ts';
import { proceduresOf } from './procedures.ts';

const REMEDY =
  'a script that describes a network can do without: netfold neither reads nor writes files for it, and runs nothing';

export function introspectionCommands(tcl: Interpreter): Record<string, CommandFunction> {
  const refused = [
    'exec',
    'socket',
    'fconfigure',
    'file',
    'glob',
    'cd',
    'pwd',
    'gets',
    'read',
    'eof',
    'seek',
    'load',
    'interp',
    'vwait',
    'after',
  ];
  const refusals = refused.map((name): [string, CommandFunction] => [
    name,
    () => {
      throw new TclError(`the command "${name}" is not available here`, REMEDY);
    },
  ]);
  return {
    ...Object.fromEntries(refusals),
    info: ([verb, ...args]) => info(tcl, verb ?? '', args),
    package: () => '',
  };
}

function info(tcl: Interpreter, verb: string, args: readonly string[]): string {
  const [first, ...rest] = args;
  const { variables } = tcl;
  switch (verb) {
    case 'exists': {
      if (first === undefined) throw wrongArgs('info exists varName');
      const { base, index } = splitElement(first);
      return variables.exists(base, index) ? '1' : '0';
    }
    case 'globals':
      return named(tcl, variables.root.variables.keys(), first);
    case 'vars':
    case 'locals': {
      const all = [...variables.frame.variables].filter(([, one]) => one.value !== undefined || one.elements);
      if (verb === 'locals' && variables.frame.variables === variables.frame.namespace.variables) return '';
      return named(
        tcl,
        all.map(([name]) => name),
        first,
      );
    }
    case 'procs':
      return named(tcl, proceduresOf(tcl).keys(), first);
    case 'commands':
      return named(tcl, tcl.commands.keys(), first);
    case 'args':
      return formatList(procedure(tcl, first).parameters.map(({ name }) => name));
    case 'body':
      return procedure(tcl, first).body.text;
    case 'default':
      return withDefault(tcl, first, rest);
    case 'level':
      return level(variables.frame, first);
    case 'complete':
      return '1';
    case 'tclversion':
      return '8.6';
    case 'patchlevel':
      return '8.6.0';
    case 'script':
    case 'hostname':
    case 'nameofexecutable':
      return '';
    default:
      throw new TclError(`unknown or ambiguous subcommand "${verb}" of info`, 'write e.g. info exists NAME');
  }
}

function named(tcl: Interpreter, names: Iterable<string>, pattern: string | undefined): string {
  const all = [...names];
  tcl.budget.spend(all.length / 16);
  const found = pattern === undefined ? all : all.filter((name) => globMatches(tcl.budget, pattern, name));
  return tcl.budget.text(formatList(found));
}

function procedure(tcl: Interpreter, name = ''): ReturnType<typeof get> {
  return get(tcl, name);
}

function get(tcl: Interpreter, name: string) {
  const found = proceduresOf(tcl).get(tcl.commandKey(name)) ?? proceduresOf(tcl).get(name.replace(/^::/, ''));
  if (!found) throw new TclError(`"${name}" isn't a procedure`);
  return found;
}

function withDefault(
  tcl: Interpreter,
  name: string | undefined,
  [parameter, variable]: readonly string[],
): string {
  const found = procedure(tcl, name).parameters.find((one) => one.name === parameter);
  if (!found || variable === undefined)
    throw new TclError(`procedure "${name}" doesn't have an argument "${parameter}"`);
  tcl.assign(variable, undefined, found.otherwise ?? '');
  return found.otherwise === undefined ? '0' : '1';
}

function level(frame: Frame, text: string | undefined): string {
  if (text === undefined) return String(frame.level);
  const number = smallWhole(text);
  const wanted = number > 0 ? number : frame.level + number;
  let found: Frame | undefined = frame;
  while (found && found.level !== wanted) found = found.caller;
  if (!found || found.level === 0) throw new TclError(`bad level "${text}"`);
  return formatList(found.words);
}
