/** Processes by the network namespace they are in: how netfold finds what is left of an experiment. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { namespacePath } from '../../agent/kernel/namespace-files.ts';
import { controllerSocket, RUN_FOLDER } from './names.ts';

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

/**
 * Ids of the agents that were started by hand of this experiment, or of any: those of existing interfaces are in no
 * namespace of netfold's, but their command line names the experiment's socket.
 */
export function agentsOf(experiment?: string): number[] {
  const socket = experiment === undefined ? `unix:${RUN_FOLDER}/` : `unix:${controllerSocket(experiment)}`;
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      const words = commandLine(pid);
      const at = words.indexOf('--controller');
      return words.includes('agent') && at > 0 && words[at + 1]!.startsWith(socket);
    })
    .map(Number);
}

function commandLine(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

function networkOf(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    // It ended meanwhile, or is a zombie, which is in no namespace any more.
    return '';
  }
}

/** Asks the processes that `find` gives to end, waits, kills the rest; returns when it finds none any more. */
export async function endProcesses(find: () => readonly number[]): Promise<void> {
  signalAll(find(), 'SIGTERM');
  const deadline = performance.now() + TERM_MS;
  for (let left = find(); left.length > 0; left = find()) {
    if (performance.now() > deadline) signalAll(left, 'SIGKILL');
    await sleep(POLL_MS);
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
