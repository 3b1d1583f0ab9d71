/** Processes by the network namespace they are in: how netfold finds what is left of an experiment. */
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { namespacePath } from '../../agent/kernel/namespaces.ts';

const TERM_MS = 3000;
const POLL_MS = 20;

/** Ids of the processes in any of the named namespaces; those that are gone have none. */
export function processesIn(namespaces: readonly string[]): number[] {
  const stats = namespaces.map((name) => statSync(namespacePath(name), { throwIfNoEntry: false }));
  const inodes = new Set(stats.map((stat) => `net:[${stat?.ino}]`));
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => inodes.has(networkOf(pid)))
    .map(Number);
}

function networkOf(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    // It ended meanwhile, or is a zombie, which is in no namespace any more.
    return '';
  }
}

/** Asks the processes in these namespaces to end, waits, kills the rest; returns when none is left. */
export async function endProcessesIn(namespaces: readonly string[]): Promise<void> {
  signalAll(processesIn(namespaces), 'SIGTERM');
  const deadline = performance.now() + TERM_MS;
  let left = processesIn(namespaces);
  while (left.length > 0) {
    if (performance.now() > deadline) signalAll(left, 'SIGKILL');
    await sleep(POLL_MS);
    left = processesIn(namespaces);
  }
}

export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
