/**
 * The event lines, by recursive descent:
 *
 *     event    = ("at" T | "from" T "to" T) action
 *     action   = ("join" | "leave" | "crash" | "disconnect" | "reconnect") targets [COUNT | PERCENT]
 *              | "set" targets change+
 *              | "flap" targets "every" T
 *              | "churn" targets (COUNT | PERCENT) "every" T ["replace"] ["seed" INTEGER]
 *              | "partition" targets ("|" targets)+  |  "heal"
 *              | "run" targets TEXT  |  "signal" targets SIGNAL  |  "quit"
 *              | ("start" | "stop") ("*" | NAME)+                             (NAME of traffic)
 *     targets  = target+
 *     target   = "*" | "tag:" NAME | NODE | NODE "--" NODE | NODE "->" NODE       (NODE is NAME or NAME.REPLICA)
 *     change   = PROPERTY "=" (value | TEXT)     (those of `CHANGEABLE` in changes.ts; TEXT where a value has several words)
 *     value    = QUANTITY | PERCENT | ("+" | "-") QUANTITY | "unlimited" | "none" | NAME
 *
 * Steps of sequences are in steps.ts. An experiment that runs takes an action, or "reset", without its time (`parseAction`), and what agents
 * and applications tell:
 *
 *     told     = "notify" NAME ["from" NODE]  |  "ended" NAME INTEGER NODE [INTEGER]
 *
 * and what replaces the mesh's key (proto/command.ts).
 *
 * `from … to …` is what flap and churn need; set, leave, disconnect and partition may have it and are undone at its end.
 * A percentage of endpoints counts those that the verb can change at that time. `*` in a partition is all the rest.
 * `latency=200%` is relative to the value before; loss is in percent itself, so it is set (`loss=1%`) or moved (`loss=+1%`).
 */
import { parseRekey } from '../../proto/command.ts';
import { DAY, type Micros, micros, parseDuration, parsePercentage } from '../../proto/units.ts';
import { type Findings, quote } from '../model/diagnostics.ts';
import {
  type ChurnAction,
  type EndedAction,
  type EventAction,
  type FlowTarget,
  type LifecycleVerb,
  type NotifyAction,
  type RekeyAction,
  SIGNALS,
  type Target,
  type TopologyEvent,
} from '../model/events.ts';
import { isName, type NodeReference, parseReference } from '../model/names.ts';
import type { Position } from '../model/position.ts';
import { changes, withUnits } from './changes.ts';
import { LineError, reportingLineErrors, type Word, Words } from './words.ts';

const LIFECYCLE: readonly LifecycleVerb[] = ['join', 'leave', 'crash', 'disconnect', 'reconnect'];
const VERBS = [
  ...LIFECYCLE,
  ...(['set', 'flap', 'churn', 'partition', 'heal', 'run', 'signal', 'start', 'stop', 'quit'] as const),
] as const;
const TIME_WORD = String.raw`(?:\s*"(?:[^"\\]|\\["\\])*"\s*|\s+[^\s"|]+\s+)`;
/** A regular expression (ECMA-262) for the schema of files: when, and which verb. It matches whatever `parseEvent` accepts. */
export const EVENT_PATTERN = String.raw`^\s*(?:at${TIME_WORD}|from${TIME_WORD}to${TIME_WORD})(?:${VERBS.join('|')})(?![^\s"|])`;
const LIVE_VERBS = [...VERBS, 'reset', 'notify'] as const;
const NEED_WINDOW = ['flap', 'churn'];
const MAY_HAVE_WINDOW = [...NEED_WINDOW, 'set', 'leave', 'disconnect', 'partition'];
/** Faster changes can't be distinguished at an agent's tick. */
export const MIN_PERIOD = micros(10_000);
/** An experiment of more than a hundred days is a typing mistake. */
export const MAX_TIME = micros(100 * DAY);
export const MAX_COUNT = 65_535;
export const MAX_EXIT_CODE = 255;

