/**
 * Applications that are containers which netfold has made: started, signalled and ended by the engine, at the instants of the timeline.
 * The network namespace is another container's and stays, so that a life begins where shaping is in force already.
 */

import type { Bootstrap, LocalEndpoint } from '../../proto/bootstrap.ts';
import { fromMillis, toSeconds } from '../../proto/units.ts';
import type { Clock, Timers } from '../clock/clock.ts';
import type { RunCommand } from '../endpoints/command-words.ts';
import { TERM_MS } from '../endpoints/former-life.ts';
import type { ProbePort } from '../endpoints/probes.ts';
import type { CommandEnd, CommandRun, ProcessPort } from '../endpoints/processes.ts';
import { listensAt } from '../kernel/netlink/tcp-sockets-of-namespace.ts';
import { AtMost } from './at-most.ts';
import { ContainerOutput } from './container-output.ts';
import { ContainerRun, endOf } from './container-run.ts';
import { EngineRequests, isStatus } from './engine-requests.ts';
import { OWN_CONTAINER } from './own-container.ts';

type Containers = NonNullable<Bootstrap['containers']>;

/** Two processors start some three in a second; more at a time only wait inside of the engine. */
const STARTS_AT_ONCE = 8;
/** After the engine did not answer. */
const AGAIN_MS = 1000;
/** What a killed container is given to be gone; the engine itself waits as long. */
const KILL_MS = 10_000;
/** To ask hundreds of containers to end takes the engine some seconds. */
const STOP_MS = 5000;
/** The last output may come this long after the end. */
const OUTPUT_MS = 1000;
const PROBE_MS = 5000;

export interface ContainerProcessesOptions {
  readonly containers: Containers;
  readonly logFolder: string;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Whether an earlier agent has started something in an endpoint. */
  readonly hasBegun: (name: string) => boolean;
  /** Destroys the TCP sockets of applications in a network namespace. Throws where the kernel can't. */
  readonly destroySockets: (namespace: string) => void;
}

export class ContainerProcesses implements ProcessPort, ProbePort {
  readonly #options: ContainerProcessesOptions;
  readonly #requests: EngineRequests;
  readonly #output: ContainerOutput;
  readonly #starts = new AtMost(STARTS_AT_ONCE);
  /** Endpoint → its container, and further commands in it. */
  readonly #running = new Map<string, Set<ContainerRun>>();
  /** Endpoint → how its container ended. */
  readonly #ended = new Map<string, string>();
  /** Of everything that waits for the engine. */
  readonly #stopped = new AbortController();
  readonly #probing = new AbortController();

  constructor(options: ContainerProcessesOptions) {
    this.#options = options;
    this.#requests = new EngineRequests(options.containers.socket);
    this.#output = new ContainerOutput(this.#requests, options.logFolder);
  }

