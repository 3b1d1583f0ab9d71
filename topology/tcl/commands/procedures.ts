/** Procedures and namespaces, and variables of others. */
import { TclError, TclJump, wrongArgs } from '../errors.ts';
import type { Call, CommandFunction, Interpreter, ScriptText } from '../interpreter.ts';
import { formatList } from '../lists.ts';
import { type Frame, ROOT, splitElement, splitQualified } from '../variables.ts';
import { afterReturn, joined } from './control.ts';

export interface Parameter {
  readonly name: string;
  readonly otherwise?: string;
}

export interface Procedure {
  readonly parameters: readonly Parameter[];
  readonly body: ScriptText;
}

/** Of each interpreter, by the key of the command. */
const PROCEDURES = new WeakMap<Interpreter, Map<string, Procedure>>();

export function proceduresOf(tcl: Interpreter): Map<string, Procedure> {
  let found = PROCEDURES.get(tcl);
  if (!found) {
    found = new Map();
    PROCEDURES.set(tcl, found);
  }
  return found;
}

export function procedureCommands(tcl: Interpreter): Record<string, CommandFunction> {
  return {
    proc: (args, call) => {
      if (args.length !== 3) throw wrongArgs('proc name args body');
      define(tcl, args[0]!, args[1]!, call.script(2));
      return '';
    },
    global: (names) => {
      for (const name of names) {
        const { tail } = splitQualified(name);
        if (tcl.variables.frame === tcl.variables.global) continue;
        tcl.variables.link(tail, makeIn(tcl, tcl.variables.global, name));
      }
      return '';
    },
    variable: (args) => {
      for (let at = 0; at < args.length; at += 2) declare(tcl, args[at]!, args[at + 1]);
      return '';
    },
    upvar: (args) => {
      const [frame, rest] = levelOf(tcl, args, args.length % 2 === 1);
      if (rest.length === 0 || rest.length % 2 !== 0)
        throw wrongArgs('upvar ?level? otherVar localVar ?otherVar localVar ...?');
      for (let at = 0; at < rest.length; at += 2)
        tcl.variables.link(rest[at + 1]!, makeIn(tcl, frame, rest[at]!));
      return '';
    },
    uplevel: (args, call) => {
      const isLevel = args.length > 1 && /^#?\d+$/.test(args[0]!);
      const [frame, rest] = levelOf(tcl, args, isLevel);
      if (rest.length === 0) throw wrongArgs('uplevel ?level? command ?arg ...?');
      return tcl.evaluateIn(frame, joined(tcl, args, call, args.length - rest.length));
    },
    namespace: (args, call) => namespace(tcl, args, call),
    rename: ([from, to, ...rest]) => {
      if (from === undefined || to === undefined || rest.length > 0)
        throw wrongArgs('rename oldName newName');
      rename(tcl, from, to);
      return '';
    },
  };
}

function define(tcl: Interpreter, name: string, parameterList: string, body: ScriptText): void {
  const parameters = tcl.list(parameterList).map((one): Parameter => {
    const [parameter, otherwise, ...rest] = tcl.list(one);
    if (parameter === undefined || rest.length > 0)
      throw new TclError(`too many fields in argument specifier "${one}"`);
    return otherwise === undefined ? { name: parameter } : { name: parameter, otherwise };
  });
  const key = tcl.commandKey(name);
  const { space } = splitQualified(name);
  const home = space === undefined ? tcl.variables.frame.namespace : tcl.variables.space(space);
  const procedure = { parameters, body };
  proceduresOf(tcl).set(key, procedure);
  tcl.commands.set(key, (args, call) => {
    const variables = new Map<string, { value?: string }>();
    bind(call.name, procedure, args, variables);
    const { frame: caller } = tcl.variables;
    const frame: Frame = {
      level: caller.level + 1,
      caller,
      namespace: home,
      variables,
      words: [call.name, ...args],
    };
    return callBody(tcl, frame, body);
  });
}

function callBody(tcl: Interpreter, frame: Frame, body: ScriptText): string {
  try {
    return tcl.evaluateIn(frame, body);
  } catch (error) {
    if (!(error instanceof TclJump)) throw error;
    if (error.kind === 'return') return afterReturn(error);
    throw new TclError(`invoked "${error.kind}" outside of a loop`);
  }
}

