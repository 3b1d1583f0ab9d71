/** What an agent remembers of how it reacted (`GET /record` on its socket). The latest, in bounded memory. */

/** What a flow from one of the agent's endpoints may use, from an instant on. */
export interface ShareChange {
  /** Microseconds since the start, when it was in force in the kernel. */
  readonly atMicros: number;
  readonly from: string;
  readonly to: string;
  /** null: nothing limits it. 0: it is no flow any more. */
  readonly shareBps: number | null;
  readonly epoch: number;
}

/** What was due at one instant, and when it had been done. Microseconds since the start. */
export interface EventChange {
  readonly dueMicros: number;
  /** Paths, bandwidths and shares were in force. */
  readonly appliedMicros: number;
  /** Delays and losses were in force as well; with netem these are the queues' and come with the rest. */
  readonly settledMicros: number;
  readonly epoch: number;
}

export interface AgentRecord {
  readonly host: string;
  readonly tickMs: number;
  /** In order of time. */
  readonly shares: readonly ShareChange[];
  readonly events: readonly EventChange[];
  /** How many older ones have been forgotten. */
  readonly forgotten: { readonly shares: number; readonly events: number };
}
