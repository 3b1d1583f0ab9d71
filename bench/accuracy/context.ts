/** The input of the accuracy bench's tables: the backend, the effort, and the kind of machine. */
import type { DelayBackendName } from '../../agent/linux/probe/probe.ts';
import type { Place } from '../../controller/verify/traffic.ts';
import type { Lab } from '../lab.ts';

export interface Context {
  readonly backend: DelayBackendName;
  readonly effort: Effort;
  readonly unshaped: Unshaped;
  /** A line of progress. */
  readonly say: (text: string) => void;
  /** See `withLab`. */
  readonly withLab: <T>(text: string, use: (lab: Lab) => Promise<T>) => Promise<T>;
  /** See `withBareLab`. */
  readonly withBareLab: <T>(
    names: readonly string[],
    use: (places: readonly Place[]) => Promise<T>,
  ) => Promise<T>;
}

/** What the machine reaches without shaping. */
export interface Unshaped {
  readonly goodputBps: number;
}

/** The fastest rate of the tables. A machine that reaches twice as much is not the bottleneck. */
const FASTEST_BPS = 4e9;

/** Whether its pings vary by more than the delay line's bound (mostly on an emulated processor). */
export function isSlow({ goodputBps }: Unshaped): boolean {
  return goodputBps < 2 * FASTEST_BPS;
}

export interface Effort {
  readonly slowTcp: { readonly seconds: number; readonly settleSeconds: number };
  readonly fastTcp: { readonly seconds: number; readonly settleSeconds: number };
  /** Windows in which frames are counted: few frames, on several paths at once. */
  readonly slowFrames: { readonly count: number; readonly seconds: number };
  /** The same for many frames, on one path after the other. */
  readonly fastFrames: { readonly count: number; readonly seconds: number };
  /** Groups of three pings for each delay and size. */
  readonly pings: { readonly groups: number; readonly intervalMs: number };
  /** How many of those at another pace. */
  readonly pacedPings: (intervalMs: number) => number;
  readonly lossSeconds: number;
  /** On each of the parallel paths. */
  readonly jitterPings: number;
}

export const FULL: Effort = {
  // One frame more or less of 423 is 0.24 %.
  slowTcp: { seconds: 40, settleSeconds: 4 },
  fastTcp: { seconds: 7, settleSeconds: 2 },
  slowFrames: { count: 6, seconds: 10 },
  fastFrames: { count: 9, seconds: 1 },
  pings: { groups: 100, intervalMs: 20 },
  pacedPings: (intervalMs) => (intervalMs < 100 ? 600 : 40),
  lossSeconds: 80,
  jitterPings: 250,
};

export const QUICK: Effort = {
  slowTcp: { seconds: 8, settleSeconds: 2 },
  fastTcp: { seconds: 2, settleSeconds: 1 },
  slowFrames: { count: 2, seconds: 3 },
  fastFrames: { count: 3, seconds: 0.5 },
  pings: { groups: 12, intervalMs: 20 },
  pacedPings: (intervalMs) => (intervalMs < 100 ? 100 : 6),
  lossSeconds: 2,
  jitterPings: 40,
};
