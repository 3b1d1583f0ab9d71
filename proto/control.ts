/** Live control: what a user tells a running experiment, and what its agents answer. */
import { z } from 'zod';

/** Longer ones are scripts: they belong into the file. */
export const MAX_COMMAND_TEXT = 1024;

/**
 * A command as all agents know it. Commands take effect in the order of `compareCommands`, everywhere alike.
 * Times are microseconds since the experiment's start.
 */
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

/** A total order: all fields that tell two commands apart take part. */
export function compareCommands(a: Command, b: Command): number {
  return (
    a.at - b.at ||
    a.issuedAt - b.issuedAt ||
    (a.origin < b.origin ? -1 : a.origin > b.origin ? 1 : 0) ||
    a.incarnation - b.incarnation ||
    a.number - b.number
  );
}

/** What tells a command from all others. */
export function commandKey({ origin, incarnation, number }: Command): string {
  return `${origin} ${incarnation} ${number}`;
}

/** What `netfold set …` and its like ask an agent (`POST /control`). */
export const controlRequestSchema = z.strictObject({
  /** As `Command.text`. */
  text: z.string().min(1).max(MAX_COMMAND_TEXT),
  /** When: microseconds since the start, or from now on; absent: as soon as all agents can know of it. */
  at: z.number().nonnegative().optional(),
  after: z.number().nonnegative().optional(),
  /** How long, in microseconds, for what has a window. */
  during: z.number().positive().optional(),
  /** Also where this agent hears none of the others. */
  alone: z.boolean().optional(),
});

export type ControlRequest = z.infer<typeof controlRequestSchema>;

export type CommandState = 'pending' | 'done' | 'undone' | 'failed';

export interface HistoryEntry extends Command {
  readonly state: CommandState;
  /** Why it changed nothing. */
  readonly problem?: string;
}

/** What an agent knows of the commands (`GET /control`), and answers to a new one. */
export interface ControlAnswer {
  /** The agent's host. */
  readonly host: string;
  /** Microseconds since the start; negative before it, null where it isn't known. */
  readonly now: number | null;
  /** The one that was accepted. */
  readonly command?: Command;
  /** In the order in which they take effect. */
  readonly history: readonly HistoryEntry[];
  /** Hosts that have the same commands as this one, and those that haven't yet, or are silent. */
  readonly inStep: readonly string[];
  readonly behind: readonly string[];
}
