/** What an agent reports about itself (`GET /status` on its socket, `netfold status --json`). */

export type AgentState = 'starting' | 'waiting' | 'ready' | 'running' | 'stopping';

export interface FlowStatus {
  readonly from: string;
  readonly to: string;
  /** Measured, as frames. */
  readonly rateBps: number;
  /** Its share now; null without a limit. */
  readonly shareBps: number | null;
  readonly greedy: boolean;
  /** Name of the link that limits it; null if its own demand does. */
  readonly limitedBy: string | null;
  /** Of a pair with several paths, those that carry something: the rest of the flow's facts are their sums. */
  readonly paths?: readonly FlowPath[];
}

export interface FlowPath extends Pick<FlowStatus, 'rateBps' | 'shareBps' | 'limitedBy'> {
  /** Its place among the paths of the pair, from 1 on. */
  readonly path: number;
  /** Names of its links, in order. */
  readonly links: readonly string[];
}

/** The real round-trip time to another host. */
export interface UnderlayHost {
  readonly host: string;
  /** The last measurement; null: there is none yet, or it can't be measured. */
  readonly roundTripMs: number | null;
  /** How much shorter each direction of the paths between the hosts is made. */
  readonly subtractedMs: number;
}

/** Paths on which the real network is slower than the topology asks for. */
export interface SlowPaths {
  readonly count: number;
  /** The worst of them. `byMs` is `realMs - latencyMs`. */
  readonly worst: readonly {
    readonly from: string;
    readonly to: string;
    /** Asked for. */
    readonly latencyMs: number;
    /** Of the real network, in this direction. */
    readonly realMs: number;
    readonly byMs: number;
  }[];
}

/** What an agent sends to others, and how it is kept within its budget. */
export interface MetadataStatus {
  /** Sent on the wire, in the last seconds. */
  readonly bytesPerSecond: number;
  /** null: none is set. */
  readonly budgetBytesPerSecond: number | null;
  /** In force: changes of a rate up to this part are not announced … */
  readonly threshold: number;
  /** … and others not more often than this; 0: in every tick. */
  readonly intervalMs: number;
  /** How many levels coarser than configured. */
  readonly level: number;
}

/** Something that an event of the file or a command has changed, and that is in force now. */
export interface FaultStatus {
  /**
   * `away`: endpoints, bridges or links that left, crashed or are disconnected; `running`: a flap or churn that goes on,
   * and has nothing down just now.
   */
  readonly what: 'away' | 'setting' | 'partition' | 'running';
  readonly verb: string;
  /** The first of them; for a partition, the endpoints of each group. */
  readonly names: readonly string[];
  readonly count: number;
  /** Since the start of the experiment; null: until another event or command ends it. */
  readonly sinceMs: number;
  readonly untilMs: number | null;
  /** The line of the file, or the command. */
  readonly by: string;
  /** Of a signed command: who gave it. */
  readonly givenBy?: string;
}

/** Where a sequence of the file is. */
export interface SequenceStatus {
  readonly name: string;
  /** `waits`: for its beginning. */
  readonly state: 'waits' | 'runs' | 'done' | 'failed';
  /** From 1; null: it has none now. */
  readonly step: number | null;
  /** Since the start of the experiment; null: it waits. */
  readonly sinceMs: number | null;
  /** Whom, or what, it waits for; what has failed. */
  readonly about: readonly string[];
}

export type VerdictState = 'faithful' | 'degraded' | 'invalid';

/** Why a run, or a part of it, is not what the topology says. docs/fidelity.md has the codes. */
export interface Cause {
  readonly code: string;
  /** `invalid`: what was measured meanwhile says nothing of the topology. */
  readonly weight: Exclude<VerdictState, 'faithful'>;
  /** Dates (ISO 8601) by the clock of the machine that saw it. `until`: null while it goes on. */
  readonly since: string;
  readonly until: string | null;
  /** The host at which it is. */
  readonly host: string;
  /** `a.0 > b.0`; `a.0 > *`: all from there; null: all of the host. */
  readonly path: string | null;
  readonly message: string;
  /** The worst so far, and what a faithful run keeps to; both in `unit`. */
  readonly measured: number;
  readonly bound: number;
  readonly unit: string;
}

