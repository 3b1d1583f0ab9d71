/** What the agent's main thread and the delay line's thread say to each other. */
import type { DelayEntry } from './path-table.ts';

export type ToWorker =
  | { readonly kind: 'attach'; readonly request: number; readonly queue: number; readonly namespace: string }
  | { readonly kind: 'detach'; readonly request: number; readonly queue: number }
  | {
      readonly kind: 'set';
      readonly request: number;
      readonly queue: number;
      /** The endpoint's own, 16 bytes each. */
      readonly addresses: readonly Uint8Array[];
      /** All paths that end there; others are forgotten. */
      readonly entries: readonly DelayEntry[];
    }
  | { readonly kind: 'stop'; readonly request: number };

export interface FromWorker {
  readonly request: number;
  /** Absent: it was done. */
  readonly error?: { readonly code: string; readonly message: string };
}

export interface WorkerStart {
  /** Raised by the main thread when messages wait. */
  readonly wakeFd: number;
  readonly port: import('node:worker_threads').MessagePort;
  readonly counters: SharedArrayBuffer;
  readonly seed: number;
}

/** Indices into the shared counters (Float64). */
export const COUNTER = { packets: 0, lost: 1, held: 2, latestMs: 3 } as const;
export const COUNTERS = 4;
