/** What the agent's main thread and the delay line's threads say to each other. */
import type { DelayEntry } from './path-table.ts';

/** The path from an endpoint to the one that a queue belongs to; one that loses everything where there is none. */
export interface PairEntry {
  readonly queue: number;
  readonly source: number;
  readonly entry: DelayEntry;
}

export type ToWorker =
  | {
      readonly kind: 'attach';
      readonly request: number;
      readonly queue: number;
      readonly namespace: string;
      /** The endpoint's own, 16 bytes each. */
      readonly addresses: readonly Uint8Array[];
    }
  | { readonly kind: 'detach'; readonly request: number; readonly queue: number }
  | {
      readonly kind: 'set';
      readonly request: number;
      readonly queue: number;
      /** All paths that end there; others are forgotten. */
      readonly entries: readonly DelayEntry[];
    }
  | {
      /** From now on, packets of these endpoints that have no path are asked for. */
      readonly kind: 'on-demand';
      readonly request: number;
      readonly idleMs: number;
      /** All endpoints, with their addresses. */
      readonly endpoints: readonly (readonly [number, readonly Uint8Array[]])[];
    }
  | {
      /** Answers, and changes of paths that were asked for earlier. */
      readonly kind: 'paths';
      readonly request: number;
      readonly pairs: readonly PairEntry[];
    }
  | { readonly kind: 'stop'; readonly request: number };

export type FromWorker =
  | {
      readonly kind: 'done';
      readonly request: number;
      /** Absent: it was done. */
      readonly error?: { readonly code: string; readonly message: string };
    }
  /** Pairs (queue, source, queue, source, …) whose packets wait for a path. */
  | { readonly kind: 'asked'; readonly pairs: readonly number[] }
  /** Pairs that were idle and are forgotten. */
  | { readonly kind: 'forgotten'; readonly pairs: readonly number[] };

export interface WorkerStart {
  /** Raised by the main thread when messages wait. */
  readonly wakeFd: number;
  readonly port: import('node:worker_threads').MessagePort;
  readonly counters: SharedArrayBuffer;
  readonly seed: number;
}

/** Indices into the shared counters (Float64). */
export const COUNTER = {
  packets: 0,
  lost: 1,
  held: 2,
  latestMs: 3,
  /** How often the thread has looked what there is to do. */
  turns: 4,
  /** Taking packets from the kernel, and finding their paths. */
  receiveMs: 5,
  /** Giving packets back: the kernel passes each on before the call returns, up to its receiver. */
  passMs: 6,
  /** Packets that were held; how much later than due they were released, and the squares of that. */
  released: 7,
  lateMs: 8,
  lateMs2: 9,
  /** When paths changed last, on the kernel's monotonic clock. */
  changedMs: 10,
} as const;
export const COUNTERS = Object.keys(COUNTER).length;
