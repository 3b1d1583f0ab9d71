/** The agents of an experiment: one process per host, on any platform. */
import { existsSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT_CODE } from '../../proto/errors.ts';
import { callJson, HttpError } from '../../proto/http-json.ts';
import type { AgentStatus } from '../../proto/status.ts';
import { millisToSeconds } from '../../proto/units.ts';
import { ControllerError } from '../errors.ts';
import { agentSocket, controllerSocket, logFile } from '../names.ts';
import type { PlannedHost } from '../platform/port/plan.ts';
import type { EndpointDoor, Platform, RunningAgent } from '../platform/port/platform.ts';

/** The command line, by which processes of netfold start others: `.ts` in a checkout, `.js` where netfold is installed. */
export const MAIN = join(import.meta.dirname, `../cli/main${extname(import.meta.filename)}`);
/** Each request takes a little of the agent's time, so a long start is polled less often. */
const POLL_MS = { least: 25, most: 250, ofElapsed: 0.1 };
const LAST_LOG_LINES = 20;
const AGENT_FLAGS = [
  // As bin/netfold, which says why.
  '--no-wasm-tier-up',
  // Room for short-lived objects, in MB. Emptying it takes 3 to 8 ms for any size, as few of them survive; with twice
  // Node's default, it delays an event half as often.
  '--max-semi-space-size=32',
];

export interface AgentStart {
  readonly door: EndpointDoor;
  /** Whether to adopt the agent of a controller that has ended. */
  readonly adopt?: boolean;
}

export class AgentProcess {
  readonly host: PlannedHost;
  readonly #experiment: string;
  /** Resolves with the way in which it has ended. */
  readonly exited: Promise<string>;
  readonly #pid: number | undefined;
  readonly #exitCode: () => number | null;
  #hasExited = false;

  private constructor(experiment: string, host: PlannedHost, running: RunningAgent) {
    this.#experiment = experiment;
    this.host = host;
    this.#pid = running.pid;
    this.#exitCode = running.exitCode ?? (() => null);
    this.exited = running.exited.then((how) => {
      this.#hasExited = true;
      return how;
    });
  }

  /** Throws if it can't be started there. */
  static async start(
    platform: Platform,
    experiment: string,
    host: PlannedHost,
    { door, adopt = false }: AgentStart,
  ): Promise<AgentProcess> {
    const socket = agentSocket(experiment, host.name);
    const to = ['agent', '--controller', `unix:${controllerSocket(experiment)}`];
    const words = [process.execPath, ...AGENT_FLAGS, MAIN, ...to, '--host', host.name, '--socket', socket];
    const log = logFile(experiment, host.name);
    const order = { words, socket, log, adopt, door };
    return new AgentProcess(experiment, host, await platform.startAgent(host, order));
  }

  /** `undefined` if it could not be started, or is not a process of this machine. */
  get pid(): number | undefined {
    return this.#pid;
  }

  get hasExited(): boolean {
    return this.#hasExited;
  }

  /** `undefined` while the agent has no socket yet. Throws if it has ended. */
  async status(): Promise<AgentStatus | undefined> {
    if (this.#hasExited) throw this.failure();
    if (!existsSync(agentSocket(this.#experiment, this.host.name))) return undefined;
    return agentStatus(this.#experiment, this.host.name);
  }

  /** `undefined` while it does not answer: the socket of one that just starts is there a moment before it listens. Throws if it has ended. */
  async #answer(): Promise<AgentStatus | undefined> {
    try {
      return await this.status();
    } catch (error) {
      if (this.#hasExited || !(error instanceof HttpError)) throw error;
      return undefined;
    }
  }

  /** Until it answers, which a process that just starts does not. Throws `AGENT_FAILED` after that time, or if it has ended. */
  async waitUntilAnswering(timeoutMs: number): Promise<void> {
    const start = performance.now();
    for (;;) {
      if (await this.#answer()) return;
      if (performance.now() - start > timeoutMs)
        throw this.failure(`does not answer after ${millisToSeconds(timeoutMs)} s; it may be stopped`);
      await sleep(POLL_MS.least);
    }
  }

  /** `startAt`: milliseconds since 1970. */
  async run(startAt: number): Promise<void> {
    await callJson(`unix:${agentSocket(this.#experiment, this.host.name)}`, '/run', { startAt });
  }

  async waitUntilReady(timeoutMs: number, onStatus: (status: AgentStatus) => void): Promise<void> {
    const start = performance.now();
    for (;;) {
      const status = await this.#answer();
      if (status) onStatus(status);
      if (status?.shaped) return;
      if (status?.degraded[0]) throw this.failure(`can't enforce the topology: ${status.degraded[0]}`);
      const elapsed = performance.now() - start;
      if (elapsed > timeoutMs) {
        const reason = status
          ? `it knows ${status.known} of ${status.expected} endpoints`
          : 'it does not answer';
        throw this.failure(`is not ready after ${millisToSeconds(timeoutMs)} s: ${reason}`);
      }
      await sleep(Math.min(POLL_MS.most, Math.max(POLL_MS.least, elapsed * POLL_MS.ofElapsed)));
    }
  }

  /** An error with the end of its log. What the agent says of itself, that this machine can't, is said of the whole. */
  failure(what = 'has ended'): ControllerError {
    const last = this.#log().trimEnd().split('\n').slice(-LAST_LOG_LINES).join('\n');
    return new ControllerError(
      this.#exitCode() === EXIT_CODE.machine ? 'AGENT_CANNOT' : 'AGENT_FAILED',
      `the agent of ${this.host.name} ${what}${last ? `; its last words:\n${last}` : ''}`,
    );
  }

  /** Empty where the experiment is removed already. */
  #log(): string {
    try {
      return readFileSync(logFile(this.#experiment, this.host.name), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
      throw error;
    }
  }
}

/** Asks a running agent. Throws `HttpError`. */
export async function agentStatus(experiment: string, host: string): Promise<AgentStatus> {
  return (await callJson(`unix:${agentSocket(experiment, host)}`, '/status')) as AgentStatus;
}
