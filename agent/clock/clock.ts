/** Time, as everything in an agent that needs it is given it; test/support/fakes/manual-clock.ts has one that stands still. */

export interface Clock {
  /** Milliseconds since some moment; never goes back, whatever happens to the machine's date. */
  now(): number;
  /** Milliseconds since 1970, as the machine believes. */
  wallNow(): number;
}

/** All functions return what cancels the timer; cancelling twice, or too late, does nothing. */
export interface Timers {
  every(ms: number, run: () => void): () => void;
  after(ms: number, run: () => void): () => void;
  /** As `after`, but never early, and late by some hundredths of a millisecond only: for what is due at an instant. */
  sharply(ms: number, run: () => void): () => void;
  /** Resolves when all others that wait have had their turn; no time need pass. For work that takes long. */
  turn(): Promise<void>;
}

/** The processor time of this thread. */
export interface Processor {
  /** Milliseconds of it that were used so far. */
  usedMs(): number;
}

/** A timer comes so late; what is left goes by in rounds of the event loop. */
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
    return (user + system) / 1000;
  },
};

/** This machine's, for those that take them together. */
export const SYSTEM_TIME = { clock: systemClock, timers: systemTimers, processor: systemProcessor } as const;
