/**
 * A small Tcl, complete for scripts that describe something: no files, no processes, no clock, and bounds on time, depth and
 * memory. Values are texts, as in Tcl itself. The commands are in commands/; hosts add their own.
 */
import { Budget, LIMITS, type Limits } from './budget.ts';
import { type Place, TclError, TclJump, TclStop } from './errors.ts';
import { type Operands, parseExpression } from './expr.ts';
import { parseList } from './lists.ts';
import { formatValue, isTrue, type Value } from './numbers.ts';
import { type Command, type Part, parseScript, type Script, type Word } from './parse.ts';
import { ROOT, splitQualified, Variables } from './variables.ts';

/** Where the text of a script stands in the file. */
export interface Base extends Place {
  /** It was made by other commands: everything in it has this place. */
  readonly isMade: boolean;
}

/** What a command can ask about its call. */
export interface Call {
  readonly name: string;
  readonly place: Place;
  /** The script that an argument is, with its place; arguments count from 0. */
  script(index: number): ScriptText;
}

export interface ScriptText {
  readonly text: string;
  readonly base: Base;
}

export type CommandFunction = (args: readonly string[], call: Call) => string;

/** What the world around the script is asked. */
export interface Host {
  /** A command that does not exist: its value, or `undefined` if that is an error. */
  unknown(words: readonly string[], place: Place): string | undefined;
  /** A variable of the script outside of all procedures gets this value. Returns what it gets instead. */
  assigned(base: string, index: string | undefined, value: string): string;
}

const NO_HOST: Host = { unknown: () => undefined, assigned: (_, _index, value) => value };
/** Texts of scripts and expressions that are kept as read; all together. */
const MAX_KEPT = 4 << 20;
const START: Base = { line: 1, column: 1, isMade: false };
const MAX_SHOWN = 80;

export class Interpreter {
  readonly variables = new Variables();
  readonly commands = new Map<string, CommandFunction>();
  readonly budget: Budget;
  readonly host: Host;
  /** How many `catch` are around what executes. */
  catches = 0;
  readonly #scripts = new Kept(parseScript);
  readonly #expressions = new Kept(parseExpression);
  readonly #operands: Operands;
  #base: Base = START;
  #seed = 1n;

