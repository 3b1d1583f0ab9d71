/**
 * The steps of sequences. One is an action at one instant (grammar.ts), or
 *
 *     step     = "wait" T  |  "wait" "for" NAME ["from" targets]
 *              | "wait" "for" "log" targets "contains" TEXT
 *              | "run" targets TEXT ("detached" | ["exit" INTEGER] ["timeout" T])
 *
 * Those that wait for an expectation are in topology/expect/condition.ts.
 */
import type { Findings } from '../model/diagnostics.ts';
import type { Position } from '../model/position.ts';
import { nameOfLogged, type SequenceStep } from '../model/sequences.ts';
import { IN_SEQUENCE, integer, MAX_EXIT_CODE, notification, parseVerb, targets, time } from './grammar.ts';
import { LineError, reportingLineErrors, Words } from './words.ts';

/** Parses a step of a sequence, as `parseEvent` does an event. */
export function parseStep(
  line: string,
  start: Position,
  field: string,
  findings: Findings,
): SequenceStep | undefined {
  return reportingLineErrors(field, findings, () => {
    const words = new Words(line, start);
    const step = words.skip('wait') ? wait(words) : stepAction(words);
    if (!words.atEnd()) throw words.unexpected('the end of the line', 'write one step a line');
    return { ...step, line: line.trim(), position: start };
  });
}

/** Without distributing over the union, its parts are lost. */
type BareStep = SequenceStep extends infer One
  ? One extends SequenceStep
    ? Omit<One, 'line' | 'position'>
    : never
  : never;

function wait(words: Words): BareStep {
  if (!words.skip('for')) return { kind: 'pause', time: time(words) };
  const isLog = words.skip('log');
  // Somebody may notify "log".
  if (isLog && !words.atEnd() && words.peek()!.text !== 'from') return logged(words);
  const name = isLog ? 'log' : notification(words);
  return { kind: 'wait', name, ...(words.skip('from') && { from: targets(words) }) };
}

/** A line is longer than this only if nobody reads it. */
const MOST_TEXT = 1000;

function logged(words: Words): BareStep {
  const from = targets(words, (text) => text === 'contains');
  words.demand('contains', '"contains" and a text in double quotes');
  const { position } = words;
  const { text, quoted } = words.take('a text in double quotes');
  if (!quoted || text === '' || text.length > MOST_TEXT || /[\n\0]/.test(text))
    throw new LineError(
      position,
      'this is no text of a log',
      `write a part of a line in double quotes, at most ${MOST_TEXT} characters`,
    );
  return { kind: 'wait', name: nameOfLogged(text), from, log: text };
}

function stepAction(words: Words): BareStep {
  const action = parseVerb(words, false, IN_SEQUENCE);
  // Started, and not waited for.
  if (action.verb !== 'run' || words.skip('detached')) return { kind: 'action', action };
  const code = words.skip('exit') ? integer(words, 'an exit code', 0, MAX_EXIT_CODE) : 0;
  const timeout = words.skip('timeout') ? time(words) : undefined;
  return { kind: 'program', action, code, ...(timeout !== undefined && { timeout }) };
}
