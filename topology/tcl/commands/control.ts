/** Commands that decide what is executed: conditions, loops, jumps, errors. */
import { TclError, TclJump, TclStop, wrongArgs } from '../errors.ts';
import { globMatches } from '../glob.ts';
import type { Call, CommandFunction, Interpreter, ScriptText } from '../interpreter.ts';
import { formatList } from '../lists.ts';
import { parseParts } from '../parse.ts';
import { matcherOf } from './matching.ts';

export function controlCommands(tcl: Interpreter): Record<string, CommandFunction> {
  return {
    if: (args, call) => conditional(tcl, args, call),
    while: ([test, body, ...rest], call) => {
      if (test === undefined || body === undefined || rest.length > 0) throw wrongArgs('while test command');
      while (tcl.condition(test, call.place) && turn(tcl, call.script(1)));
      return '';
    },
    for: (args, call) => {
      if (args.length !== 4) throw wrongArgs('for start test next command');
      tcl.evaluate(call.script(0));
      while (tcl.condition(args[1]!, call.place) && turn(tcl, call.script(3))) turn(tcl, call.script(2));
      return '';
    },
    foreach: (args, call) => forEach(tcl, args, call),
    switch: (args, call) => choose(tcl, args, call),
    break: () => {
      throw new TclJump('break');
    },
    continue: () => {
      throw new TclJump('continue');
    },
    return: (args) => {
      throw returned(tcl, args);
    },
    error: ([message, ...rest]) => {
      if (message === undefined || rest.length > 2) throw wrongArgs('error message ?errorInfo? ?errorCode?');
      throw new TclError(message);
    },
    catch: (args, call) => caught(tcl, args, call),
    eval: (args, call) => {
      if (args.length === 0) throw wrongArgs('eval arg ?arg ...?');
      return tcl.evaluate(joined(tcl, args, call, 0));
    },
    expr: (args, call) => {
      if (args.length === 0) throw wrongArgs('expr arg ?arg ...?');
      return tcl.expressionText(args.length === 1 ? args[0]! : args.join(' '), call.place);
    },
    subst: (args, call) => substitute(tcl, args, call),
    exit: () => {
      throw new TclStop('exit', 'the script has ended itself');
    },
    puts: () => '',
    flush: () => '',
    update: () => '',
  };
}

/** Arguments from `first` on, as `eval` and `uplevel` put them together. */
export function joined(tcl: Interpreter, args: readonly string[], call: Call, first: number): ScriptText {
  if (args.length === first + 1) return call.script(first);
  const text = tcl.budget.text(
    args
      .slice(first)
      .map((one) => one.trim())
      .join(' '),
  );
  return { text, base: { ...call.place, isMade: true } };
}

/** One turn of a loop. Gives false after `break`. */
function turn(tcl: Interpreter, body: ScriptText): boolean {
  try {
    tcl.budget.spend(1);
    tcl.evaluate(body);
    return true;
  } catch (error) {
    if (!(error instanceof TclJump) || error.kind === 'return') throw error;
    return error.kind === 'continue';
  }
}

function conditional(tcl: Interpreter, args: readonly string[], call: Call): string {
  let at = 0;
  const missing = (): TclError =>
    new TclError('wrong # args: no script following a condition of if', 'write if {…} {…} else {…}');
  for (;;) {
    const test = args[at++];
    if (test === undefined) throw missing();
    if (args[at] === 'then') at++;
    if (args[at] === undefined) throw missing();
    if (tcl.condition(test, call.place)) return tcl.evaluate(call.script(at));
    at++;
    if (at >= args.length) return '';
    if (args[at] === 'elseif') {
      at++;
      continue;
    }
    if (args[at] === 'else') at++;
    if (at !== args.length - 1)
      throw new TclError(
        'wrong # args: extra words after "else" clause in "if" command',
        'put the script into braces',
      );
    return tcl.evaluate(call.script(at));
  }
}

function forEach(tcl: Interpreter, args: readonly string[], call: Call): string {
  if (args.length < 3 || args.length % 2 === 0)
    throw wrongArgs('foreach varList list ?varList list ...? command');
  const groups: { readonly names: readonly string[]; readonly items: readonly string[] }[] = [];
  for (let at = 0; at + 1 < args.length; at += 2) {
    const names = tcl.list(args[at]!);
    if (names.length === 0) throw new TclError('foreach varlist is empty');
    groups.push({ names, items: tcl.list(args[at + 1]!) });
  }
  const turns = Math.max(...groups.map(({ names, items }) => Math.ceil(items.length / names.length)));
  const body = call.script(args.length - 1);
  for (let count = 0; count < turns; count++) {
    for (const { names, items } of groups)
      names.forEach((name, index) => {
        assignNamed(tcl, name, items[count * names.length + index] ?? '');
      });
    if (!turn(tcl, body)) break;
  }
  return '';
}

/** A variable that another command than `set` gives a value: it names no object. */
function assignNamed(tcl: Interpreter, name: string, value: string): void {
  const open = name.endsWith(')') ? name.indexOf('(') : -1;
  if (open === -1) tcl.variables.set(name, undefined, value);
  else tcl.variables.set(name.slice(0, open), name.slice(open + 1, -1), value);
}

