/** A file that says which process does something, where only one may. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { OPEN_FILE } from '../../agent/files/own-files.ts';
import { kernelStartTimeOf } from '../../agent/kernel/sys/process-table.ts';

/** A process, also after its number was given to another one. `startTime`: in clock ticks since boot. */
export interface Holder {
  readonly pid: number;
  readonly startTime: number;
}

export const holderOf = (pid: number): Holder => ({ pid, startTime: kernelStartTimeOf(pid) ?? 0 });

export const isAlive = ({ pid, startTime }: Holder): boolean => kernelStartTimeOf(pid) === startTime;

/** Makes this process the holder. Returns the process that is it already; what a killed one has left is nobody's. */
export function hold(path: string): Holder | undefined {
  for (;;) {
    if (writeNew(path, holderOf(process.pid))) return undefined;
    const holder = readJson<Holder>(path);
    if (holder && isAlive(holder)) return holder;
    rmSync(path, { force: true });
  }
}

/** Writes a file that must not be there. Returns false if it is. Throws other system errors. */
export function writeNew(path: string, value: unknown): boolean {
  try {
    writeFileSync(path, JSON.stringify(value), { flag: 'wx', mode: OPEN_FILE });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** `undefined` if it is missing or damaged. */
export function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch {
    return undefined;
  }
}
