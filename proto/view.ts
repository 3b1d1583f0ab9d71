/**
 * An agent's view of the whole mesh, and its shares (`GET /view` on its socket). If agents agree, all but `host` and
 * `shares` is the same, and `shares` follow from the rest.
 */
import { z } from 'zod';
import type { EncodedImpairment } from './impairment.ts';
import { type RunLogPage, runLogQuerySchema } from './run-log.ts';
import type { AgentState, AgentStatus, FlowStatus } from './status.ts';

export interface ViewMember {
  readonly name: string;
  readonly peer: string;
  readonly incarnation: number;
}

export interface ViewEndpoint {
  readonly name: string;
  /** The host that has it. */
  readonly host: string;
  readonly addresses: readonly string[];
}

/** As announced. */
export interface ViewFlow {
  readonly from: string;
  readonly to: string;
  readonly rateBps: number;
  readonly greedy: boolean;
}

/** Of a flow from an own endpoint. null: no limit. */
export interface ViewShare {
  readonly from: string;
  readonly to: string;
  readonly rateBps: number | null;
  readonly ceilingBps: number | null;
}

export interface AgentView {
  readonly host: string;
  readonly state: AgentState;
  /** As in the status. */
  readonly shaped: boolean;
  readonly degraded: readonly string[];
  /** Microseconds since the start; null if it isn't known. */
  readonly now: number | null;
  readonly epoch: number;
  /** Sorted by name, including the agent's own host. */
  readonly members: readonly ViewMember[];
  /** In the order of the topology. */
  readonly endpoints: readonly ViewEndpoint[];
  /** Of all hosts, by source and destination in the order of the topology. */
  readonly flows: readonly ViewFlow[];
  readonly shares: readonly ViewShare[];
  /** How many commands are known, and their digest. */
  readonly commands: { readonly count: number; readonly digest: string };
}

/** As `Graph` of topology/model, with impairments as JSON has them. */
export interface EncodedGraph {
  readonly routing: 'latency' | 'hops' | 'weight' | 'valley-free';
  readonly ecmp?: number;
  readonly transmission?: string;
  readonly endpoints: readonly string[];
  readonly nodes: readonly string[];
  readonly forwards: readonly boolean[];
  readonly edges: readonly { readonly from: number; readonly to: number; readonly link: number }[];
  readonly links: readonly ({
    readonly name: string;
    readonly weight?: number;
    readonly relationship?: 'customer' | 'peer' | 'provider';
  } & EncodedImpairment)[];
  readonly partitions?: readonly (readonly number[])[];
  readonly routes?: readonly {
    readonly from: readonly [number, number];
    readonly to: readonly [number, number];
    readonly via: readonly number[];
  }[];
}

/** The topology of this instant (`GET /graph` on an agent's socket), with all events and commands until now. */
export interface LiveGraph {
  /** Microseconds since the start; null before it. */
  readonly now: number | null;
  readonly epoch: number;
  readonly graph: EncodedGraph;
}

/** Proof that a path's rules are in force (`GET /verdict` on an agent's socket). Dates are of the agent's machine. */
export interface EndpointProof {
  readonly endpoint: string;
  readonly host: string;
  /** Since when its rules are as they should be; null: they were not read back yet. */
  readonly inForceSince: string | null;
  readonly readBackAt: string | null;
}

/** A path from an endpoint of the agent that has carried traffic lately. */
export interface PathProof {
  readonly from: string;
  readonly to: string;
  /** Since when the path has its present properties. */
  readonly setSince: string;
  /** Of both directions, as the topology says; null: there is no way back. */
  readonly roundTripMs: number | null;
  /** What a TCP connection of the applications measured last; null: there was none. */
  readonly measuredMs: number | null;
  readonly retransmitted: number | null;
  readonly measuredAt: string | null;
  /** Since when it is seen to work: a round trip of TCP or of a probe was as the path says, none was otherwise since; and when last. */
  readonly worksSince: string | null;
  readonly workedAt: string | null;
  /** Of netfold's own, on a path that no TCP measures; absent: there are none. */
  readonly probes?: ProbesTold | undefined;
}

export interface ProbesTold {
  readonly sent: number;
  readonly lost: number;
  /**
   * The last one: there, and back as the real network takes it where the delay line delays, since an answer is stamped when it
   * arrives; there and back with netem. null: none came back.
   */
  readonly latestMs: number | null;
}

export interface AgentProofs {
  readonly endpoints: readonly EndpointProof[];
  readonly paths: readonly PathProof[];
}

/** What TCP measured of a path, beside what the topology says. */
export type PathMeasurement = Pick<PathProof, 'from' | 'to'> & {
  readonly roundTripMs: number;
  readonly measuredMs: number;
  readonly retransmitted: number;
};

/**
 * What a recorder wants to know each second, in one answer that is made with as little work as possible, since it is made for as
 * long as the run goes on (`GET /news?from=POSITION&kinds=KIND,KIND&measuredAfter=MILLISECONDS` on an agent's socket).
 */
export interface AgentNews
  extends Pick<
    AgentStatus,
    'host' | 'hosts' | 'nowMs' | 'cpuSeconds' | 'memoryBytes' | 'processes' | 'clock' | 'traffic'
  > {
  /** From local endpoints. */
  readonly flows: readonly FlowStatus[];
  /** Mean duration of a tick. */
  readonly tickMs: number;
  /** What was measured after the instant that was asked for, of paths from local endpoints. */
  readonly measured: readonly PathMeasurement[];
  /** The instant to ask for next, by the agent's own clock. */
  readonly measuredUntil: number;
  /** Of the run log (`GET /log`). */
  readonly log: RunLogPage;
}

export const newsQuerySchema = runLogQuerySchema
  .omit({ waitMs: true })
  .extend({ measuredAfter: z.coerce.number().nonnegative().default(0) });

export type NewsQuery = z.infer<typeof newsQuerySchema>;

/* The record of an agent's reactions (`GET /record` on its socket): the latest, in bounded memory. */

/** The share of a flow from one of the agent's endpoints, from an instant on. */
export interface ShareChange {
  /** Microseconds since the start, when it was in force in the kernel. */
  readonly atMicros: number;
  readonly from: string;
  readonly to: string;
  /** null: nothing limits it. 0: the flow has ended. */
  readonly shareBps: number | null;
  readonly epoch: number;
}

/** The events of one instant, and when they were in force. Microseconds since the start. */
export interface EventChange {
  readonly dueMicros: number;
  /** Paths, bandwidths and shares were in force. */
  readonly appliedMicros: number;
  /** Delays and losses were in force as well; with netem these belong to the queues and come with the rest. */
  readonly settledMicros: number;
  readonly epoch: number;
}

export interface AgentRecord {
  readonly host: string;
  readonly tickMs: number;
  /** In order of time. */
  readonly shares: readonly ShareChange[];
  readonly events: readonly EventChange[];
  /** How many older entries are no longer kept. */
  readonly forgotten: { readonly shares: number; readonly events: number };
}