/**
 * Parses one line of a file; an error goes to `findings` and gives `undefined`. `start`: the position of the line in
 * the file.
 */
export function parseEvent(
  line: string,
  start: Position,
  field: string,
  findings: Findings,
): TopologyEvent | undefined {
  return reportingLineErrors(field, findings, () => {
    const words = new Words(line, start);
    const time = parseTime(words);
    const action = parseVerb(words, time.until !== undefined, IN_FILE);
    if (!words.atEnd()) throw words.unexpected('the end of the line', 'write one event a line');
    return { ...time, action, position: start };
  });
}

/** The `file` of positions in a command, which is in no file. */
export const COMMAND_FILE = 'command';

/**
 * Parses a command of a running experiment: an action without its time, or `reset`. `hasWindow`: whether it has an
 * end. Positions are on line 1 of `COMMAND_FILE`; an error goes to `findings` and gives `undefined`.
 */
export function parseAction(text: string, hasWindow: boolean, findings: Findings): EventAction | undefined {
  return reportingLineErrors('', findings, () => {
    const words = new Words(text, { file: COMMAND_FILE, line: 1, column: 1 });
    const action = parseVerb(words, hasWindow, LIVE);
    if (!words.atEnd()) throw words.unexpected('the end of the command', 'give one command at a time');
    return action;
  });
}

/** How an action gets its time in a line or in a command. */
export interface Manner {
  readonly verbs: readonly (typeof LIVE_VERBS)[number][];
  readonly withoutWindow: (verb: string) => string;
  readonly withWindow: (verb: string) => string;
  /** Words that are easily taken for verbs, and what to write instead. */
  readonly notVerbs: Readonly<Record<string, string>>;
}

const IN_FILE: Manner = {
  verbs: VERBS,
  withoutWindow: (verb) => `write at T ${verb} …`,
  withWindow: (verb) => `write from T to T ${verb} …`,
  notVerbs: { reset: 'a file has nothing to go back to: write events that undo the others' },
};

const LIVE: Manner = {
  verbs: LIVE_VERBS,
  withoutWindow: () => 'leave --for out',
  withWindow: () => 'say how long, e.g. --for 10s',
  notVerbs: {
    at: 'begin with the verb, and give the time with --at, e.g. --at +5s',
    from: 'begin with the verb, and give the window with --at and --for, e.g. --at +5s --for 10s',
  },
};

export const IN_SEQUENCE: Manner = {
  verbs: VERBS,
  withoutWindow: (verb) => `write ${verb} … without a time`,
  withWindow: () => 'write it under events:, or what it does step by step',
  notVerbs: {
    at: 'a step begins when the one before it has ended: write the verb first, or wait T before it',
    from: 'a step begins when the one before it has ended: write the verb first, or wait T before it',
    reset: 'a file has nothing to go back to: write steps that undo the others',
  },
};

function parseTime(words: Words): { at: Micros; until?: Micros } {
  if (words.keyword(['at', 'from'], '"at" or "from"') === 'at') return { at: time(words) };
  const at = time(words);
  words.demand('to', '"to"');
  const position = words.position;
  const until = time(words);
  if (until <= at)
    throw new LineError(position, 'the end is not after the start', 'write from EARLIER to LATER');
  return { at, until };
}

