/**
 * Stops some threads of a process and lets the others go on, as a system call that hangs does: by the freezer of control
 * groups, version 1, which takes single threads (Documentation/admin-guide/cgroup-v1/freezer-subsystem.rst).
 */
import { existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Threads } from './plan.ts';

const FREEZER = '/sys/fs/cgroup/freezer';
let groups = 0;

/** Whether this machine's kernel can. */
export const canHang = (): boolean => existsSync(join(FREEZER, 'tasks'));

/** Returns the function that lets them go on. A process that is gone has no threads. */
export function hang(pid: number, threads: Threads): () => void {
  const group = join(FREEZER, `netfold-hang-${process.pid}-${++groups}`);
  mkdirSync(group);
  for (const thread of threadsOf(pid))
    if ((thread === pid) === (threads === 'main')) move(thread, join(group, 'tasks'));
  writeFileSync(join(group, 'freezer.state'), 'FROZEN');
  return () => {
    writeFileSync(join(group, 'freezer.state'), 'THAWED');
    // Threads that were born in it, too.
    for (const thread of threadsOf(pid)) move(thread, join(FREEZER, 'tasks'));
    remove(group);
  };
}

function threadsOf(pid: number): number[] {
  const folder = `/proc/${pid}/task`;
  return existsSync(folder) ? readdirSync(folder).map(Number) : [];
}

function move(thread: number, tasks: string): void {
  try {
    writeFileSync(tasks, String(thread));
  } catch (error) {
    // It has ended meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** What was killed while it stood still leaves a moment after it goes on. */
function remove(group: string, tries = 100): void {
  try {
    rmdirSync(group);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EBUSY' || tries === 0) throw error;
    setTimeout(() => remove(group, tries - 1), 20);
  }
}
