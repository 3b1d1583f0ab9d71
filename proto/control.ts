/** Live control: the requests of users to a running experiment, and the answers of its agents. */
import { z } from 'zod';
import { type Command, type CommandState, commandSchema, isPeerId, MAX_COMMAND_BYTES } from './command.ts';

/** A command that the agent itself signs, within its rights (`POST /control`). */
export const controlRequestSchema = z.strictObject({
  /** As `Command.text`. */
  text: z.string().min(1).max(MAX_COMMAND_BYTES),
  /** When: microseconds since the start, or from now on; absent: as soon as all agents can know it. */
  at: z.number().nonnegative().optional(),
  after: z.number().nonnegative().optional(),
  /** How long, in microseconds, if it has a window. */
  during: z.number().positive().optional(),
  /** Accept it even if this agent receives from no other. */
  alone: z.boolean().optional(),
});

export type ControlRequest = z.infer<typeof controlRequestSchema>;

/**
 * A command of somebody else, who signs it: the agent gives it its place among all (`POST /control/place`), and takes it when
 * it comes back signed (`POST /control/signed`), within `PLACED_MS`. An unsigned one is forgotten.
 */
export const placeRequestSchema = controlRequestSchema.extend({
  /** Peer id of the key that will sign. */
  author: z.string().refine(isPeerId),
});

export type PlaceRequest = z.infer<typeof placeRequestSchema>;

export const PLACED_MS = 10_000;

export interface PlacedCommand {
  /** To be signed exactly so. */
  readonly command: Command;
  /** What is signed with it: the experiment, and this start of it. Absent: nobody signs here. */
  readonly scope?: string;
}

export const signedRequestSchema = z.strictObject({ command: commandSchema });

export type SignedRequest = z.infer<typeof signedRequestSchema>;

export interface HistoryEntry extends Command {
  /** Who gave it: the name of a user's key, or `agent HOST`. */
  readonly by: string;
  readonly state: CommandState;
  /** Why it changed nothing. */
  readonly problem?: string;
  /** The first of those that it has hit: endpoints, bridges, links; for a partition in force, the endpoints of each group. */
  readonly hit?: readonly string[];
  /** How many there are. */
  readonly hitCount?: number;
}

/** Who has the commands that an agent has. */
export interface ControlStanding {
  /** The agent's host. */
  readonly host: string;
  /** Microseconds since the start; negative before it, null if it isn't known. */
  readonly now: number | null;
  /** Hosts with the same commands as this one, and hosts that don't have them yet or are silent. */
  readonly inStep: readonly string[];
  readonly behind: readonly string[];
}

/** A host that an agent has met (`GET /members`); one that is away has the peer id that it had last. */
export interface KnownMember {
  readonly name: string;
  readonly peer: string;
  readonly isPresent: boolean;
}

/** What an agent knows of commands (`GET /control`). */
export interface ControlAnswer extends ControlStanding {
  /** In the order in which they take effect. */
  readonly history: readonly HistoryEntry[];
  /** How many older ones this agent has left out of it, since nothing of them is left. */
  readonly folded: number;
}

/** Its answer to a new one, without all that there are: these may be thousands. */
export interface AcceptedCommand extends ControlStanding {
  readonly command: Command;
}

// How an application tells its agent that something has happened (`netfold notify NAME`).

/** Of an endpoint's life, as `NETFOLD_LIFE` has it: an abstract Unix socket (unix(7)), which only its network namespace reaches. */
export const notifyDoor = (life: string): string => `\0netfold-notify/${life}`;

/** The answer to a name that was taken; any other one says why it was not. */
export const NOTIFIED = 'ok';
/** Names are shorter. */
export const LONGEST_NOTIFICATION = 64;
