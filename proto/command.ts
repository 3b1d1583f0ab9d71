/**
 * Commands, which users give to a running experiment: what one is, what it may be, which is which, and their orders. All that
 * carry, keep or play commands take this from here.
 */
import { z } from 'zod';
import { isHostName, isIncarnation } from './host.ts';
import { MAX_DURATION } from './units.ts';

/** Of an experiment; more than a user types in a year. Of further ones, those stay that were accepted first (`compareIssue`). */
export const MAX_COMMANDS = 4096;
/** The text of one command, as UTF-8. Longer ones are scripts: they belong into the file. */
export const MAX_COMMAND_BYTES = 1024;

/** A command as all agents know it. Times are microseconds since the experiment's start. */
export interface Command {
  /** Name of the host whose agent accepted it, the incarnation of that agent, and its count there, from 1. */
  readonly origin: string;
  readonly incarnation: number;
  readonly number: number;
  /** When it was accepted, and when it takes effect. */
  readonly issuedAt: number;
  readonly at: number;
  /** When it ends, for what has a window. */
  readonly until?: number;
  /** An action of the event grammar (`set s1--s2 latency=50ms`), or `reset`: back to the timeline. */
  readonly text: string;
}

/** What a user says. The agent that accepts it makes the rest (`CommandOrigin`). */
export type NewCommand = Pick<Command, 'issuedAt' | 'at' | 'until' | 'text'>;
export type CommandOrigin = Pick<Command, 'origin' | 'incarnation' | 'number'>;

/** `undone`: by a reset, which also drops what was not due yet. `failed`: it found nothing to do, and changed nothing. */
export type CommandState = 'pending' | 'done' | 'undone' | 'failed';

/** What tells a command from all others. */
export function commandKey({ origin, incarnation, number }: CommandOrigin): string {
  return `${origin} ${incarnation} ${number}`;
}

/** The order in which commands take effect, everywhere alike. Total: all fields that tell two commands apart take part. */
export function compareCommands(a: Command, b: Command): number {
  return (
    a.at - b.at ||
    a.issuedAt - b.issuedAt ||
    compareText(a.origin, b.origin) ||
    a.incarnation - b.incarnation ||
    a.number - b.number
  );
}

/**
 * The order in which commands were accepted: of too many, and of two that say to be the same one, the first stay, and what a
 * reset undoes comes before it. 0 only for commands that are alike in every field.
 */
export function compareIssue(a: Command, b: Command): number {
  return (
    a.issuedAt - b.issuedAt ||
    compareCommands(a, b) ||
    (a.until ?? 0) - (b.until ?? 0) ||
    compareText(a.text, b.text)
  );
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The field that is wrong, with its value; `undefined`: all are right. */
export function wrongCommand(command: Command): string | undefined {
  const { origin, incarnation, number, text } = command;
  if (!isHostName(origin)) return `origin ${show(origin)}`;
  if (!isIncarnation(incarnation)) return `incarnation ${incarnation}`;
  if (!Number.isInteger(number) || number < 1 || number > 0xffffffff) return `number ${number}`;
  const time = wrongTime(command);
  if (time) return showTime(time, command);
  return isCommandText(text) ? undefined : `text ${show(text)}`;
}

/** `early`: it takes effect before it was accepted. */
export type WrongTime = 'issuedAt' | 'at' | 'early' | 'until';

/** What is wrong with the times of a command. `latest`: how far ahead they may be. */
export function wrongTime(
  { issuedAt, at, until }: Pick<Command, 'issuedAt' | 'at' | 'until'>,
  latest: number = MAX_DURATION,
): WrongTime | undefined {
  if (!isTime(issuedAt, latest)) return 'issuedAt';
  if (!isTime(at, latest)) return 'at';
  if (at < issuedAt) return 'early';
  return until === undefined || (isTime(until, latest) && until > at) ? undefined : 'until';
}

/** One line. */
function isCommandText(text: string): boolean {
  const isLine = text.length > 0 && text.isWellFormed() && !/\p{Cc}/u.test(text);
  return isLine && Buffer.byteLength(text) <= MAX_COMMAND_BYTES;
}

function isTime(micros: number, latest: number): boolean {
  return Number.isFinite(micros) && micros >= 0 && micros <= latest;
}

function showTime(wrong: WrongTime, { issuedAt, at, until }: Command): string {
  if (wrong === 'issuedAt') return `issued_at ${issuedAt}`;
  return wrong === 'until' ? `until ${until}, at ${at}` : `at ${at}, issued at ${issuedAt}`;
}

const show = (text: string): string => JSON.stringify(text).slice(0, 80);

/** A command from outside, e.g. from a file: what `wrongCommand` finds fault with is refused, and so is what is none at all. */
export const commandSchema = z
  .object({
    origin: z.string(),
    incarnation: z.number(),
    number: z.number(),
    issuedAt: z.number(),
    at: z.number(),
    until: z.number().optional(),
    text: z.string(),
  })
  .transform(({ until, ...command }): Command => ({ ...command, ...(until !== undefined && { until }) }))
  .refine((command) => wrongCommand(command) === undefined);