/** An action from its verb on. Throws `LineError`. */
export function parseVerb(words: Words, hasWindow: boolean, manner: Manner): EventAction {
  const position = words.position;
  const wrong = words.peek();
  if (wrong && !wrong.quoted && Object.hasOwn(manner.notVerbs, wrong.text))
    throw words.unexpected('a verb', manner.notVerbs[wrong.text]);
  if (manner === LIVE && words.skip('ended')) return ended(words);
  if (manner === LIVE && words.skip('rekey')) return rekey(words, position);
  const verb = words.keyword(manner.verbs, 'a verb');
  if (hasWindow && !MAY_HAVE_WINDOW.includes(verb)) {
    throw new LineError(position, `${quote(verb)} happens at one instant`, manner.withoutWindow(verb));
  }
  if (!hasWindow && NEED_WINDOW.includes(verb)) {
    throw new LineError(position, `${quote(verb)} needs a start and an end`, manner.withWindow(verb));
  }
  switch (verb) {
    case 'set':
      return { verb, targets: targets(words), changes: changes(words) };
    case 'flap':
      return { verb, targets: targets(words), period: every(words) };
    case 'churn':
      return churn(words);
    case 'partition':
      return { verb, groups: groups(words) };
    case 'run':
      return { verb, targets: targets(words), command: command(words) };
    case 'signal':
      return { verb, targets: targets(words, isSignal), signal: words.keyword(SIGNALS, 'a signal') };
    case 'start':
    case 'stop':
      return { verb, traffic: flowTargets(words) };
    case 'notify':
      return notify(words);
    case 'heal':
    case 'quit':
    case 'reset':
      return { verb };
    default: {
      const named = targets(words);
      if (isPercentage(words.peek()))
        return { verb, targets: named, portion: quantity(words, 'a percentage', parsePercentage) };
      const amount = isCount(words.peek()) ? count(words) : undefined;
      return { verb, targets: named, ...(amount === undefined ? {} : { amount }) };
    }
  }
}

function notify(words: Words): NotifyAction {
  const name = notification(words);
  return { verb: 'notify', name, ...(words.skip('from') && { from: endpoint(words) }) };
}

function ended(words: Words): EndedAction {
  const sequence = notification(words);
  const step = integer(words, 'the number of a step', 1, MAX_COUNT);
  const found = { verb: 'ended', sequence, step, endpoint: endpoint(words) } as const;
  return words.atEnd() ? found : { ...found, code: integer(words, 'an exit code', 0, MAX_EXIT_CODE) };
}

function rekey(words: Words, position: Position): RekeyAction {
  const all = ['rekey'];
  while (!words.atEnd()) all.push(words.take('a word').text);
  if (parseRekey(all.join(' '))) return { verb: 'rekey' };
  throw new LineError(position, 'this replaces no key', 'give it with `netfold mesh rotate`');
}

export function notification(words: Words): string {
  const { position } = words;
  const { text, quoted } = words.take('a name');
  if (!quoted && isName(text)) return text;
  throw new LineError(position, `${quote(text)} can't be a name`, 'write letters, digits, - and _');
}

function endpoint(words: Words): NodeReference {
  const { position } = words;
  const { text, quoted } = words.take('an endpoint');
  const found = quoted ? undefined : parseReference(text);
  if (found) return found;
  throw new LineError(position, `${quote(text)} can't be the name of an endpoint`, 'write e.g. server.0');
}

function flowTargets(words: Words): FlowTarget[] {
  const found: FlowTarget[] = [];
  do {
    const { position } = words;
    const { text, quoted } = words.take('the name of traffic');
    if (quoted || text === '|')
      throw new LineError(position, `${quote(text)} is no name of traffic`, 'write a name of traffic:, or *');
    found.push({ name: text, position });
  } while (!words.atEnd());
  return found;
}

function churn(words: Words): ChurnAction {
  const named = targets(words);
  const amount = isPercentage(words.peek())
    ? { share: quantity(words, 'a percentage', parsePercentage) }
    : { count: count(words) };
  const period = every(words);
  const replace = words.skip('replace');
  const seed = words.skip('seed') ? integer(words, 'a whole number', 0, 2 ** 32 - 1) : 1;
  return { verb: 'churn', targets: named, amount, period, replace, seed };
}

function groups(words: Words): Target[][] {
  const all = [targets(words)];
  while (words.skip('|')) all.push(targets(words));
  if (all.length < 2)
    throw words.unexpected(
      '"|" and another group',
      'write e.g. partition a b | c d, or partition a | * for all others',
    );
  return all;
}

