/**
 * Time, as it is injected into everything in an agent that needs it. test/support/fakes/manual-clock.ts has a clock
 * that only a test moves.
 */
import { micros, toMillis } from '../../proto/units.ts';

export interface Clock {
  /** Milliseconds since some fixed instant; never goes back, whatever happens to the machine's date. */
  now(): number;
  /** Milliseconds since 1970, by the machine's date. */
  wallNow(): number;
}

/** All functions return one that cancels the timer; cancelling twice, or too late, does nothing. */
export interface Timers {
  every(ms: number, run: () => void): () => void;
  after(ms: number, run: () => void): () => void;
  /** As `after`, but never early, and at most some hundredths of a millisecond late: for events. */
  sharply(ms: number, run: () => void): () => void;
  /** Resolves when all other waiting tasks have had their turn; no time need pass. For long work. */
  turn(): Promise<void>;
}

/** The processor time of this thread. */
export interface Processor {
  /** The processor time used so far, in milliseconds. */
  usedMs(): number;
}

/** A timer may be this late; the rest of the time is spent in rounds of the event loop. */
const TIMER_MS = 1.5;

export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
};

export const systemTimers: Timers = {
  every: (ms, run) => {
    const timer = setInterval(run, ms);
    return () => clearInterval(timer);
  },
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  sharply: (ms, run) => {
    const due = performance.now() + ms;
    let immediate: NodeJS.Immediate | undefined;
    const goRound = (): void => {
      if (performance.now() >= due) run();
      else immediate = setImmediate(goRound);
    };
    let timer: NodeJS.Timeout | undefined;
    // No timer is shorter than a millisecond.
    if (ms > TIMER_MS + 1) timer = setTimeout(goRound, ms - TIMER_MS);
    else immediate = setImmediate(goRound);
    return () => {
      clearTimeout(timer);
      clearImmediate(immediate);
    };
  },
  turn: () => new Promise((resolve) => setImmediate(resolve)),
};

const systemProcessor: Processor = {
  usedMs: () => {
    const { user, system } = process.threadCpuUsage();
    return toMillis(micros(user + system));
  },
};

/** This machine's, for callers that take both together. */
export const SYSTEM_TIME = { clock: systemClock, timers: systemTimers, processor: systemProcessor } as const;
