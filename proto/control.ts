/** Live control: what a user tells a running experiment, and what its agents answer. */
import { z } from 'zod';
import { type Command, type CommandState, MAX_COMMAND_BYTES } from './command.ts';

/** What `netfold set …` and its like ask an agent (`POST /control`). */
export const controlRequestSchema = z.strictObject({
  /** As `Command.text`. */
  text: z.string().min(1).max(MAX_COMMAND_BYTES),
  /** When: microseconds since the start, or from now on; absent: as soon as all agents can know of it. */
  at: z.number().nonnegative().optional(),
  after: z.number().nonnegative().optional(),
  /** How long, in microseconds, for what has a window. */
  during: z.number().positive().optional(),
  /** Also where this agent hears none of the others. */
  alone: z.boolean().optional(),
});

export type ControlRequest = z.infer<typeof controlRequestSchema>;

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
