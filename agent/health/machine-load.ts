/** How busy the machine and this thread are, in numbers that only grow, and how much memory is left (proc(5)). */
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

export interface MachineLoad {
  /** Of all processors, in the kernel's clock ticks. `idle`: with that in which a disk was awaited. */
  readonly total: number;
  readonly idle: number;
  /** Given to other virtual machines. */
  readonly stolen: number;
  /** The part of memory that programs could still get. */
  readonly available: number;
  /** Of this thread, ms. */
  readonly activeMs: number;
  readonly idleMs: number;
}

/** How long this thread has been idle so far, ms. */
export const idleMs = (): number => performance.eventLoopUtilization().idle;

/** Of this machine. Throws what the file system says. */
export function readLoad(): MachineLoad {
  const { active, idle } = performance.eventLoopUtilization();
  return {
    ...parseStat(readFileSync('/proc/stat', 'utf8')),
    available: parseAvailable(readFileSync('/proc/meminfo', 'utf8')),
    activeMs: active,
    idleMs: idle,
  };
}

/** The first line of /proc/stat: user nice system idle iowait irq softirq steal guest guest_nice; guests are in user. */
export function parseStat(text: string): Pick<MachineLoad, 'total' | 'idle' | 'stolen'> {
  const [, ...numbers] = text.slice(0, text.indexOf('\n')).trim().split(/\s+/);
  const ticks = numbers.slice(0, 8).map(Number);
  const [, , , idle = 0, waiting = 0, , , stolen = 0] = ticks;
  return { total: ticks.reduce((sum, one) => sum + one, 0), idle: idle + waiting, stolen };
}

/** 1 where the kernel does not say it (before Linux 3.14). */
export function parseAvailable(text: string): number {
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? Number.NaN);
  const part = field('MemAvailable') / field('MemTotal');
  return Number.isFinite(part) ? part : 1;
}
