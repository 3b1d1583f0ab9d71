/** What was seen of a run, as far as its expectations ask for it. Times are milliseconds since the timeline began. */

/** A packet that was sent to be measured. */
export interface Probe {
  readonly sentMs: number;
  /** Until its answer came; of one-way latency: until it arrived. null: it did not. */
  readonly tookMs: number | null;
}

export interface RateSample {
  readonly tMs: number;
  readonly rateBps: number;
}

/** The round trip of a TCP connection of an application, as its kernel measured it last. */
export interface TrafficSample {
  readonly tMs: number;
  readonly roundTripMs: number;
}

export interface Exit {
  /** When it was seen. */
  readonly tMs: number;
  /** `exited with 1`, `ended by SIGKILL`, `failed: …`. */
  readonly how: string;
}

/** A text in what an endpoint wrote. */
export interface Hit {
  /** When it was seen, to a tenth of a second. */
  readonly tMs: number;
  /** Its place among all that the endpoint wrote. */
  readonly place: number;
}

/** A number that an endpoint wrote behind a text. */
export interface NumberSample {
  /** When it was seen, to a tenth of a second. */
  readonly tMs: number;
  readonly value: number;
}

/** Whether the command of an endpoint runs, from this instant on. */
export interface Life {
  readonly tMs: number;
  readonly runs: boolean;
}

export interface Evidence {
  /** How long the timeline lasted. */
  readonly endedMs: number;
  /** Names of all endpoints. */
  readonly endpoints: readonly string[];
  /** Echo requests, in the order in which they were sent. */
  probes(from: string, to: string): readonly Probe[];
  /** Datagrams, likewise. */
  datagrams(from: string, to: string): readonly Probe[];
  /** Of every second that was recorded, also of those in which nothing was sent. */
  rates(from: string, to: string): readonly RateSample[];
  roundTrips(from: string, to: string): readonly TrafficSample[];
  exit(endpoint: string): Exit | undefined;
  /** In the order of time. */
  lives(endpoint: string): readonly Life[];
  /** What is said of an endpoint whose command has never run: `waits for db`; `undefined`: it has, or nothing is known. */
  neverRan(endpoint: string): string | undefined;
  logged(endpoint: string, text: string): readonly Hit[];
  /** Those behind the text, in the order in which they were written. */
  numbers(endpoint: string, text: string): readonly NumberSample[];
  /** Instants and texts of events and commands. */
  readonly events: readonly { readonly dueMs: number; readonly text: string }[];
  /** Why the run was not faithful, in words; empty: it was. */
  readonly doubts: readonly string[];
}
