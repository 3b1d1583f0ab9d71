/**
 * An agent takes little of the processors, but what it does is due at an instant: before applications that use all they
 * can get. Where it takes much, on a machine that is slow, it would keep packets waiting, and has its turn with all others.
 * What it starts for users has the priority that it was started with itself.
 */
import { constants, getPriority, setPriority } from 'node:os';
import type { Clock, Timers } from '../clock/clock.ts';
import { ownThreads } from '../kernel/sys/process-table.ts';

const ORDINARY = getPriority();
const LOOK_MS = 250;
/** Parts of a processor that the main thread takes: for so long above the first it goes back, below the second it is
 * raised again. */
const MUCH = 0.2;
const LITTLE = 0.1;
/** Three seconds: a burst is no reason. */
const BUSY_LOOKS = 12;

export interface PriorityPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Processor time of the main thread so far, ms. */
  readonly usedMs: () => number;
  /** All threads, those of the garbage collector, too, which others wait for; threads that come later inherit it. */
  readonly raise: () => void;
  /** Whether it may be raised at all; asked each time. */
  readonly mayRaise: () => boolean;
  readonly lower: () => void;
}

/**
 * Raises the agent's priority once it has started, which takes all there is for a while, and looks four times a second
 * whether it may stay. Returns what ends that.
 */
export function keepPriority({ clock, timers, usedMs, raise, mayRaise, lower }: PriorityPorts): () => void {
  let isRaised = false;
  let busyLooks = 0;
  let before = { at: clock.now(), used: usedMs() };
  return timers.every(LOOK_MS, () => {
    const now = { at: clock.now(), used: usedMs() };
    const part = (now.used - before.used) / Math.max(1, now.at - before.at);
    before = now;
    busyLooks = part > MUCH ? busyLooks + 1 : 0;
    if (isRaised && busyLooks >= BUSY_LOOKS) lower();
    else if (!isRaised && part <= LITTLE && mayRaise()) raise();
    else return;
    isRaised = !isRaised;
  });
}

/** What `keepPriority` needs of this process. */
export const ownPriority: Pick<PriorityPorts, 'usedMs' | 'raise' | 'lower'> = {
  usedMs: () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  },
  raise: () => setAll(constants.priority.PRIORITY_HIGHEST),
  lower: () => setAll(ORDINARY),
};

/** Where the machine doesn't let it, the agent stays as it is: events are late where applications use all processors. */
function setAll(priority: number): void {
  try {
    for (const thread of ownThreads()) setPriority(thread, priority);
  } catch {
    // A thread may have ended, and who isn't root may not.
  }
}

/** The words that run a command as if the agent had never been raised. */
export function atOrdinaryPriority(command: readonly string[]): string[] {
  const raised = ORDINARY - getPriority();
  return raised > 0 ? ['nice', '-n', String(raised), ...command] : [...command];
}
