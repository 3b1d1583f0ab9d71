/** A parsed command: its event, or why it has none. */
import { type Command, isRekey, isUrgent, wrongTime } from '../../proto/command.ts';
import { formatMicros, micros } from '../../proto/units.ts';
import { COMMAND_FILE, parseAction } from '../../topology/events/grammar.ts';
import { Findings, quote, TopologyError } from '../../topology/model/diagnostics.ts';
import type { TopologyEvent } from '../../topology/model/events.ts';
import { MAX_ATOMS } from '../../topology/model/limits.ts';
import type { Position } from '../../topology/model/position.ts';
import { countSteps } from '../../topology/timeline/steps.ts';
import { CommandError } from './errors.ts';

export interface KnownCommand {
  readonly command: Command;
  /** Absent: the command can't be parsed. `reset` has one, too, which changes nothing by itself. */
  readonly event: TopologyEvent | undefined;
  readonly error: CommandError | undefined;
  /** How many steps of the timeline it has at most; 0 for one of `isUrgent`, and for a key of the mesh. */
  readonly steps: number;
}

export const isReset = ({ event }: KnownCommand): boolean => event?.action.verb === 'reset';

/** Never throws: a command that can't be parsed counts as known, too, on every agent alike. */
export function readCommand(command: Command): KnownCommand {
  const wrong = (error: CommandError): KnownCommand => ({ command, event: undefined, error, steps: 0 });
  const { text, at, until } = command;
  const findings = new Findings(COMMAND_FILE);
  const action = parseAction(text, until !== undefined, findings);
  if (!action) return wrong(firstOf(command, findings));
  const timing = timeProblem(command);
  if (timing) return wrong(new CommandError(command, 'EVENT_TIME', START, ...timing));
  const times = { at: micros(at), ...(until === undefined ? {} : { until: micros(until) }) };
  const event: TopologyEvent = { ...times, action, position: START };
  // What a user needs to get out of a bad state has room whatever was commanded before. There are few of them.
  const steps = isUrgent(command) || isRekey(command) ? 0 : countSteps(event);
  if (steps <= MAX_ATOMS) return { command, event, error: undefined, steps };
  const message = `this comes to ${steps} changes, more than ${MAX_ATOMS}`;
  return wrong(new CommandError(command, 'LIMIT', START, message, 'use a longer period or a shorter window'));
}

export const START: Position = { file: COMMAND_FILE, line: 1, column: 1 };

function firstOf(command: Command, findings: Findings): CommandError {
  try {
    findings.settle();
  } catch (error) {
    if (!(error instanceof TopologyError)) throw error;
    const { code, file, line, column, message, remedy } = error.diagnostics[0]!;
    return new CommandError(command, code, { file, line, column }, message, remedy);
  }
  throw new Error(`${quote(command.text)} gave neither an action nor an error`);
}

/**
 * Any instant that differs from the next one in floating point can be played; `wrongCommand` limits how far ahead
 * commands may be.
 */
const LATEST = Number.MAX_SAFE_INTEGER - 1;

/** Problem and remedy. */
function timeProblem(command: Command): [string, string] | undefined {
  const wrong = wrongTime(command, LATEST);
  if (wrong === undefined) return undefined;
  if (wrong === 'until') return ['the end is not after the start', 'say how long, e.g. --for 10s'];
  if (wrong !== 'early') return ['its times are none', 'give times since the start of the experiment'];
  const { at, issuedAt } = command;
  const passed = `${formatMicros(at)} is over: it was ${formatMicros(issuedAt)} when the command came`;
  return [passed, 'give a later time, e.g. --at +5s'];
}