  start({ endpoint: { name }, command }: RunCommand): CommandRun {
    const container = this.#containerOf(name);
    if (command !== OWN_CONTAINER) return this.#keep(name, this.#further(name, container, command));
    return this.#keep(
      name,
      new ContainerRun({
        started: (run) => this.#startNow(name, container, run),
        ended: () => this.#endOf(container),
        send: (signal) => this.#send(container, signal),
      }),
    );
  }

  adopt(names: ReadonlySet<string>): ReadonlyMap<string, readonly CommandRun[]> {
    const begun = [...names].filter((name) => this.#options.hasBegun(name) && !this.#running.has(name));
    return new Map(begun.map((name) => [name, [this.#keep(name, this.#earlier(name))]]));
  }

  status(): Record<string, string> {
    const running = [...this.#running].map(([name, [first]]) => [
      name,
      first?.isStarted ? `container ${this.#containerOf(name)}` : 'is being started',
    ]);
    return Object.fromEntries([...this.#ended, ...running]);
  }

  signal(name: string, signal: NodeJS.Signals): void {
    for (const run of this.#running.get(name) ?? []) run.signal(signal);
  }

  kill(endpoint: LocalEndpoint): Promise<string | undefined> {
    return this.#endLife(endpoint, '/kill?signal=SIGKILL');
  }

  end(endpoint: LocalEndpoint): Promise<string | undefined> {
    return this.#endLife(endpoint, `/stop?t=${toSeconds(fromMillis(TERM_MS))}`);
  }

  problems(): readonly string[] {
    return this.#output.problems;
  }

  /** Who ends an experiment removes what has not ended then. */
  async stop(): Promise<void> {
    this.#probing.abort();
    const turns = new AtMost(STARTS_AT_ONCE);
    const runs = [...this.#running];
    const all = runs.map(([name]) => turns.run(() => this.#ask(name, '/kill?signal=SIGTERM')));
    const ended = Promise.all(runs.flatMap(([, its]) => [...its].map((run) => run.ended)));
    await Promise.race([Promise.all([...all, ended]), this.#pause(TERM_MS + STOP_MS)]);
    this.#stopped.abort();
  }

  listens({ namespace }: LocalEndpoint, port: number): boolean {
    return listensAt(namespace, port);
  }

  async succeeds({ endpoint: { name }, command }: RunCommand): Promise<boolean> {
    const signal = AbortSignal.any([this.#probing.signal, AbortSignal.timeout(PROBE_MS)]);
    try {
      const id = await this.#exec(this.#containerOf(name), command);
      const stream = await this.#requests.open('POST', `/exec/${id}/start`, {
        body: { Detach: false },
        signal,
      });
      for await (const _ of stream);
      return (await this.#exitCode(id)) === 0;
    } catch {
      return false;
    }
  }

  #containerOf(name: string): string {
    const container = this.#options.containers.names[name];
    if (container === undefined) throw new Error(`${name} has no container`);
    return container;
  }

  #keep(name: string, run: ContainerRun): ContainerRun {
    const running = this.#running.get(name) ?? new Set();
    this.#running.set(name, running.add(run));
    run.onEnd(({ how }) => {
      if (!running.delete(run)) return;
      this.#ended.set(name, how);
      if (running.size === 0 && this.#running.get(name) === running) this.#running.delete(name);
    });
    return run;
  }

  async #startNow(name: string, container: string, run: ContainerRun): Promise<void> {
    await this.#starts.run(async () => {
      if (run.isCancelled || this.#stopped.signal.aborted) throw new Error('its life ended before');
      const since = this.#options.clock.wallNow();
      await this.#requests.send('POST', `/containers/${container}/start`);
      void this.#followOutput(name, container, run, since);
    });
  }

  /** Until the run is over; again when the engine was away. */
  async #followOutput(name: string, container: string, run: ContainerRun, sinceMs: number): Promise<void> {
    let isOver = false;
    void run.ended.then(() => {
      isOver = true;
    });
    for (let since = sinceMs; ; since = this.#options.clock.wallNow()) {
      await this.#output.follow(name, container, since, this.#stopped.signal).catch(() => {});
      await this.#pause(OUTPUT_MS);
      if (isOver || this.#stopped.signal.aborted) return;
    }
  }

  /** What an earlier agent has started: it runs on, or has ended meanwhile. */
  #earlier(name: string): ContainerRun {
    const container = this.#containerOf(name);
    return new ContainerRun({
      started: async (run) => {
        const found = await this.#persistently(() =>
          this.#requests.send('GET', `/containers/${container}/json`),
        );
        const { State } = found as { State: { Running: boolean; ExitCode: number } };
        if (!State.Running) throw new Error(`ended with ${State.ExitCode} while no agent ran`);
        void this.#followOutput(name, container, run, this.#options.clock.wallNow());
      },
      ended: () => this.#endOf(container),
      send: (signal) => this.#send(container, signal),
    });
  }

  /** A further command, such as one of a `run` event: it ends with its container. */
  #further(name: string, container: string, command: string): ContainerRun {
    const before = [...(this.#running.get(name) ?? [])];
    return new ContainerRun({
      started: async () => {
        for (const run of before) await run.started;
      },
      ended: async () => {
        const id = await this.#exec(container, command);
        const signal = this.#stopped.signal;
        const stream = await this.#requests.open('POST', `/exec/${id}/start`, {
          body: { Detach: false },
          signal,
        });
        await this.#output.append(name, stream);
        return endOf(await this.#exitCode(id));
      },
      // The engine has no signal for one.
      send: () => {},
    });
  }

  async #exec(container: string, command: string): Promise<string> {
    const body = { AttachStdout: true, AttachStderr: true, Cmd: ['/bin/sh', '-c', command] };
    const made = await this.#requests.send('POST', `/containers/${container}/exec`, { body });
    return (made as { Id: string }).Id;
  }

  async #exitCode(exec: string): Promise<number> {
    const { ExitCode } = (await this.#requests.send('GET', `/exec/${exec}/json`)) as {
      ExitCode: number | null;
    };
    return ExitCode ?? 0;
  }

  async #endOf(container: string): Promise<CommandEnd> {
    const options = { deadlineMs: Number.POSITIVE_INFINITY, signal: this.#stopped.signal };
    const answer = await this.#persistently(() =>
      this.#requests.send('POST', `/containers/${container}/wait`, options),
    );
    return endOf((answer as { StatusCode: number }).StatusCode);
  }

  /** An engine that is started again leaves containers running. Throws what it answers, or after the stop. */
  async #persistently<T>(ask: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (this.#stopped.signal.aborted || isStatus(error, 400, 404, 409)) throw error;
        await this.#pause(AGAIN_MS);
      }
    }
  }

  #send(container: string, signal: NodeJS.Signals): void {
    void this.#requests.send('POST', `/containers/${container}/kill?signal=${signal}`).catch(() => {});
  }

  /** Returns what could not be done, in words. */
  async #ask(name: string, action: string): Promise<string | undefined> {
    const deadlineMs = KILL_MS;
    try {
      await this.#requests.send('POST', `/containers/${this.#containerOf(name)}${action}`, { deadlineMs });
      return undefined;
    } catch (error) {
      // It does not run, or is gone.
      if (isStatus(error, 404, 409)) return undefined;
      return `the container of ${name} can't be ended: ${(error as Error).message}`;
    }
  }

  async #endLife({ name, namespace }: LocalEndpoint, action: string): Promise<string | undefined> {
    const running = this.#running.get(name) ?? new Set<ContainerRun>();
    const runs = [...running];
    for (const run of runs) run.isCancelled = true;
    await Promise.all(runs.map((run) => run.started));
    const problem = await this.#ask(name, action);
    await Promise.race([Promise.all(runs.map((run) => run.ended)), this.#pause(KILL_MS)]);
    running.clear();
    if (this.#running.get(name) === running) this.#running.delete(name);
    try {
      this.#options.destroySockets(namespace);
    } catch (error) {
      return problem ?? `${name}: sockets of its former life may remain: ${(error as Error).message}`;
    }
    return problem;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#options.timers.after(ms, resolve));
  }
}