/** What an agent says of the run so far. */
export interface AgentVerdict {
  /** Of the whole run … */
  readonly verdict: VerdictState;
  /** … and of what goes on. */
  readonly now: VerdictState;
  /** The first of the causes; without one, the start of the judgement; null before it. */
  readonly since: string | null;
  /** The oldest first. */
  readonly causes: readonly Cause[];
  /** How many older ones are no longer kept. */
  readonly forgotten: number;
}

/** What an agent probes of paths and hosts, and what that costs. */
export interface ProbesStatus {
  /** How many paths are probed now. */
  readonly paths: number;
  /** How often one of them was probed in the last second, on average: the time between two, ms; null: none was. */
  readonly everyMs: number | null;
  /** Since the start. */
  readonly sent: number;
  readonly lost: number;
  /** Processor time since the start, ms, and the part of a processor that it may be. */
  readonly workMs: number;
  readonly budget: number;
  /** Paths wait for their turn, since that part is used up, or since there are too many of them. */
  readonly behind: boolean;
}

/** Traffic of netfold's own, of one entry of the file, between two endpoints of which one is on this host. */
export interface TrafficStatus {
  readonly name: string;
  readonly kind: string;
  readonly protocol: string;
  readonly from: string;
  readonly to: string;
  /** How many sources these numbers are of. */
  readonly sources: number;
  /** Datagrams with their payload; of a TCP connection, pieces that were handed to the kernel. 0 where the sender is elsewhere. */
  readonly sent: number;
  readonly sentBytes: number;
  /** Datagrams for which the sender's queue had no room. */
  readonly refused: number;
  /** Datagrams that were not sent, since the machine was late by 0.1 s. */
  readonly late: number;
  /** 0 where the receiver is elsewhere. */
  readonly received: number;
  readonly receivedBytes: number;
  /** Of datagrams, from one host's date to the other's: the sum, and the longest. */
  readonly delaySumMs: number;
  readonly mostDelayMs: number;
}

/** Entries of one name may differ in the rest, as those of a file of flows do. */
export const trafficKey = ({
  name,
  kind,
  protocol,
  from,
  to,
}: Pick<TrafficStatus, 'name' | 'kind' | 'protocol' | 'from' | 'to'>): string =>
  JSON.stringify([name, kind, protocol, from, to]);

/** What two tell of the same traffic, with as many sources as both have. */
export function sumOfTraffic(a: TrafficStatus, b: TrafficStatus): TrafficStatus {
  return {
    ...a,
    sources: a.sources + b.sources,
    sent: a.sent + b.sent,
    sentBytes: a.sentBytes + b.sentBytes,
    refused: a.refused + b.refused,
    late: a.late + b.late,
    received: a.received + b.received,
    receivedBytes: a.receivedBytes + b.receivedBytes,
    delaySumMs: a.delaySumMs + b.delaySumMs,
    mostDelayMs: Math.max(a.mostDelayMs, b.mostDelayMs),
  };
}

/** Flows that no packet carries, now. */
export interface SimulatedStatus {
  readonly flows: number;
  /** How many of them compete with flows of this host, and what these have together. */
  readonly competing: number;
  readonly rateBps: number;
}

/** What a rule of the file, or of a command, has done on this host: packets of all paths that have it, runs of frames counted as one. */
export interface RuleStatus {
  readonly rule: string;
  /** Those that it is about … */
  readonly matched: number;
  /** … and those that it dropped, answered, delayed or limited. */
  readonly applied: number;
}

