/** The agents of a local lab: one process per emulated host, inside the host's namespace. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { within } from '../../agent/kernel/namespaces.ts';
import { callJson } from '../../proto/http-json.ts';
import type { AgentStatus } from '../../proto/status.ts';
import { ControllerError } from '../errors.ts';
import type { LabHost } from '../lab/lab-plan.ts';
import { agentSocket, controllerSocket, logFile, pathOfNamespace } from '../lab/names.ts';

const MAIN = join(import.meta.dirname, '../cli/main.ts');
/** Each look takes a little of the agent's time, so a long start is looked at less often. */
const POLL_MS = { least: 25, most: 250, ofElapsed: 0.1 };
const LAST_LOG_LINES = 8;

export class AgentProcess {
  readonly host: LabHost;
  readonly #child: ChildProcess;
  readonly #experiment: string;
  readonly exited: Promise<void>;
  #hasExited = false;

  constructor(experiment: string, host: LabHost) {
    this.#experiment = experiment;
    this.host = host;
    const log = openSync(logFile(experiment, host.name), 'a');
    const args = ['agent', '--controller', `unix:${controllerSocket(experiment)}`];
    args.push('--host', host.name, '--socket', agentSocket(experiment, host.name));
    // One that was killed has left its own.
    rmSync(agentSocket(experiment, host.name), { force: true });
    // fork() gives the child the namespace of the calling thread.
    this.#child = within(pathOfNamespace(host.namespace), () =>
      spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', log, log], detached: true }),
    );
    closeSync(log);
    this.exited = new Promise((resolve) => {
      this.#child.once('exit', () => {
        this.#hasExited = true;
        resolve();
      });
    });
  }

  /** `undefined` where it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  get hasExited(): boolean {
    return this.#hasExited;
  }

  /** `undefined` while the agent has no socket yet. Throws where it has ended. */
  async status(): Promise<AgentStatus | undefined> {
    if (this.#hasExited) throw this.#failure();
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
      if (status?.degraded[0]) throw this.#failure(`can't enforce the topology: ${status.degraded[0]}`);
      const elapsed = performance.now() - start;
      if (elapsed > timeoutMs) {
        const reason = status
          ? `it knows ${status.known} of ${status.expected} endpoints`
          : 'it does not answer';
        throw this.#failure(`is not ready after ${timeoutMs / 1000} s: ${reason}`);
      }
      await sleep(Math.min(POLL_MS.most, Math.max(POLL_MS.least, elapsed * POLL_MS.ofElapsed)));
    }
  }

  #failure(what = 'has ended'): ControllerError {
    const log = readFileSync(logFile(this.#experiment, this.host.name), 'utf8').trimEnd();
    const last = log.split('\n').slice(-LAST_LOG_LINES).join('\n');
    return new ControllerError(
      'AGENT_FAILED',
      `the agent of ${this.host.name} ${what}${last ? `; its last words:\n${last}` : ''}`,
    );
  }
}

/** Asks a running agent. Throws `HttpError`. */
export async function agentStatus(experiment: string, host: string): Promise<AgentStatus> {
  return (await callJson(`unix:${agentSocket(experiment, host)}`, '/status')) as AgentStatus;
}
