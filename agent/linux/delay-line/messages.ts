/** Messages between the agent's main thread and the threads of the delay line. */
import type { DelayEntry } from './path-table.ts';

/** The path from endpoint `source` to the endpoint of a queue. Without a path, the entry loses everything. */
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
      /** Of the kernel, in the endpoint's namespace. */
      readonly kernelQueue: number;
      readonly namespace: string;
      /** The endpoint's own addresses, 16 bytes each. */
      readonly addresses: readonly Uint8Array[];
    }
  | { readonly kind: 'detach'; readonly request: number; readonly queue: number }
  | {
      readonly kind: 'set';
      readonly request: number;
      readonly queue: number;
      /** All paths that end at the endpoint. Earlier ones that are not among them are removed. */
      readonly entries: readonly DelayEntry[];
    }
  | {
      /** From now on, the thread requests missing paths of packets from these endpoints. */
      readonly kind: 'on-demand';
      readonly request: number;
      readonly idleMs: number;
      /** All endpoints, with their addresses. */
      readonly endpoints: readonly (readonly [number, readonly Uint8Array[]])[];
    }
  | {
      /** Requested paths, and changes of paths that were requested earlier. */
      readonly kind: 'paths';
      readonly request: number;
      readonly pairs: readonly PairEntry[];
    }
  | { readonly kind: 'stop'; readonly request: number };

export type FromWorker =
  | {
      readonly kind: 'done';
      readonly request: number;
      /** Absent on success. */
      readonly error?: { readonly code: string; readonly message: string };
    }
  /** Pairs (queue, source, queue, source, …) whose packets wait for a path. */
  | { readonly kind: 'asked'; readonly pairs: readonly number[] }
  /** Pairs that were idle and have been removed. */
  | { readonly kind: 'forgotten'; readonly pairs: readonly number[] };

export interface WorkerStart {
  /** The main thread raises this event when it has sent a message. */
  readonly wakeFd: number;
  readonly port: import('node:worker_threads').MessagePort;
  readonly counters: SharedArrayBuffer;
  readonly seed: number;
  /** Of the map in which the thread promises to serve its queues; without it, packets wait for it for ever. */
  readonly attendedFd?: number;
  /** Of the hash that chooses between several paths of a pair. Absent: each has one. */
  readonly spreadSeed?: number;
}

/** Indices into the shared counters (Float64). */
export const COUNTER = {
  packets: 0,
  lost: 1,
  held: 2,
  latestMs: 3,
  /** Passes of the thread's loop. */
  turns: 4,
  /** Time spent receiving packets and finding their paths. */
  receiveMs: 5,
  /** Time spent sending verdicts. Within that call the kernel passes each packet on, up to its receiver. */
  passMs: 6,
  /** Packets that were held and released; the sum of their lateness, and of its squares. */
  released: 7,
  lateMs: 8,
  lateMs2: 9,
  /** The time of the last change of paths, on the kernel's monotonic clock. */
  changedMs: 10,
  /** Packets that the kernel has dropped, since their queue was full. */
  overflowed: 11,
} as const;
export const COUNTERS = Object.keys(COUNTER).length;