function choose(tcl: Interpreter, args: readonly string[], call: Call): string {
  let at = 0;
  let mode = '-exact';
  for (; args[at]?.startsWith('-') && args.length - at > 2; at++) {
    if (args[at] === '--') {
      at++;
      break;
    }
    if (!['-exact', '-glob', '-regexp'].includes(args[at]!))
      throw new TclError(`bad option "${args[at]}": should be -exact, -glob, -regexp or --`);
    mode = args[at]!;
  }
  const [text, ...clauses] = args.slice(at);
  if (text === undefined || clauses.length === 0)
    throw wrongArgs('switch ?switches? string pattern body ... ?default body?');
  const isList = clauses.length === 1;
  const items = isList ? tcl.list(clauses[0]!) : clauses;
  if (items.length % 2 !== 0)
    throw new TclError('extra switch pattern with no body', 'give each pattern a script');
  const isMatch = (pattern: string): boolean => {
    if (mode === '-glob') return globMatches(tcl.budget, pattern, text);
    return mode === '-regexp'
      ? matcherOf(tcl, pattern, false).match(text, 0, tcl.budget) !== undefined
      : pattern === text;
  };
  for (let index = 0; index < items.length; index += 2) {
    const isDefault = items[index] === 'default' && index === items.length - 2;
    if (!isDefault && !isMatch(items[index]!)) continue;
    let body = index + 1;
    while (items[body] === '-') body += 2;
    if (items[body] === undefined) throw new TclError(`no body specified for pattern "${items[index]}"`);
    if (!isList) return tcl.evaluate(call.script(at + 1 + body));
    return tcl.evaluate({ text: items[body]!, base: { ...call.place, isMade: true } });
  }
  return '';
}

function returned(tcl: Interpreter, args: readonly string[]): TclJump {
  let code = 'ok';
  let at = 0;
  for (; at + 1 < args.length && args[at]!.startsWith('-'); at += 2) {
    if (args[at] === '-code') code = args[at + 1]!;
    else if (!['-errorinfo', '-errorcode', '-level', '-options'].includes(args[at]!)) break;
  }
  if (args.length - at > 1) throw wrongArgs('return ?-code code? ?result?');
  const names: Readonly<Record<string, string>> = {
    0: 'ok',
    1: 'error',
    2: 'return',
    3: 'break',
    4: 'continue',
  };
  const known = Object.hasOwn(names, code) ? names[code]! : code;
  if (!Object.values(names).includes(known)) throw new TclError(`bad completion code "${code}"`);
  return new TclJump('return', tcl.budget.text(args[at] ?? ''), known);
}

/** What a procedure gives whose body has ended so. Throws what goes on to its caller. */
export function afterReturn({ value, code }: TclJump): string {
  if (code === 'error') throw new TclError(value);
  if (code === 'break' || code === 'continue') throw new TclJump(code);
  if (code === 'return') throw new TclJump('return', value);
  return value;
}

function caught(tcl: Interpreter, args: readonly string[], call: Call): string {
  if (args.length < 1 || args.length > 3) throw wrongArgs('catch script ?resultVarName? ?optionVarName?');
  const { code, value } = outcome(tcl, call.script(0));
  if (args[1] !== undefined) tcl.assign(...nameParts(args[1]), value);
  if (args[2] !== undefined)
    tcl.assign(...nameParts(args[2]), formatList(['-code', String(code), '-level', '0']));
  return String(code);
}

function nameParts(name: string): [string, string | undefined] {
  const open = name.endsWith(')') ? name.indexOf('(') : -1;
  return open === -1 ? [name, undefined] : [name.slice(0, open), name.slice(open + 1, -1)];
}

function outcome(tcl: Interpreter, script: ScriptText): { readonly code: number; readonly value: string } {
  tcl.catches++;
  try {
    return { code: 0, value: tcl.evaluate(script) };
  } catch (error) {
    if (error instanceof TclError) {
      tcl.variables.root.variables.set('errorInfo', { value: error.message });
      return { code: 1, value: error.message };
    }
    if (!(error instanceof TclJump)) throw error;
    const codes = { return: 2, break: 3, continue: 4 };
    return { code: codes[error.kind], value: error.value };
  } finally {
    tcl.catches--;
  }
}

function substitute(tcl: Interpreter, args: readonly string[], call: Call): string {
  const flags = args.slice(0, -1);
  const known = ['-nobackslashes', '-nocommands', '-novariables'];
  if (args.length === 0 || flags.some((one) => !known.includes(one)))
    throw wrongArgs(`subst ?${known.join('? ?')}? string`);
  const kinds = {
    backslashes: !flags.includes('-nobackslashes'),
    commands: !flags.includes('-nocommands'),
    variables: !flags.includes('-novariables'),
  };
  const parts = parseParts(tcl.budget.text(args.at(-1)!), kinds);
  return parts.length === 0 ? '' : tcl.at(call.place, () => tcl.substitute(parts));
}
