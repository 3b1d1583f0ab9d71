/** The record of an agent's reactions (`GET /record` on its socket). The latest, in bounded memory. */

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
