/** Processor time of processes, of their threads, and of the whole machine, from /proc (proc(5)). Exact to 10 ms. */
import { readdirSync, readFileSync } from 'node:fs';
import { nanosToSeconds } from '../../../proto/units.ts';
import { sum } from '../statistics.ts';

/** USER_HZ: the unit of times in /proc, on every architecture that netfold runs on. */
const TICKS_PER_SECOND = 100;

export interface TaskTime {
  /** The thread's name, or the program's. */
  readonly name: string;
  /** User and system. */
  readonly seconds: number;
}

/**
 * /proc/PID/stat, or that of a thread. The name is in parentheses, and may contain any character; utime and stime are
 * fields 14 and 15.
 */
export function parseStat(text: string): TaskTime {
  const end = text.lastIndexOf(')');
  const fields = text.slice(end + 2).split(' ');
  return {
    name: text.slice(text.indexOf('(') + 1, end),
    seconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
  };
}

/**
 * Of the present threads, exact to a nanosecond if the kernel keeps schedstat (CONFIG_SCHED_INFO): of thousands of
 * small processes, none uses 10 ms in a slice. `undefined` if the process has ended.
 */
export function smallProcessSeconds(pid: number): number | undefined {
  const texts = threadsOf(pid).map((thread) => read(`/proc/${pid}/task/${thread}/schedstat`));
  const seconds = texts.flatMap((text) => (text === undefined ? [] : [parseSchedstat(text)]));
  return seconds.length === 0 ? processSeconds(pid) : sum(seconds);
}

/** The fields: time on a processor and time waiting for one, in ns, and how often. */
export function parseSchedstat(text: string): number {
  return nanosToSeconds(Number(text.split(' ')[0]));
}

/** Of all threads, including those that have ended; `undefined` if the process has ended. */
export function processSeconds(pid: number): number | undefined {
  const text = read(`/proc/${pid}/stat`);
  return text === undefined ? undefined : parseStat(text).seconds;
}

/** Seconds by the name of the thread; threads of one name together. */
export function threadSeconds(pid: number): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const thread of threadsOf(pid)) {
    const text = read(`/proc/${pid}/task/${thread}/stat`);
    if (text === undefined) continue;
    const { name, seconds } = parseStat(text);
    found.set(name, (found.get(name) ?? 0) + seconds);
  }
  return found;
}

/** Seconds of all processors together. */
export interface MachineTime {
  readonly busy: number;
  /** The part of `busy` that the kernel spent without a process: packets, mostly. */
  readonly softirq: number;
  /** What the hypervisor gave to other machines; not in `busy`. */
  readonly stolen: number;
}

/** The first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal; guests are within user. */
export function parseMachine(text: string): MachineTime {
  const line = /^cpu +(.*)$/m.exec(text)?.[1] ?? '';
  const columns = line.split(' ').map((ticks) => Number(ticks) / TICKS_PER_SECOND);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, stolen = 0] = columns;
  return { busy: user + nice + system + irq + softirq, softirq, stolen };
}

export function machineTime(): MachineTime {
  return parseMachine(readFileSync('/proc/stat', 'utf8'));
}

/** Bytes of a process in memory: now, and the maximum. */
export interface Memory {
  readonly nowBytes: number;
  readonly mostBytes: number;
}

/** /proc/PID/status */
export function parseMemory(text: string): Memory {
  const bytes = (field: string): number => {
    const kilobytes = new RegExp(`^${field}:\\s*(\\d+) kB`, 'm').exec(text)?.[1];
    return kilobytes === undefined ? Number.NaN : Number(kilobytes) * 1024;
  };
  return { nowBytes: bytes('VmRSS'), mostBytes: bytes('VmHWM') };
}

export function processMemory(pid: number): Memory {
  return parseMemory(read(`/proc/${pid}/status`) ?? '');
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** A process may end between two readings. */
function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