  constructor(host: Host = NO_HOST, limits: Limits = LIMITS) {
    this.host = host;
    this.budget = new Budget(limits);
    this.#operands = {
      substitute: (parts) => this.substitute(parts),
      random: () => this.#random(),
      seed: (value) => {
        this.#seed = ((value % 2147483647n) + 2147483647n) % 2147483647n || 1n;
      },
    };
  }

  /** Runs a whole script. Throws `TclError` or `TclStop`, with the place; `exit` gives what it has until then. */
  run(text: string): string {
    try {
      return this.evaluate({ text, base: START });
    } catch (error) {
      if (error instanceof TclJump) {
        if (error.kind === 'return') return error.value;
        throw new TclError(`invoked "${error.kind}" outside of a loop`);
      }
      // Many of Tcl's levels that are each within their bounds.
      if (error instanceof RangeError) throw new TclStop('limit', 'the script is nested too deep');
      throw error;
    }
  }

  /** The value of its last command. Throws `TclError`, `TclStop`, `TclJump`. */
  evaluate({ text, base }: ScriptText): string {
    const before = this.#base;
    this.#base = base;
    try {
      return this.budget.nested(() => this.#execute(this.#parsed(text, base)));
    } finally {
      this.#base = before;
    }
  }

  /** The same in the frame of another level, or namespace. */
  evaluateIn(frame: Variables['frame'], script: ScriptText): string {
    const before = this.variables.frame;
    this.variables.frame = frame;
    try {
      return this.evaluate(script);
    } finally {
      this.variables.frame = before;
    }
  }

  #parsed(text: string, base: Base): Script {
    try {
      return this.#scripts.of(this.budget.text(text));
    } catch (error) {
      if (!(error instanceof TclError)) throw error;
      const found = new TclError(error.message, error.remedy);
      found.place = error.place && placeIn(base, error.place);
      throw found;
    }
  }

  #execute({ commands, text }: Script): string {
    let value = '';
    for (const command of commands) value = this.#command(command, text);
    return value;
  }

  #command(command: Command, text: string): string {
    const base = this.#base;
    try {
      this.budget.spend(1);
      const words = this.#words(command.words);
      return words.length === 0 ? '' : this.#call(words, command, base);
    } catch (error) {
      if (error instanceof TclError || error instanceof TclStop) error.place ??= placeIn(base, command);
      if (error instanceof TclError) error.command ??= shown(text.slice(command.start, command.end));
      throw error;
    }
  }

  #call(words: readonly string[], command: Command, base: Base): string {
    const [name, ...args] = words as [string, ...string[]];
    const run = this.find(name);
    if (run) return run(args, new CommandCall(name, command, base, args));
    const place = placeIn(base, command);
    const value = this.catches > 0 ? undefined : this.host.unknown(words, place);
    if (value !== undefined) return value;
    throw new TclError(`invalid command name "${shown(name)}"`);
  }

  /** Calls a command by its words, as if it stood in the script at that place. */
  invoke(words: readonly string[], place: Place): string {
    const run = this.find(words[0]!);
    const base = { ...place, isMade: true };
    if (run) return run(words.slice(1), new MadeCall(words, base));
    const value = this.catches > 0 ? undefined : this.host.unknown(words, place);
    if (value !== undefined) return value;
    throw new TclError(`invalid command name "${shown(words[0]!)}"`);
  }

  /** In the namespace here, then in that of all. */
  find(name: string): CommandFunction | undefined {
    const { namespace } = this.variables.frame;
    if (namespace.name !== ROOT && !name.startsWith('::')) {
      const own = this.commands.get(`${namespace.name}::${name}`.slice(2));
      if (own) return own;
    }
    return this.commands.get(name) ?? (name.startsWith('::') ? this.commands.get(name.slice(2)) : undefined);
  }

  /** The key in `commands` of a command that is made here. */
  commandKey(name: string): string {
    const { space, tail } = splitQualified(name);
    const full = space === undefined ? this.variables.frame.namespace.name : this.variables.fullName(space);
    return full === ROOT ? tail : `${full.slice(2)}::${tail}`;
  }

  #words(words: readonly Word[]): string[] {
    const values: string[] = [];
    for (const word of words) {
      const value = word.text ?? this.substitute(word.parts);
      if (!word.isExpanded) values.push(value);
      else for (const item of this.list(value)) values.push(item);
    }
    return values;
  }

  substitute(parts: readonly Part[]): string {
    if (parts.length === 1) return this.budget.text(this.#part(parts[0]!));
    let text = '';
    for (const part of parts) text += this.#part(part);
    return this.budget.text(text);
  }

  #part(part: Part): string {
    switch (part.kind) {
      case 'text':
        return part.text;
      case 'variable':
        return this.variables.get(part.name, part.index && this.substitute(part.index));
      case 'script':
        return this.budget.nested(() => this.#execute(part.script));
    }
  }

  /** Throws `TclError`. */
  list(text: string): string[] {
    this.budget.text(text);
    const items = parseList(text);
    this.budget.spend(items.length / 16);
    return items;
  }

  /** `place`: of the command that the expression is an argument of. */
  expression(text: string, place: Place): Value {
    this.budget.spend(1);
    const expression = this.#expressions.of(this.budget.text(text));
    const value = this.at(place, () => expression(this.#operands));
    return typeof value === 'string' ? this.budget.text(value) : value;
  }

  expressionText(text: string, place: Place): string {
    return formatValue(this.expression(text, place));
  }

  condition(text: string, place: Place): boolean {
    return isTrue(this.expression(text, place));
  }

  /** Commands in brackets that are evaluated meanwhile have that place. */
  at<T>(place: Place, evaluate: () => T): T {
    const before = this.#base;
    this.#base = { line: place.line, column: place.column, isMade: true };
    try {
      return this.budget.nested(evaluate);
    } finally {
      this.#base = before;
    }
  }

  /** `set`, in whatever frame is current. The host may give another value. */
  assign(base: string, index: string | undefined, value: string): string {
    const { frame, global } = this.variables;
    const isGlobal = frame === global || base.includes('::');
    const given = isGlobal ? this.host.assigned(base, index, value) : value;
    this.variables.set(base, index, this.budget.text(given));
    return given;
  }

  /** Park and Miller's generator, as Tcl's own `rand()`. */
  #random(): number {
    this.#seed = (this.#seed * 16807n) % 2147483647n;
    return Number(this.#seed) / 2147483647;
  }
}

function placeIn(base: Base, spot: { readonly line: number; readonly column: number }): Place {
  if (base.isMade) return { line: base.line, column: base.column };
  return {
    line: base.line + spot.line,
    column: spot.line === 0 ? base.column + spot.column : spot.column + 1,
  };
}

/** A call that stands in a script. */
class CommandCall implements Call {
  readonly name: string;
  readonly #command: Command;
  readonly #base: Base;
  readonly #args: readonly string[];

  constructor(name: string, command: Command, base: Base, args: readonly string[]) {
    this.name = name;
    this.#command = command;
    this.#base = base;
    this.#args = args;
  }

  get place(): Place {
    return placeIn(this.#base, this.#command);
  }

  script(index: number): ScriptText {
    const { words } = this.#command;
    const word = words.some(({ isExpanded }) => isExpanded) ? undefined : words[index + 1];
    if (word?.source === undefined || this.#base.isMade)
      return { text: this.#args[index]!, base: { ...this.place, isMade: true } };
    return { text: word.source, base: { ...placeIn(this.#base, word), isMade: false } };
  }
}

/** A call that another command has put together. */
class MadeCall implements Call {
  readonly name: string;
  readonly place: Base;
  readonly #words: readonly string[];

  constructor(words: readonly string[], place: Base) {
    this.name = words[0]!;
    this.place = place;
    this.#words = words;
  }

  script(index: number): ScriptText {
    return { text: this.#words[index + 1]!, base: this.place };
  }
}

/** What was read of texts, for the next time. */
class Kept<T> {
  readonly #read: (text: string) => T;
  readonly #kept = new Map<string, T>();
  #length = 0;

  constructor(read: (text: string) => T) {
    this.#read = read;
  }

  of(text: string): T {
    const known = this.#kept.get(text);
    if (known !== undefined) return known;
    const read = this.#read(text);
    this.#length += text.length;
    if (this.#length > MAX_KEPT) {
      this.#kept.clear();
      this.#length = text.length;
    }
    this.#kept.set(text, read);
    return read;
  }
}

/** Of a command or a name, for a message: its first line, cut when long. */
export function shown(text: string): string {
  const line = text.split('\n', 1)[0]!.trimEnd();
  return line.length < text.trimEnd().length || line.length > MAX_SHOWN
    ? `${line.slice(0, MAX_SHOWN)}…`
    : line;
}
