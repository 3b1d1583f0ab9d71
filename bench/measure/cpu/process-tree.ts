/** A program of many processes, such as a browser: their processor time and memory together, from /proc (proc(5)). */
import { readdirSync, readFileSync } from 'node:fs';
import { processSeconds } from './cpu-times.ts';

export interface Kinship {
  readonly pid: number;
  readonly parent: number;
}

/** All below `root`, without `root` itself, and without `except` and what is below those. Pure. */
export function below(root: number, all: readonly Kinship[], except: readonly number[] = []): number[] {
  const children = Map.groupBy(all, ({ parent }) => parent);
  const found: number[] = [];
  for (const open = [root]; open.length > 0; ) {
    const next = (children.get(open.pop()!) ?? []).flatMap(({ pid }) => (except.includes(pid) ? [] : pid));
    found.push(...next);
    open.push(...next);
  }
  return found.sort((a, b) => a - b);
}

/** Of /proc/PID/stat: the parent is field 4, behind the name, which may contain any character. Pure. */
export function parentIn(stat: string): number {
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

/** Every process that this one sees. */
export function processTree(): Kinship[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const stat = read(`/proc/${name}/stat`);
      return stat === undefined ? [] : [{ pid: Number(name), parent: parentIn(stat) }];
    });
}

/** Processor time in seconds, by process. Those that have ended meanwhile are missing. */
export function secondsOf(pids: readonly number[]): Map<number, number> {
  return new Map(
    pids.flatMap((pid) => {
      const seconds = processSeconds(pid);
      return seconds === undefined ? [] : [[pid, seconds] as const];
    }),
  );
}

/** What the processes have used between two readings; of one that began meanwhile, all. Pure. */
export function secondsBetween(
  before: ReadonlyMap<number, number>,
  after: ReadonlyMap<number, number>,
): number {
  return [...after].reduce((sum, [pid, seconds]) => sum + seconds - (before.get(pid) ?? 0), 0);
}

/** Bytes in memory of all of them; what several share counts once (Pss). */
export function sharedMemoryBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + parsePss(read(`/proc/${pid}/smaps_rollup`) ?? ''), 0);
}

/** /proc/PID/smaps_rollup, in bytes; 0 where it is empty, as for a process that has just ended. Pure. */
export function parsePss(text: string): number {
  const [, kib = 0] = /^Pss:\s*(\d+) kB/m.exec(text) ?? [];
  return Number(kib) * 1024;
}

/** A process may end between two readings. */
function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
