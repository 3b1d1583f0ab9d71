/**
 * What has happened to an experiment, as one agent saw it (`GET /log` on its socket). Append-only; the latest entries of
 * each kind are kept, in bounded memory. Times are microseconds since the experiment's start; null while that is not known.
 */
import { z } from 'zod';
import type { Command, CommandState } from './command.ts';
import type { AgentState } from './status.ts';

/** The events of one instant, and when they were in force. */
export interface EpochFacts {
  readonly kind: 'epoch';
  /** How many versions of the topology there have been before this one. */
  readonly epoch: number;
  readonly dueMicros: number;
  /** Paths, bandwidths and shares were in force. */
  readonly appliedMicros: number;
  /** Delays and losses as well; with netem these belong to the queues and come with the rest. */
  readonly settledMicros: number;
}

/** The share of a flow from a local endpoint from now on. */
export interface ShareFacts {
  readonly kind: 'share';
  readonly from: string;
  readonly to: string;
  /** null: nothing limits it. 0: the flow has ended. */
  readonly shareBps: number | null;
  readonly epoch: number;
  /** Of a topology in which pairs have several paths: which, from 1 on. */
  readonly path?: number;
}

/** A flow from a local endpoint, as it was announced to the other agents. */
export interface FlowFacts {
  readonly kind: 'flow';
  readonly from: string;
  readonly to: string;
  /** 0: the flow has ended. */
  readonly rateBps: number;
  readonly greedy: boolean;
  /** As of a share. */
  readonly path?: number;
}

/** A command has arrived here, from a user or from another agent. */
export interface CommandFacts {
  readonly kind: 'command';
  readonly command: Command;
  /** Who gave it, as in `HistoryEntry`. */
  readonly by: string;
}

/** A command's state has changed on this host. */
export interface OutcomeFacts {
  readonly kind: 'outcome';
  readonly command: Command;
  readonly state: CommandState;
  /** Why it changed nothing. */
  readonly problem?: string;
}

/** An endpoint is at a host, or has left it. */
export interface EndpointFacts {
  readonly kind: 'endpoint';
  readonly name: string;
  /** null: no host has it any more. */
  readonly host: string | null;
  readonly addresses: readonly string[];
}

/** The first message of another host's agent arrived, it left or became silent, or it has the same commands again. */
export interface HostFacts {
  readonly kind: 'host';
  readonly name: string;
  readonly present: boolean;
  /** It has the same commands as this agent. */
  readonly inStep: boolean;
}

/** Something can't be enforced, or can again. */
export interface DegradedFacts {
  readonly kind: 'degraded';
  readonly reason: string;
  readonly present: boolean;
}

/** A cause of the verdict (proto/status.ts) has begun or ended. */
export interface CauseFacts {
  readonly kind: 'cause';
  readonly code: string;
  readonly weight: 'degraded' | 'invalid';
  readonly host: string;
  readonly path: string | null;
  readonly message: string;
  readonly present: boolean;
}

export interface StateFacts {
  readonly kind: 'state';
  readonly state: AgentState;
}

export type RunLogFacts =
  | EpochFacts
  | ShareFacts
  | FlowFacts
  | CommandFacts
  | OutcomeFacts
  | EndpointFacts
  | HostFacts
  | DegradedFacts
  | CauseFacts
  | StateFacts;

export type RunLogKind = RunLogFacts['kind'];

export type RunLogEntry<Facts extends RunLogFacts = RunLogFacts> = Facts & {
  /** Counts all entries of this agent, from 0. */
  readonly position: number;
  readonly atMicros: number | null;
};

/** Entries from a position on. */
export interface RunLogPage {
  readonly host: string;
  /** Identifies this run of the agent: positions of earlier runs are not valid. */
  readonly incarnation: number;
  readonly entries: readonly RunLogEntry[];
  /** Where to continue. */
  readonly next: number;
  /** How many entries from the position on are no longer kept; of some kinds only: how many of these kinds miss any. */
  readonly forgotten: number;
}

/** A page has at most so many entries; the next call has the rest. */
export const MAX_PAGE_ENTRIES = 1000;
/** The longest wait in one call. */
export const MAX_WAIT_MS = 30_000;

const wholeNumber = z.coerce.number().int().nonnegative();

export const RUN_LOG_KINDS = [
  'epoch',
  'share',
  'flow',
  'command',
  'outcome',
  'endpoint',
  'host',
  'degraded',
  'cause',
  'state',
] as const satisfies readonly RunLogKind[];

/**
 * `GET /log?from=POSITION&waitMs=MILLISECONDS&kinds=KIND,KIND`. Without a position: from now on. With a wait, an empty page
 * comes only after that time. Without kinds: all.
 */
export const runLogQuerySchema = z.strictObject({
  from: wholeNumber.optional(),
  waitMs: wholeNumber.max(MAX_WAIT_MS).default(0),
  kinds: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(RUN_LOG_KINDS)))
    .optional(),
});

export type RunLogQuery = z.infer<typeof runLogQuerySchema>;
