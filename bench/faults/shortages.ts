/** Takes from a process what it needs: descriptors, files that may grow, memory. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BenchError } from '../errors.ts';
import type { Shortage } from './plan.ts';

const MEMORY = '/sys/fs/cgroup/memory';
/** What a process may take from now on (what it has already is counted where it took it): enough for some ticks, not for a start. */
const MEMORY_BYTES = 4 << 20;
/** With the one that a question needs. */
const SPARE_DESCRIPTORS = 1;
let groups = 0;

/** Whether this machine's kernel can bound the memory of a process. */
export const canBoundMemory = (): boolean => existsSync(join(MEMORY, 'memory.limit_in_bytes'));

/** Returns the function that gives it back. */
export function takeAway(pid: number, what: Shortage): () => void {
  if (what === 'memory') return boundMemory(pid, MEMORY_BYTES);
  const [name, limit] =
    what === 'files' ? ['fsize', '1'] : ['nofile', `${lowestFree(pid) + SPARE_DESCRIPTORS}`];
  const before = limits(pid, name);
  limits(pid, name, `${limit}:`);
  return () => {
    if (existsSync(`/proc/${pid}`)) limits(pid, name, `${before}:`);
  };
}

/** The soft limit; sets it first if `value` is there (prlimit(1)). */
function limits(pid: number, name: string, value?: string): string {
  const words =
    value === undefined ? [`--${name}`, '--output', 'SOFT', '--noheadings'] : [`--${name}=${value}`];
  const { status, stdout, stderr } = spawnSync('prlimit', ['--pid', String(pid), ...words], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new BenchError('FAULT_FAILED', `prlimit: ${stderr.trim()}`);
  return stdout.trim();
}

/** The number of the descriptor that the process would get next. */
function lowestFree(pid: number): number {
  const taken = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
  let lowest = 0;
  while (taken.has(lowest)) lowest++;
  return lowest;
}

/**
 * The kernel ends it when it takes more from now on (Documentation/admin-guide/cgroup-v1/memory.rst). Returns the function that
 * takes the bound away.
 */
export function boundMemory(pid: number, bytes: number): () => void {
  const group = join(MEMORY, `netfold-short-${process.pid}-${++groups}`);
  mkdirSync(group);
  writeFileSync(join(group, 'memory.limit_in_bytes'), String(bytes));
  writeFileSync(join(group, 'cgroup.procs'), String(pid));
  return () => {
    if (existsSync(`/proc/${pid}`)) writeFileSync(join(MEMORY, 'cgroup.procs'), String(pid));
    rmdirSync(group);
  };
}

const PROCESSOR = '/sys/fs/cgroup/cpu';
/** How often a thread gets its part anew, µs: as often as the kernel allows for parts of a hundredth. */
const QUOTA_PERIOD = 100_000;

/** Whether this machine's kernel can bound the processor time of a thread. */
export const canBoundProcessor = (): boolean => existsSync(join(PROCESSOR, 'cpu.cfs_quota_us'));

export interface ProcessorBound {
  /** 0.05: 50 ms in a second, and it stands still for the rest of it. 0.01 is the least: 1 ms of a period. */
  set(part: number): void;
  end(): void;
}

/** Of the process's main thread; its other threads go on (Documentation/scheduler/sched-bwc.rst). */
export function boundProcessor(pid: number): ProcessorBound {
  const own = /^\d+:[^:]*\bcpu\b[^:]*:(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1];
  if (own === undefined) throw new BenchError('FAULT_FAILED', `process ${pid} has no control group of cpu`);
  const before = join(PROCESSOR, own);
  const group = join(before, `netfold-short-${process.pid}-${++groups}`);
  mkdirSync(group);
  writeFileSync(join(group, 'cpu.cfs_period_us'), String(QUOTA_PERIOD));
  writeFileSync(join(group, 'tasks'), String(pid));
  return {
    set: (part) => writeFileSync(join(group, 'cpu.cfs_quota_us'), String(Math.round(part * QUOTA_PERIOD))),
    end: () => {
      if (existsSync(`/proc/${pid}`)) writeFileSync(join(before, 'tasks'), String(pid));
      rmdirSync(group);
    },
  };
}
