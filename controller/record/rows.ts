/** What is kept of a run, as rows of the database. Times are milliseconds since the timeline began. */

export interface FlowSample {
  readonly source: string;
  readonly destination: string;
  readonly rateBps: number;
  /** null: nothing limits it. */
  readonly shareBps: number | null;
  /** Name of the link that limits it; null: its own demand. */
  readonly limitedBy: string | null;
}

/** The round trip that TCP measured, beside what the topology asks for. */
export interface PathSample {
  readonly source: string;
  readonly destination: string;
  readonly targetMs: number;
  readonly measuredMs: number | null;
  /** Segments that TCP has sent again. */
  readonly lost: number;
}

export interface AgentSample {
  readonly host: string;
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
  /** Mean duration of a tick. */
  readonly tickMs: number;
}

export interface ClockSample {
  readonly host: string;
  /** The host whose clock all follow. */
  readonly reference: string | null;
  /** How far that is ahead of this host's own, and by how much this may be wrong. */
  readonly offsetMs: number;
  readonly errorMs: number | null;
}

export interface EventRow {
  /** When it was in force here; null: nothing of it came into force. */
  readonly tMs: number | null;
  readonly dueMs: number;
  /** When a window ends; null: it has none. */
  readonly untilMs: number | null;
  /** `file`, or who gave the command. */
  readonly origin: string;
  /** A line of the file, or the command. */
  readonly text: string;
  /** What became of a command; null of an event of the file. */
  readonly outcome: string | null;
}

export interface EpochRow {
  readonly host: string;
  readonly epoch: number;
  readonly dueMs: number;
  readonly appliedMs: number;
  readonly settledMs: number;
}

export interface VerdictRow {
  readonly tMs: number;
  readonly state: string;
  readonly code: string;
  readonly host: string;
  readonly message: string;
}

/** Where to go on in a host's run log, of one run of its agent. */
export interface LogPosition {
  readonly host: string;
  readonly incarnation: number;
  readonly next: number;
}
