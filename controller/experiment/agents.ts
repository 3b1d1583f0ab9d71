/** The agents of a local lab: one process per emulated host, inside the host's namespace. */

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { namespacePath } from '../../agent/kernel/netns/namespace-files.ts';
import { within } from '../../agent/kernel/netns/namespaces.ts';
import { callJson } from '../../proto/http-json.ts';
import type { AgentStatus } from '../../proto/status.ts';
import { ControllerError } from '../errors.ts';
import { agentAt, isAgentAt } from '../machine/processes.ts';
import { agentSocket, controllerSocket, logFile } from '../names.ts';
import type { LabHost } from '../platform/lab/lab-plan.ts';

const MAIN = join(import.meta.dirname, '../cli/main.ts');
/** Each look takes a little of the agent's time, so a long start is looked at less often. */
const POLL_MS = { least: 25, most: 250, ofElapsed: 0.1 };
const LAST_LOG_LINES = 20;
/** How often a process is looked at that is no child. */
const WATCH_MS = 250;

export class AgentProcess {
  readonly host: LabHost;
  readonly #experiment: string;
  /** Resolves with how it has ended. */
  readonly exited: Promise<string>;
  readonly #pid: number | undefined;
  #hasExited = false;

  /** Starts it; with the id of a process, takes that for it, which somebody else has started. */
  constructor(experiment: string, host: LabHost, running?: number) {
    this.#experiment = experiment;
    this.host = host;
    const child = running === undefined ? startAgent(experiment, host) : undefined;
    this.#pid = child?.pid ?? running;
    const ended = child ? exitOf(child) : this.#vanished(running!);
    this.exited = ended.then((how) => {
      this.#hasExited = true;
      return how;
    });
  }

  /** `undefined` where it could not be started. */
  get pid(): number | undefined {
    return this.#pid;
  }

  get hasExited(): boolean {
    return this.#hasExited;
  }

  /** That of a controller which is gone, where it lives; else a new one. */
  static adopt(experiment: string, host: LabHost): AgentProcess {
    return new AgentProcess(experiment, host, agentAt(agentSocket(experiment, host.name)));
  }

  /** Nobody but its parent is told of a process' end. */
  async #vanished(pid: number): Promise<string> {
    while (isAgentAt(pid, agentSocket(this.#experiment, this.host.name))) await sleep(WATCH_MS);
    return 'has ended';
  }

  /** `undefined` while the agent has no socket yet. Throws where it has ended. */
  async status(): Promise<AgentStatus | undefined> {
    if (this.#hasExited) throw this.failure();
    if (!existsSync(agentSocket(this.#experiment, this.host.name))) return undefined;
    return agentStatus(this.#experiment, this.host.name);
  }

  /** `startAt`: milliseconds since 1970. */
  async run(startAt: number): Promise<void> {
    await callJson(`unix:${agentSocket(this.#experiment, this.host.name)}`, '/run', { startAt });
  }

  async waitUntilReady(timeoutMs: number, onStatus: (status: AgentStatus) => void): Promise<void> {
    const start = performance.now();
    for (;;) {
      const status = await this.status();
      if (status) onStatus(status);
      if (status?.shaped) return;
      if (status?.degraded[0]) throw this.failure(`can't enforce the topology: ${status.degraded[0]}`);
      const elapsed = performance.now() - start;
      if (elapsed > timeoutMs) {
        const reason = status
          ? `it knows ${status.known} of ${status.expected} endpoints`
          : 'it does not answer';
        throw this.failure(`is not ready after ${timeoutMs / 1000} s: ${reason}`);
      }
      await sleep(Math.min(POLL_MS.most, Math.max(POLL_MS.least, elapsed * POLL_MS.ofElapsed)));
    }
  }

  /** An error with what it has logged last. */
  failure(what = 'has ended'): ControllerError {
    const log = readFileSync(logFile(this.#experiment, this.host.name), 'utf8').trimEnd();
    const last = log.split('\n').slice(-LAST_LOG_LINES).join('\n');
    return new ControllerError(
      'AGENT_FAILED',
      `the agent of ${this.host.name} ${what}${last ? `; its last words:\n${last}` : ''}`,
    );
  }
}

/**
 * Room for what lives shortly, in MB. Emptying it takes 3 to 8 ms however large it is, as little in it lives on; with
 * twice of Node's own an event meets that half as often.
 */
const AGENT_FLAGS = ['--max-semi-space-size=32'];

function startAgent(experiment: string, host: LabHost): ChildProcess {
  const log = openSync(logFile(experiment, host.name), 'a');
  const args = ['agent', '--controller', `unix:${controllerSocket(experiment)}`];
  args.push('--host', host.name, '--socket', agentSocket(experiment, host.name));
  // One that was killed has left its own.
  rmSync(agentSocket(experiment, host.name), { force: true });
  try {
    // fork() gives the child the namespace of the calling thread.
    return within(namespacePath(host.namespace), () =>
      spawn(process.execPath, [...AGENT_FLAGS, MAIN, ...args], {
        stdio: ['ignore', log, log],
        detached: true,
      }),
    );
  } finally {
    closeSync(log);
  }
}

function exitOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', ({ message }) => resolve(`can't be started: ${message}`));
    child.once('exit', (code, signal) =>
      resolve(signal === null ? `has ended with exit code ${code}` : `was ended by ${signal}`),
    );
  });
}

/** Asks a running agent. Throws `HttpError`. */
export async function agentStatus(experiment: string, host: string): Promise<AgentStatus> {
  return (await callJson(`unix:${agentSocket(experiment, host)}`, '/status')) as AgentStatus;
}