export interface AgentStatus {
  readonly host: string;
  readonly state: AgentState;
  /** All endpoints are known, and everything is in force and was read back once. */
  readonly shaped: boolean;
  /** Names of the endpoints that this agent enforces. */
  readonly endpoints: readonly string[];
  /** How many endpoints of the topology are known with their addresses. */
  readonly known: number;
  readonly expected: number;
  readonly hosts: readonly { readonly name: string; readonly endpoints: number; readonly self: boolean }[];
  readonly conflicts: readonly string[];
  readonly flows: readonly FlowStatus[];
  readonly mesh: {
    readonly messagesSent: number;
    readonly bytesSent: number;
    readonly messagesReceived: number;
    readonly flowAnnouncements: number;
    readonly rejected: Readonly<Record<string, number>>;
    /** Addresses of agents that were dialled without success, and are not connected yet. */
    readonly unreachable: readonly string[];
  };
  readonly metadata: MetadataStatus;
  readonly underlay: { readonly hosts: readonly UnderlayHost[]; readonly tooSlow: SlowPaths };
  readonly delay: {
    readonly backend: string;
    readonly packets: number;
    readonly lost: number;
    readonly held: number;
    /** For the delay line only: dropped, since the queue of their endpoint was full. */
    readonly overflowed?: number;
    /** For the delay line only: passed neither delayed nor lost, since nobody served their queue. */
    readonly unattended?: number;
    readonly latestMs: number;
    /** The work of the delay line's threads since they started; see `DelayWork` in agent/enforce/ports.ts. */
    readonly work?: {
      readonly turns: number;
      readonly receiveMs: number;
      readonly passMs: number;
      readonly released: number;
      readonly lateMs: number;
      readonly lateMs2: number;
    };
  };
  readonly ticks: { readonly count: number; readonly meanMs: number; readonly latestMs: number };
  /** CPU that the agent has used since it started, in seconds. */
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
  /** What could not be done, in words; everything else continues. */
  readonly degraded: readonly string[];
  /** Whether the run is what the topology says, as far as this agent sees. */
  readonly verdict?: AgentVerdict;
  /** What is probed by netfold itself. Absent: nothing is. */
  readonly probes?: ProbesStatus;
  /** How often the agent has put back what another program had changed of netfold's objects in the kernel. */
  readonly corrected?: number;
  /** How many versions of the topology there have been before this one. */
  readonly epoch: number;
  /** What is in force now of events and commands, the oldest first. */
  readonly faults: readonly FaultStatus[];
  /** Those of the file. Absent: it has none. */
  readonly sequences?: readonly SequenceStatus[];
  /** Since the start of the experiment; null: it has not begun. When the next event is due; null: there is none. */
  readonly nowMs: number | null;
  readonly nextEventMs: number | null;
  /** Instants of events: how many there were, and how late their changes came into force. */
  readonly events: {
    readonly count: number;
    readonly latestMs: number;
    readonly meanMs: number;
    /** 99 of 100 were at most this late, to 2 %. */
    readonly p99Ms: number;
    readonly mostMs: number;
  };
  readonly clock: ClockStatus;
  /** `run` commands: endpoint → pid, or how it ended. */
  readonly processes: Readonly<Record<string, string>>;
  /** Why the number of processes of an endpoint has no bound on this host, in words; absent: it has. */
  readonly unbounded?: string;
  /** Those that have met most packets, of this host's endpoints. Absent: there are none. */
  readonly rules?: readonly RuleStatus[];
  /** Absent where the topology has none. */
  readonly traffic?: readonly TrafficStatus[];
  readonly simulated?: SimulatedStatus;
}

/** What changes most often of it (`GET /flows`): of thousands of endpoints, a small part. */
export type AgentFlows = Pick<AgentStatus, 'flows' | 'nowMs'>;

/** What an agent reports on its clock and the others'. */
export interface ClockStatus {
  /** Whether the experiment's time is known here, and its start has passed. */
  readonly state: 'unset' | 'waiting' | 'running';
  /** The host whose clock all follow; null while none has the time. */
  readonly reference: string | null;
  /**
   * How far the reference is ahead of this host; the true value is at most `errorMs` away. Null before the first
   * request.
   */
  readonly offsetMs: number | null;
  readonly errorMs: number | null;
  readonly peers: readonly PeerClockStatus[];
}

export interface PeerClockStatus {
  readonly host: string;
  /** As above, for this host. */
  readonly offsetMs: number | null;
  readonly errorMs: number | null;
  /** Least round-trip time of the latest exchanges. */
  readonly rttMs: number | null;
}
