/**
 * An agent uses little processor time, but its work is due at exact instants: it has priority over applications that
 * use all they can get. If it uses much, on a slow machine, it would delay packets, and gets the same priority as all
 * others. Commands that it starts for users have its original priority.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';
import { micros, toMillis } from '../../proto/units.ts';
import type { Clock, Timers } from '../clock/clock.ts';
import { ownThreads, sessionOf } from '../kernel/sys/process-table.ts';

const ORDINARY = getPriority();
/** Of the session that a process is in, sched(7), "The autogroup feature". */
const AUTOGROUP = '/proc/self/autogroup';
const ORDINARY_OF_SESSION = ordinaryOfSession();
const LOOK_MS = 250;
/**
 * Parts of a processor that the main thread uses. Above the first for this long, it loses its priority; below the
 * second it gets it back.
 */
const MUCH = 0.2;
const LITTLE = 0.1;
/** Three seconds: a burst must not count. */
const BUSY_LOOKS = 12;

export interface PriorityPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Processor time of the main thread so far, ms. */
  readonly usedMs: () => number;
  /** All threads, including those of the garbage collector, for which others wait; later threads inherit it. */
  readonly raise: () => void;
  /** Whether the priority may be raised; called each time. */
  readonly mayRaise: () => boolean;
  readonly lower: () => void;
}

/**
 * Raises the agent's priority after its start, which uses all processors for a while. Checks four times a second
 * whether it may stay. Returns a function that ends this.
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

/** `keepPriority`'s ports for this process. */
export const ownPriority: Pick<PriorityPorts, 'usedMs' | 'raise' | 'lower'> = {
  usedMs: () => {
    const { user, system } = process.threadCpuUsage();
    return toMillis(micros(user + system));
  },
  raise: () => {
    setAll(constants.priority.PRIORITY_HIGHEST);
    setSession(constants.priority.PRIORITY_HIGHEST);
  },
  lower: () => {
    setAll(ORDINARY);
    setSession(ORDINARY_OF_SESSION);
  },
};

/** If the machine doesn't allow it, nothing changes: events are late while applications use all processors. */
function setAll(priority: number): void {
  try {
    for (const thread of ownThreads()) setPriority(thread, priority);
  } catch {
    // A thread may have ended, and a user other than root may not raise priorities.
  }
}

function ordinaryOfSession(): number {
  try {
    return Number(/nice (-?\d+)/.exec(readFileSync(AUTOGROUP, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/**
 * Where the kernel gives each session the same (`kernel.sched_autogroup_enabled`), the priority of a process counts within its session
 * alone. The agent has one of its own, unless somebody has started it in a terminal: then others are in it.
 */
function setSession(priority: number): void {
  if (sessionOf(process.pid) !== process.pid) return;
  try {
    writeFileSync(AUTOGROUP, String(priority));
  } catch {
    // A kernel without, or a user other than root.
  }
}

/**
 * Where memory ends, the kernel kills whoever has the most of it that counts as a process' own. Sockets and what is in
 * pipes do not, so without this it could be the agent instead of who took it. Commands have what was before
 * (`withinBounds`).
 */
export function spareFromWantOfMemory(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', String(SPARED));
  } catch {
    // Only a user with CAP_SYS_RESOURCE may.
  }
}

/** Of -1000 (never) to 1000 (proc_pid_oom_score_adj(5)). */
const SPARED = -900;

/** For what an agent has started, and has no more to do with its work. */
export function takeOrdinaryPriority(): void {
  setPriority(0);
  try {
    writeFileSync('/proc/self/oom_score_adj', '0');
  } catch {
    // It was not spared either.
  }
}

/** The words that run a command with the original priority of the agent. */
export function atOrdinaryPriority(command: readonly string[]): string[] {
  const raised = ORDINARY - getPriority();
  return raised > 0 ? ['nice', '-n', String(raised), ...command] : [...command];
}
