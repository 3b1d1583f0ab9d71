/** What users did by hand in a run, as lines of a timeline. Pure. */
import { formatMicros, fromMillis } from '../../proto/units.ts';
import { FROM_FILE } from './happened.ts';
import type { EventRow } from './rows.ts';

/** A command as it was given. Milliseconds since the timeline began. */
export interface GivenCommand {
  readonly atMs: number;
  readonly untilMs: number | null;
  readonly text: string;
}

/** Commands that had an effect, in the order in which they took it. A `reset` takes the ones before it back. */
export function commandsOf(events: readonly EventRow[]): GivenCommand[] {
  return events
    .filter(({ origin, outcome }) => isUsers(origin) && outcome !== 'failed' && outcome !== 'pending')
    .map(({ dueMs, untilMs, text }) => ({ atMs: dueMs, untilMs, text }));
}

/** What agents tell of sequences, they tell anew. */
const isUsers = (origin: string): boolean => origin !== FROM_FILE && !origin.startsWith('agent ');

/** Pauses that are longer than this become as long as this. */
export function withoutPauses(commands: readonly GivenCommand[], mostMs: number): GivenCommand[] {
  let cut = 0;
  let last = 0;
  return commands.map((command) => {
    const pause = command.atMs - last;
    last = Math.max(last, command.atMs);
    cut += Math.max(0, pause - mostMs);
    return {
      ...command,
      atMs: command.atMs - cut,
      untilMs: command.untilMs === null ? null : command.untilMs - cut,
    };
  });
}

/** Commands that no line of a timeline can say. */
const LIVE_ONLY = /^\s*(reset\s*$|notify\s)/;

export interface TimelineText {
  readonly text: string;
  /** What could not be written, one sentence each. */
  readonly omitted: readonly string[];
}

/** A file's `events:`. `heading`: comments at its beginning. */
export function timelineText(commands: readonly GivenCommand[], heading: readonly string[]): TimelineText {
  const others = commands.filter(({ text }) => LIVE_ONLY.test(text));
  const lines = commands
    .filter((command) => !others.includes(command))
    .map((command) => `  - ${quoted(lineOf(command))}`);
  return {
    text: [
      ...heading.map((one) => `# ${one}`),
      lines.length === 0 ? 'events: []' : 'events:',
      ...lines,
      '',
    ].join('\n'),
    omitted: others.map(({ atMs, text }) =>
      text.trim() === 'reset'
        ? `the reset at ${instant(atMs)}: a timeline has none; take out the lines that it undid`
        : `the ${text.trim()} at ${instant(atMs)}: a timeline has none`,
    ),
  };
}

export const lineOf = ({ atMs, untilMs, text }: GivenCommand): string =>
  untilMs === null ? `at ${instant(atMs)} ${text}` : `from ${instant(atMs)} to ${instant(untilMs)} ${text}`;

/** Whatever a command contains, it is one text for YAML. */
const quoted = (text: string): string => (/^[\w][\w .,=%/|*-]*$/.test(text) ? text : JSON.stringify(text));

const instant = (ms: number): string => formatMicros(fromMillis(ms));
