/** Time, as everything in an agent that needs it is given it; test/support/manual-clock.ts has one that stands still. */

export interface Clock {
  /** Milliseconds since some moment; never goes back, whatever happens to the machine's date. */
  now(): number;
  /** Milliseconds since 1970, as the machine believes. */
  wallNow(): number;
}

/** Both functions return what cancels the timer; cancelling twice, or too late, does nothing. */
export interface Timers {
  every(ms: number, run: () => void): () => void;
  after(ms: number, run: () => void): () => void;
}

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
};
