/** An agent as a process of this machine: started in a network namespace, or found by its socket. */

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { openToAppend, PRIVATE_FILE } from '../../agent/files/own-files.ts';
import { withUsersUmask } from '../../agent/files/umask.ts';
import { namespacePath } from '../../agent/kernel/netns/namespace-files.ts';
import { within } from '../../agent/kernel/netns/namespaces.ts';
import { recordAgent } from './agent-records.ts';
import { agentAt, isAgentAt } from './processes.ts';

/** How often a process is checked that is no child. */
const WATCH_MS = 250;

export interface LocalAgent {
  /** `undefined` if it could not be started. */
  readonly pid: number | undefined;
  /** Resolves with the way in which it has ended. */
  readonly exited: Promise<string>;
  /** Of its process that has ended; absent where it is no child of this one. */
  readonly exitCode?: () => number | null;
}

export interface AgentStart {
  /** Program and arguments. */
  readonly words: readonly string[];
  /** The agent's own unix socket. */
  readonly socket: string;
  /** File to which its output is appended. */
  readonly log: string;
}

/**
 * `namespace`: name of the agent's namespace. `adopt`: an agent that serves the socket already is used, if there is
 * one. Throws `NAMESPACE_MISSING`.
 */
export function localAgent(namespace: string, start: AgentStart & { readonly adopt: boolean }): LocalAgent {
  return (start.adopt ? findAgent(start.socket) : undefined) ?? spawnAgent(namespace, start);
}

function spawnAgent(namespace: string, { words, socket, log }: AgentStart): LocalAgent {
  const [program, ...args] = words;
  const output = openToAppend(log, PRIVATE_FILE);
  // A killed process has left its socket.
  rmSync(socket, { force: true });
  try {
    // fork() gives the child the namespace of the calling thread.
    const child = within(namespacePath(namespace), () =>
      withUsersUmask(() => spawn(program!, args, { stdio: ['ignore', output, output], detached: true })),
    );
    const exited = exitOf(child);
    const problem = child.pid === undefined ? undefined : unrecorded(socket, child);
    if (problem !== undefined) return { pid: undefined, exited: exited.then(() => problem) };
    return { pid: child.pid, exited, exitCode: () => child.exitCode };
  } finally {
    closeSync(output);
  }
}

/**
 * Records the agent. One that can't be recorded would not be found again: it is ended, and the reason returned. A full disk may
 * have room later, and its supervisor tries again.
 */
function unrecorded(socket: string, child: ChildProcess): string | undefined {
  try {
    recordAgent(socket, child.pid!);
    return undefined;
  } catch (error) {
    child.kill('SIGKILL');
    return `can't be recorded: ${(error as Error).message}`;
  }
}

/** The agent that serves this socket, or is about to; `undefined` if there is none. */
function findAgent(socket: string): LocalAgent | undefined {
  const pid = agentAt(socket);
  return pid === undefined ? undefined : { pid, exited: vanished(pid, socket) };
}

function exitOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', ({ message }) => resolve(`can't be started: ${message}`));
    child.once('exit', (code, signal) =>
      resolve(signal === null ? `has ended with exit code ${code}` : `was ended by ${signal}`),
    );
  });
}

/** Only the parent of a process is notified of its end. */
async function vanished(pid: number, socket: string): Promise<string> {
  while (isAgentAt(pid, socket)) await sleep(WATCH_MS);
  return 'has ended';
}