function bind(
  name: string,
  { parameters }: Procedure,
  args: readonly string[],
  variables: Map<string, { value?: string }>,
): void {
  const takesRest = parameters.at(-1)?.name === 'args';
  const named = takesRest ? parameters.slice(0, -1) : parameters;
  const wrong = (): TclError => {
    const shown = named.map((one) => (one.otherwise === undefined ? one.name : `?${one.name}?`));
    return wrongArgs([name, ...shown, ...(takesRest ? ['?arg ...?'] : [])].join(' '));
  };
  named.forEach((parameter, index) => {
    const value = args[index] ?? parameter.otherwise;
    if (value === undefined) throw wrong();
    variables.set(parameter.name, { value });
  });
  if (takesRest) variables.set('args', { value: formatList(args.slice(named.length)) });
  else if (args.length > named.length) throw wrong();
}

/** The frame of a level, and the arguments after it. Without one, the caller's. */
function levelOf(tcl: Interpreter, args: readonly string[], hasLevel: boolean): [Frame, readonly string[]] {
  const { frame, global } = tcl.variables;
  const text = hasLevel ? args[0]! : '1';
  const match = /^(#?)(\d{1,6})$/.exec(text);
  if (!match) throw new TclError(`bad level "${text}"`);
  const wanted = match[1] === '#' ? Number(match[2]) : frame.level - Number(match[2]);
  let found: Frame | undefined = frame;
  while (found && found.level > wanted) found = found.caller;
  if (!found || found.level !== wanted) throw new TclError(`bad level "${text}"`);
  return [wanted === 0 ? global : found, hasLevel ? args.slice(1) : args];
}

/** A variable as that frame sees it, made if it is missing. */
function makeIn(tcl: Interpreter, frame: Frame, name: string): ReturnType<Interpreter['variables']['make']> {
  const before = tcl.variables.frame;
  tcl.variables.frame = frame;
  try {
    const { base, index } = splitElement(name);
    return tcl.variables.make(base, index);
  } finally {
    tcl.variables.frame = before;
  }
}

function declare(tcl: Interpreter, name: string, value: string | undefined): void {
  const { frame, root } = tcl.variables;
  const { space, tail } = splitQualified(name);
  const home = space === undefined ? frame.namespace : tcl.variables.space(space);
  let variable = home.variables.get(tail);
  if (!variable) {
    variable = {};
    home.variables.set(tail, variable);
  }
  if (value !== undefined) variable.value = home === root ? tcl.host.assigned(tail, undefined, value) : value;
  if (frame.variables !== home.variables) tcl.variables.link(tail, variable);
}

function namespace(tcl: Interpreter, args: readonly string[], call: Call): string {
  const [verb, name = '', ...rest] = args;
  switch (verb) {
    case 'eval': {
      if (rest.length === 0) throw wrongArgs('namespace eval name arg ?arg...?');
      const space = tcl.variables.space(name);
      const { frame } = tcl.variables;
      const inside: Frame = {
        level: space.name === ROOT ? 0 : frame.level + 1,
        caller: frame,
        namespace: space,
        variables: space.variables,
        words: ['namespace', 'eval', name],
      };
      return tcl.evaluateIn(space.name === ROOT ? tcl.variables.global : inside, joined(tcl, args, call, 2));
    }
    case 'current':
      return tcl.variables.frame.namespace.name;
    case 'exists':
      return tcl.variables.hasSpace(name) ? '1' : '0';
    case 'tail':
      return splitQualified(name).tail;
    case 'qualifiers':
      return splitQualified(name).space?.replace(/^::$/, '') ?? '';
    case 'export':
    case 'import':
    case 'delete':
    case 'forget':
      return '';
    default:
      throw new TclError(
        `unknown or ambiguous subcommand "${verb}": must be current, eval, exists, qualifiers or tail`,
      );
  }
}

function rename(tcl: Interpreter, from: string, to: string): void {
  const run = tcl.find(from);
  if (!run) throw new TclError(`can't rename "${from}": command doesn't exist`);
  const key = tcl.commandKey(from);
  tcl.commands.delete(key);
  const procedure = proceduresOf(tcl).get(key);
  proceduresOf(tcl).delete(key);
  if (to === '') return;
  tcl.commands.set(tcl.commandKey(to), run);
  if (procedure) proceduresOf(tcl).set(tcl.commandKey(to), procedure);
}
