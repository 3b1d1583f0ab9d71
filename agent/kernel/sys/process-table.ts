/** Processes of this machine, as /proc shows them (proc(5)). */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';

export interface FoundProcess {
  readonly pid: number;
  /** Clock ticks since boot. With `pid` it identifies the process, even after the number was given to another one. */
  readonly startTime: number;
  readonly environment: ReadonlyMap<string, string>;
}

/**
 * Leaders of sessions that were started with these variables in their environment. Only of leaders is it read: reading waits
 * for a process that forks for ever, and most that do so lead nothing.
 */
export function findSessionLeaders(marks: Readonly<Record<string, string>>): FoundProcess[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const pid = Number(name);
    const stat = readStat(pid);
    if (stat === undefined || stat.session !== pid) return [];
    const environment = environmentOf(pid);
    const isMarked = Object.entries(marks).every(([key, value]) => environment.get(key) === value);
    return isMarked ? [{ pid, startTime: stat.startTime, environment }] : [];
  });
}

/** Whether the process still runs. A zombie does not. */
export function isRunning({ pid, startTime }: Pick<FoundProcess, 'pid' | 'startTime'>): boolean {
  return readStat(pid)?.startTime === startTime;
}

/** The leader of the process' session; `undefined` if it has ended. */
export const sessionOf = (pid: number): number | undefined => readStat(pid)?.session;

/** When the process was started, in clock ticks since boot; `undefined` if it has ended. */
export const startTimeOf = (pid: number): number | undefined => readStat(pid)?.startTime;

/**
 * The same by the kernel's own clock, whichever time namespace asks (time_namespaces(7)), to be compared with what another process
 * has read: exact to one tick.
 */
export function kernelStartTimeOf(pid: number): number | undefined {
  const startTime = readStat(pid)?.startTime;
  return startTime === undefined
    ? undefined
    : startTime - bootTicksAheadIn(read('/proc/self/timens_offsets'));
}

/** By how many clock ticks the boot clock of this table is ahead of the kernel's. Pure. */
export function bootTicksAheadIn(table: string): number {
  const [, seconds, nanoseconds] = /^boottime\s+(-?\d+)\s+(\d+)\s*$/m.exec(table) ?? [];
  return Number(seconds ?? 0) * TICKS_PER_SECOND + Math.floor(Number(nanoseconds ?? 0) / NANOS_PER_TICK);
}

/** USER_HZ, which is the same on all machines that netfold runs on. */
const TICKS_PER_SECOND = 100;
const NANOS_PER_TICK = 10_000_000;

/** Numbers of all processes that exist now. */
export function allProcesses(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** The network namespace of a file such as /run/netns/NAME, as `networkOf` writes it; empty where there is none. */
export function networkAt(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found ? `net:[${found.ino}]` : '';
}

/** The network namespace of a process' first thread: `net:[INODE]`; empty for a zombie, and for one that has ended. */
export const networkOf = (pid: number): string => link(`/proc/${pid}/ns/net`);

/**
 * Whether all threads of a process are in a network namespace. A program that only works in it for a moment, as netfold's
 * own do, has other threads outside of it.
 */
export function isWhollyIn(pid: number, network: string): boolean {
  if (network === '' || networkOf(pid) !== network) return false;
  try {
    return readdirSync(`/proc/${pid}/task`).every((thread) => {
      const of = link(`/proc/${pid}/task/${thread}/ns/net`);
      return of === network || of === '';
    });
  } catch (error) {
    if (!UNREADABLE.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return false;
  }
}

/** Numbers of the threads of this process. */
export function ownThreads(): number[] {
  return readdirSync('/proc/self/task').map(Number);
}

/** Whether a signal or a debugger has stopped it: it does nothing until somebody lets it go on. */
export const isStopped = (pid: number): boolean => /^t$/i.test(readStat(pid)?.state ?? '');

/** `undefined` for a process that has ended. */
function readStat(pid: number): { state: string; session: number; startTime: number } | undefined {
  const text = read(`/proc/${pid}/stat`);
  // The second field is the program's name in parentheses, which may hold anything.
  const [state, , , session, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (state === undefined || session === undefined || state === 'Z' || state === 'X') return undefined;
  return { state, session: Number(session), startTime: Number(rest[START_TIME_AFTER_SESSION]) };
}

/** Fields 6 (session) and 22 (starttime) of /proc/PID/stat. */
const START_TIME_AFTER_SESSION = 22 - 6 - 1;

/** The variables with which a process was started; none for a zombie, and for another user's. */
export function environmentOf(pid: number): Map<string, string> {
  const entries = read(`/proc/${pid}/environ`).split('\0').filter(Boolean);
  return new Map(
    entries.map((entry) => {
      const [key] = entry.split('=', 1);
      return [key!, entry.slice(key!.length + 1)];
    }),
  );
}

/** It has ended (before the file was opened, or before it was read), or it is another user's. */
const UNREADABLE: ReadonlySet<string> = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM']);

/** The text of a file of a process; empty where there is nothing to read any more. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (!UNREADABLE.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return '';
  }
}

/** Where a link of a process leads; empty where there is nothing to read any more. */
function link(file: string): string {
  try {
    return readlinkSync(file);
  } catch (error) {
    if (!UNREADABLE.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return '';
  }
}
