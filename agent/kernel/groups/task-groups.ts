/**
 * Control groups that bound and list tasks (cgroups(7), the controller `pids`): children are born in the group of their
 * parent, whatever session or namespace they go to, and the kernel refuses those for which there is no room (EAGAIN). Files
 * only, no system calls, so commands that only look start at once.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseMounts } from './mount-table.ts';

/** Where groups can be made. */
export interface Hierarchy {
  readonly folder: string;
  readonly version: 1 | 2;
}

export type FoundHierarchy = Hierarchy | { readonly reason: string };

/**
 * Version 1 if it has the controller, else version 2 if its groups at the top have it: netfold doesn't change what the machine
 * gives to groups. `mounts`: as /proc/self/mountinfo; `read`: the text of a file, empty where there is none.
 */
export function findHierarchy(
  mounts = textOf('/proc/self/mountinfo'),
  read: (file: string) => string = textOf,
): FoundHierarchy {
  const found = parseMounts(mounts);
  const first = found.find(({ type, options }) => type === 'cgroup' && options.includes('pids'));
  if (first) return { folder: first.folder, version: 1 };
  const second = found.find(({ type }) => type === 'cgroup2');
  if (!second) return { reason: 'no control groups are mounted' };
  if (!words(read(join(second.folder, 'cgroup.controllers'))).includes('pids'))
    return { reason: `${second.folder} does not have the controller pids` };
  const control = join(second.folder, 'cgroup.subtree_control');
  if (!words(read(control)).includes('pids')) return { reason: `${control} does not have pids` };
  return { folder: second.folder, version: 2 };
}

/** Makes a group and that above it. Throws system errors. Returns whether it is new. */
export function makeGroup({ version }: Hierarchy, folder: string): boolean {
  const above = dirname(folder);
  mkdirSync(above, { recursive: true });
  // A group of version 2 has the controllers that the one above gives it.
  if (version === 2) writeFileSync(join(above, 'cgroup.subtree_control'), '+pids');
  return mkdirSync(folder, { recursive: true }) !== undefined;
}

/** 0: none of its tasks can start another. Throws system errors. */
export function boundGroup(folder: string, most: number): void {
  writeFileSync(join(folder, 'pids.max'), String(most));
}

/** Numbers of its processes; none if it is gone. */
export function processesOf(folder: string): number[] {
  return words(textOf(join(folder, 'cgroup.procs')))
    .map(Number)
    .filter((pid) => pid > 0);
}

export interface GroupCount {
  /** Processes and their threads. */
  readonly tasks: number;
  readonly most: number;
  /** How often the kernel has refused to start another. */
  readonly refused: number;
}

/** `undefined` if it is gone, or has no bound. */
export function countOf(folder: string): GroupCount | undefined {
  const tasks = Number.parseInt(textOf(join(folder, 'pids.current')), 10);
  const most = Number.parseInt(textOf(join(folder, 'pids.max')), 10);
  if (!Number.isFinite(tasks) || !Number.isFinite(most)) return undefined;
  return { tasks, most, refused: Number(/max (\d+)/.exec(textOf(join(folder, 'pids.events')))?.[1] ?? 0) };
}

/** Kills all of its processes; they take a moment to end. Version 2 does it at once, version 1 when none can start another. */
export function killGroup(folder: string): void {
  if (!existsSync(folder)) return;
  boundGroup(folder, 0);
  const atOnce = join(folder, 'cgroup.kill');
  const found = processesOf(folder);
  // Whoever ends an experiment from a shell inside of it must not end himself.
  if (existsSync(atOnce) && !found.includes(process.pid)) writeFileSync(atOnce, '1');
  else for (const pid of found) kill(pid);
}

/** Returns whether it is gone: it stays while it has processes or groups. */
export function removeGroup(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return true;
    if (code === 'EBUSY' || code === 'ENOTEMPTY') return false;
    throw error;
  }
}

/** Names of the groups right below a folder; none if it is gone. */
export function groupsBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

function kill(pid: number): void {
  try {
    if (pid !== process.pid) process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

const words = (text: string): string[] => text.split(/\s+/).filter(Boolean);

/** It may end while it is read (ENODEV). */
const GONE: ReadonlySet<string> = new Set(['ENOENT', 'ENODEV', 'EACCES', 'EPERM', 'EOPNOTSUPP', 'ENOTDIR']);

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (!GONE.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return '';
  }
}
