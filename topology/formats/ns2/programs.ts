/** Programs on nodes, which events start and stop. */
import { type Micros, toSeconds } from '../../../proto/units.ts';
import { SIGNALS, type Signal } from '../../model/events.ts';
import { TclError, wrongArgs } from '../../tcl/errors.ts';
import type { Call } from '../../tcl/interpreter.ts';
import { readInstant } from './quantities.ts';
import { type Node, nameOf, type Program } from './things.ts';
import { callMethod, type Methods, perWorld, type World } from './world.ts';

/** Options of a program, and the names of its variables. */
const OPTIONS = ['command', 'dir', 'timeout', 'expected-exit-code', 'tag'];

/** `>& FILE` of the C shell, which Emulab ran commands in, for the Bourne shell. */
export function bourneCommand(command: string): string {
  return command.replace(/>&[ \t]*(?=[^\s\d&-])([^\s;&|]{1,500})/g, '> $1 2>&1').replaceAll('\0', '');
}

/** `[$node program-agent -command "…"]`, `[new Program $ns]`. */
export function makeProgram(
  world: World,
  node: Node | undefined,
  args: readonly string[],
  call: Call,
): string {
  const options = readOptions(world, args, call);
  return world.add(
    (handle): Program => ({ kind: 'program', handle, place: call.place, options, ...(node && { node }) }),
    (program, words, at) => callMethod(world, programMethods(world), program as Program, words, at),
  );
}

function readOptions(world: World, args: readonly string[], call: Call): Map<string, string> {
  const options = new Map<string, string>();
  for (let at = 0; at < args.length; at += 2) {
    const name = args[at]!.replace(/^-/, '');
    if (!args[at]!.startsWith('-') || !OPTIONS.includes(name))
      world.unknown(args[at]!, 'a program has no option', () => OPTIONS.map((one) => `-${one}`), call.place);
    else if (args[at + 1] === undefined)
      throw new TclError(`the option -${name} of a program has no value`, `write -${name} "…"`);
    else options.set(name, args[at + 1]!);
  }
  return options;
}

const programMethods = perWorld((world: World): Methods<Program> => {
  /** `run` is waited for in a sequence, as in Emulab; `start` is not. */
  const starting =
    (isWaitedFor: boolean) =>
    (program: Program, args: readonly string[], call: Call): string => {
      const node = nodeOf(program);
      const waits = isWaitedFor && world.collecting?.waits === true;
      const { command, code, timeout } = runOf(world, program, readOptions(world, args, call), waits, call);
      world.happen({
        place: call.place,
        field: nameOf(program),
        of: node,
        make: (targets) => ({ verb: 'run', targets, command }),
        ...(waits && { waits: { code, ...(timeout !== undefined && { timeout }) } }),
      });
      return '';
    };
  return {
    start: starting(false),
    run: starting(true),
    stop: (program, _, call) => signal(world, program, 'TERM', call),
    kill: (program, [name = 'KILL'], call) => signal(world, program, name, call),
    set: (program, [name, value], call) => {
      if (name === undefined) throw wrongArgs('program set variable value');
      if (value === undefined) return program.options.get(name) ?? '';
      if (name === 'node') program.node = world.the(value, 'node');
      else if (OPTIONS.includes(name)) program.options.set(name, value);
      else world.unknown(name, 'a program has no variable', () => ['node', ...OPTIONS], call.place);
      return value;
    },
  };
});

function nodeOf(program: Program): Node {
  if (program.node) return program.node;
  throw new TclError(`the program ${nameOf(program)} is on no node`, 'write $program set node $node');
}

/** Characters: the line of a topology file that says it, in which some take two, has 10,000. */
const MAX_COMMAND = 4000;

interface Run {
  readonly command: string;
  /** Expected of a program that is waited for. */
  readonly code: number;
  readonly timeout?: Micros;
}

/** `waits`: what a sequence waits for has its timeout and its exit code beside the command. */
function runOf(
  world: World,
  program: Program,
  own: ReadonlyMap<string, string>,
  waits: boolean,
  call: Call,
): Run {
  const value = (name: string): string | undefined =>
    (own.get(name) ?? program.options.get(name))?.trim() || undefined;
  const command = value('command');
  if (command === undefined)
    throw new TclError(`the program ${nameOf(program)} has no command`, 'write -command "…"');
  const code = value('expected-exit-code');
  if (code !== undefined && !/^\d{1,3}$/.test(code))
    throw new TclError(`"${code.slice(0, 40)}" is no exit code`, 'write a number from 0 to 255');
  if (code !== undefined && !waits)
    world.leaveOut(
      '-expected-exit-code',
      call.place,
      'exit codes of programs are compared with expected ones in sequences alone: netfold logs shows them',
    );
  const folder = value('dir')
    ?.replace(/^\{(.*)\}$/, '$1')
    .trim();
  const within = folder ? `cd ${quoted(folder)} && { ${bourneCommand(command)}; }` : bourneCommand(command);
  if (within.length > MAX_COMMAND)
    throw new TclError(
      `the command of ${nameOf(program)} has ${within.length} characters, more than ${MAX_COMMAND}`,
      'put it into a file, and run that',
    );
  const limit = value('timeout');
  const timeout = limit === undefined ? undefined : readInstant(limit);
  const expected = Math.min(255, Number(code ?? 0));
  if (waits) return { command: within, code: expected, ...(timeout !== undefined && { timeout }) };
  if (timeout === undefined) return { command: within, code: expected };
  return { command: `timeout ${toSeconds(timeout)} sh -c ${quoted(within)}`, code: expected };
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Signals go to all that runs in an endpoint. */
function signal(world: World, program: Program, name: string, call: Call): string {
  const node = nodeOf(program);
  const known = SIGNALS.find((one): one is Signal => one === name.toUpperCase().replace(/^SIG/, ''));
  if (!known)
    throw new TclError(`there is no signal "${name.slice(0, 40)}"`, `signals are ${SIGNALS.join(' ')}`);
  world.notes.tell(
    { code: 'EVENT_ASSUMED', what: 'signals to programs', shown: 1 },
    call.place,
    nameOf(program),
    `${known} goes to all commands that run at ${nameOf(node)}, not to this one alone`,
    'put other programs on other nodes',
  );
  world.happen({
    place: call.place,
    field: nameOf(program),
    of: node,
    make: (targets) => ({ verb: 'signal', targets, signal: known }),
  });
  return '';
}
