/** What was seen of a run, as far as its expectations ask for it. Times are milliseconds since the timeline began. */

/** An echo request: when it was sent, and how long its answer took; null: none came. */
export interface Probe {
  readonly sentMs: number;
  readonly roundTripMs: number | null;
}

export interface RateSample {
  readonly tMs: number;
  readonly rateBps: number;
}

export interface Exit {
  /** When it was seen. */
  readonly tMs: number;
  /** `exited with 1`, `ended by SIGKILL`. */
  readonly how: string;
}

export interface Evidence {
  /** How long the timeline lasted. */
  readonly endedMs: number;
  /** In the order in which they were sent. */
  probes(from: string, to: string): readonly Probe[];
  /** Of every second that was recorded, also of those in which nothing was sent. */
  rates(from: string, to: string): readonly RateSample[];
  exit(endpoint: string): Exit | undefined;
  /** When the text was seen in what the endpoint wrote, to a tenth of a second. */
  logged(endpoint: string, text: string): readonly number[];
  /** Instants and texts of events and commands. */
  readonly events: readonly { readonly dueMs: number; readonly text: string }[];
  /** Why the run was not faithful, in words; empty: it was. */
  readonly doubts: readonly string[];
}
