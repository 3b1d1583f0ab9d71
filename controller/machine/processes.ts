/** Processes by their network namespace: how netfold finds what is left of an experiment. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { namespacePath } from '../../agent/kernel/netns/namespace-files.ts';
import { ControllerError } from '../errors.ts';
import { controllerSocket, experimentFolder, RUN_FOLDER } from '../names.ts';
import { hasRecords, recordedAgentAt, recordedAgents } from './agent-records.ts';

const TERM_MS = 3000;
/** The kernel ends a killed process at once, unless it waits for a device or a file system. */
const KILL_MS = 10_000;
const POLL_MS = 20;

/** Ids of the processes in any of the named namespaces; a namespace that is gone has none. */
export function processesIn(namespaces: readonly string[]): number[] {
  const stats = namespaces.map((name) => statSync(namespacePath(name), { throwIfNoEntry: false }));
  const inodes = new Set(stats.map((stat) => `net:[${stat?.ino}]`));
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => inodes.has(networkOf(pid)))
    .map(Number);
}

/**
 * Ids of the agents of this experiment, or of any: those that were recorded when they were started. Where none was, because the
 * experiment's folder is lost or of an older version, agents are known by their words.
 */
export function agentsOf(experiment?: string): number[] {
  if (experiment !== undefined)
    return (
      recordedAgents(experimentFolder(experiment)) ??
      findAgents((words) => experimentIn(words) === experiment)
    );
  const recorded = runFolders().flatMap((name) => recordedAgents(experimentFolder(name)) ?? []);
  const others = findAgents((words) => {
    const name = experimentIn(words);
    return name !== undefined && recordedAgents(experimentFolder(name)) === undefined;
  });
  return [...recorded, ...others];
}

/**
 * For a removal, which may take place twice at once: whoever is done first takes the records away, and then there are no agents
 * any more. Words count only where nothing was recorded when the removal began.
 */
export function agentsToEnd(experiment: string): () => number[] {
  const folder = experimentFolder(experiment);
  const hadRecords = recordedAgents(folder) !== undefined;
  return () => (hadRecords ? (recordedAgents(folder) ?? []) : agentsOf(experiment));
}

function runFolders(): string[] {
  try {
    return readdirSync(RUN_FOLDER);
  } catch {
    return [];
  }
}

/** The experiment that a command line names, as an agent's does: its controller's socket, or what it has joined. */
function experimentIn(words: readonly string[]): string | undefined {
  const after = (option: string): string | undefined => words[words.indexOf(option) + 1 || words.length];
  if (words.includes('--join')) return after('--name') ?? after('--experiment');
  const name = basename(dirname(after('--controller') ?? ''));
  return after('--controller') === `unix:${controllerSocket(name)}` ? name : undefined;
}

/** Id of the process that serves this socket, or is about to; `undefined` if there is none. */
export function agentAt(socket: string): number | undefined {
  if (hasRecords(socket)) return recordedAgentAt(socket);
  return findAgents((words) => servesSocket(words, socket))[0];
}

export function isAgentAt(pid: number, socket: string): boolean {
  if (hasRecords(socket)) return recordedAgentAt(socket) === pid;
  return servesSocket(commandLine(`${pid}`), socket) && isTrusted(`${pid}`);
}

const servesSocket = (words: readonly string[], socket: string): boolean =>
  words[words.indexOf('--socket') + 1] === socket;

/**
 * Ids of the processes that are agents, and match: by their command line, and because root or this user runs them with
 * node. Everybody can give his process an agent's words.
 */
function findAgents(fits: (words: readonly string[]) => boolean): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      // Before its words are read: that waits for a process that forks for ever, which holds the same lock (mmap_lock).
      if (!isTrusted(pid)) return false;
      const words = commandLine(pid);
      return words.includes('agent') && fits(words);
    })
    .map(Number);
}

function isTrusted(pid: string): boolean {
  try {
    // Real, effective, saved and that of the file system: a set-uid program has several.
    const users = /^Uid:\s+(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]!.split(/\s+/);
    if (!users.every((user) => user === '0' || user === `${process.getuid!()}`)) return false;
    // Without its path: an upgrade replaces the file of a running agent.
    const program = basename(readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, ''));
    return program === basename(process.execPath) || program.startsWith('node');
  } catch (error) {
    // Whoever is not root can't read which program others run.
    return ['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '');
  }
}

function commandLine(pid: string): string[] {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    // `--name=x` means `--name x`.
    return words.flatMap((word) => /^(--[a-z-]+)=(.*)$/s.exec(word)?.slice(1) ?? [word]);
  } catch {
    return [];
  }
}

function networkOf(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    // It has ended meanwhile, or is a zombie, which is in no namespace any more.
    return '';
  }
}

/**
 * Asks the processes that `find` returns to end, waits, and kills the rest; returns when it finds none any more. Throws
 * `ControllerError` (`PROCESSES_STAY`) if some don't end, or may not be ended by this user.
 */
export async function endProcesses(
  find: () => readonly number[],
  { termMs = TERM_MS, killMs = KILL_MS } = {},
): Promise<void> {
  let left = [...find()];
  signalAll(left, 'SIGTERM');
  const deadline = performance.now() + termMs;
  while (left.length > 0) {
    if (performance.now() > deadline + killMs) throw stay(left, 'do not end, although they were killed');
    if (performance.now() > deadline) signalAll(left, 'SIGKILL');
    await sleep(POLL_MS);
    // To look for them among all processes takes longer, and the time of those that end.
    left = left.filter(isThere);
    if (left.length === 0 || performance.now() > deadline) left = [...find()];
  }
}

/** Not a zombie, which nobody waits for. */
const isThere = (pid: number): boolean => networkOf(`${pid}`) !== '';

export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPERM') throw stay([pid], 'may not be ended by this user');
      if (code !== 'ESRCH') throw error;
    }
  }
}

function stay(pids: readonly number[], why: string): ControllerError {
  const shown = pids.slice(0, 8).join(', ');
  const message = `processes of the experiment ${why}: ${shown}`;
  return new ControllerError(
    'PROCESSES_STAY',
    message,
    'run it as root; `ps -o pid,stat,args -p PID` shows them',
  );
}