function command(words: Words): string {
  const word = words.peek();
  if (!word?.quoted || word.text === '')
    throw words.unexpected('a command in double quotes', 'write e.g. run client.0 "ping -c 1 server"');
  if (word.text.includes('\0'))
    throw new LineError(word.position, 'the command has a NUL character', 'leave it out');
  return words.take('a command').text;
}

/** Words that end a list of targets. */
function endsTargets(word: Word | undefined): boolean {
  if (!word || word.quoted || word.text === '|' || word.text === 'every') return true;
  return isCount(word) || isPercentage(word) || word.text.includes('=');
}

function isSignal(text: string): boolean {
  return (SIGNALS as readonly string[]).includes(text);
}

function isPercentage(word: Word | undefined): boolean {
  return word !== undefined && !word.quoted && /^[\d.]+%$/.test(word.text);
}

function isCount(word: Word | undefined): boolean {
  return word !== undefined && !word.quoted && /^\d+$/.test(word.text);
}

export function targets(words: Words, endsHere = (_: string): boolean => false): Target[] {
  const found: Target[] = [target(words)];
  for (let next = words.peek(); !endsTargets(next) && !endsHere(next?.text ?? ''); next = words.peek()) {
    found.push(target(words));
  }
  return found;
}

const TARGET_REMEDY = 'write a name, a replica (client.0), a link (a--b, a->b), tag:NAME or *';

function target(words: Words): Target {
  const word = words.peek();
  if (!word || word.quoted || word.text === '|') throw words.unexpected('a target', TARGET_REMEDY);
  const { text, position } = words.take('a target');
  if (text === '*') return { kind: 'all', position };
  if (text.startsWith('tag:')) {
    const tag = parseReference(text.slice(4));
    if (!tag || tag.replica !== undefined)
      throw new LineError(position, `${quote(text)} is not a tag`, 'write e.g. tag:edge');
    return { kind: 'tag', tag: tag.name, position };
  }
  const separator = /--|->/.exec(text);
  if (separator) {
    const [end, link] = text.slice(separator.index + 2).split(/:(.*)/s);
    const from = parseReference(text.slice(0, separator.index));
    const to = parseReference(end!);
    if (!from || !to || (link !== undefined && !isName(link)))
      throw new LineError(
        position,
        `${quote(text)} is not a link`,
        'write e.g. client--s1, client->s1 for one direction, s1--s2:NAME for one of several',
      );
    const directed = separator[0] === '->';
    return { kind: 'link', from, to, directed, ...(link !== undefined && { link }), position };
  }
  const node = parseReference(text);
  if (!node) throw new LineError(position, `expected a target, but found ${quote(text)}`, TARGET_REMEDY);
  return { kind: 'node', node, position };
}

function every(words: Words): Micros {
  words.demand('every', '"every" and a time');
  const position = words.position;
  const period = time(words);
  if (period < MIN_PERIOD)
    throw new LineError(position, 'the period is less than 10ms', 'write every 10ms or more');
  return period;
}

export function time(words: Words): Micros {
  const position = words.position;
  const value = quantity(words, 'a time such as 30s', parseDuration);
  if (value > MAX_TIME)
    throw new LineError(position, 'the time is more than 100 days', 'write e.g. 30s or 1m30s');
  return value;
}

function count(words: Words): number {
  return integer(words, 'a number of endpoints', 1, MAX_COUNT);
}

export function integer(words: Words, expected: string, least: number, most: number): number {
  const word = words.peek();
  const value = word && isCount(word) ? Number(word.text) : Number.NaN;
  if (!(value >= least && value <= most))
    throw words.unexpected(expected, `write a whole number from ${least} to ${most}`);
  words.take(expected);
  return value;
}

function quantity<T>(words: Words, expected: string, parse: (text: string) => T): T {
  const word = words.peek();
  if (!word || word.quoted || word.text === '|') throw words.unexpected(expected);
  words.take(expected);
  return withUnits(word.position, () => parse(word.text));
}
