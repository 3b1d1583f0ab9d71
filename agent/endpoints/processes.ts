/**
 * The commands in local endpoints: each is started inside the endpoint, its output is kept in a file, and it is ended
 * with all its children. `ip netns exec` enters the namespace and makes the topology's names resolve.
 *
 * Commands outlive an agent that is killed; the next agent finds them by their environment.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { join } from 'node:path';
import type { Bootstrap, LocalEndpoint } from '../../proto/bootstrap.ts';
import { fromMillis, toSeconds } from '../../proto/units.ts';
import type { Timers } from '../clock/clock.ts';
import { makeFolder, openToAppend, PRIVATE_FILE, PRIVATE_FOLDER } from '../files/own-files.ts';
import { withUsersUmask } from '../files/umask.ts';
import {
  type FoundProcess,
  findSessionLeaders,
  isRunning,
  startTimeOf,
} from '../kernel/sys/process-table.ts';
import { environmentFor, type RunCommand, wordsFor } from './command-words.ts';
import { Crowds } from './crowds.ts';
import type { EndpointGroups } from './endpoint-groups.ts';
import { FormerLife, TERM_MS } from './former-life.ts';
import { Inhabitants } from './inhabitants.ts';
import { MOST_PROCESSES } from './service-settings.ts';

export interface CommandEnd {
  /** `exited with 1`, `ended by SIGKILL`. */
  readonly how: string;
  /** Whether it ended otherwise than with code 0. `undefined`: not known, since it was no child of this agent. */
  readonly isFailure: boolean | undefined;
}

/** A running command. */
export interface CommandRun {
  /** `undefined`: it could not be started. */
  readonly pid: number | undefined;
  /** Identifies the process, together with `pid`. */
  readonly startTime: number | undefined;
  /** Resolves when it runs, or could not be started; never rejects. Absent: it runs already. */
  readonly started?: Promise<void>;
  /** Sends a signal to it and to all in its process group. */
  signal(signal: NodeJS.Signals): void;
  /** Calls `listener` once, when it has ended. */
  onEnd(listener: (end: CommandEnd) => void): void;
}

/** Starts commands in endpoints, and ends them. */
export interface ProcessPort {
  /** Throws system errors, for instance if its output has no room. */
  start(command: RunCommand): CommandRun;
  /** Adopts what an earlier agent has started in these endpoints: endpoint → commands. */
  adopt(names: ReadonlySet<string>): ReadonlyMap<string, readonly CommandRun[]>;
  /** Endpoint → `pid 123`, or how its command ended. */
  status(): Record<string, string>;
  /** Sends a signal to all commands of an endpoint, and to their children. */
  signal(name: string, signal: NodeJS.Signals): void;
  /** Ends everything of an endpoint at once (`FormerLife.kill`). Returns what could not be done, in words; never rejects. */
  kill(endpoint: LocalEndpoint): Promise<string | undefined>;
  /** Asks everything of an endpoint to end, waits, and kills the rest. Returns the same. */
  end(endpoint: LocalEndpoint): Promise<string | undefined>;
  /** Asks the commands of all endpoints to end, waits, and kills those that have not ended. */
  stop(): Promise<void>;
  /** What endpoints do that a bound keeps them from, in words. */
  problems?(): readonly string[];
  /** Why the number of an endpoint's processes has no bound here, in words; `undefined`: it has. */
  unbounded?(): string | undefined;
}

/** The news that a killed command has ended may come this long after its end. */
const NEWS_MS = 1000;
/** How often a process of an earlier agent is checked: this agent gets no signal of its end. */
const LOOK_MS = 200;

export class Processes implements ProcessPort {
  /** Endpoint → its running commands: that of the service first, then those of `run` events. */
  readonly #running = new Map<string, Set<CommandRun>>();
  /** Endpoint → how its last command ended. */
  readonly #ended = new Map<string, string>();
  readonly #experiment: string;
  readonly #logFolder: string;
  readonly #dataFolder: string | undefined;
  readonly #timers: Timers;
  readonly #former: FormerLife;
  readonly #groups: EndpointGroups;
  readonly #crowds: Crowds;
  /** Endpoints of this agent: they may have groups, also from `netfold exec`. */
  readonly #names = new Set<string>();

  constructor(
    { experiment, logFolder, dataFolder }: Pick<Bootstrap, 'experiment' | 'logFolder' | 'dataFolder'>,
    timers: Timers,
    groups: EndpointGroups,
  ) {
    this.#timers = timers;
    this.#groups = groups;
    this.#crowds = new Crowds({
      timers,
      names: () => groups.names().filter((name) => this.#names.has(name)),
      count: (name) => groups.count(name),
    });
    this.#former = new FormerLife(new Inhabitants(experiment, timers, groups), timers);
    this.#experiment = experiment;
    this.#logFolder = logFolder;
    this.#dataFolder = dataFolder;
  }

  start(run: RunCommand): CommandRun {
    const { endpoint } = run;
    makeFolder(this.#logFolder, PRIVATE_FOLDER);
    const output = openToAppend(join(this.#logFolder, `${endpoint.name}.log`), PRIVATE_FILE);
    try {
      return this.#keep(endpoint.name, ofChild(this.#spawn(run, output)));
    } finally {
      closeSync(output);
    }
  }

  #spawn(run: RunCommand, output: number): ChildProcess {
    const { endpoint, settings } = run;
    const group = this.#groups.make(endpoint.name, settings.processes ?? MOST_PROCESSES, true);
    this.#names.add(endpoint.name);
    const [program, ...args] = wordsFor(run, this.#dataFolder, group);
    const env = {
      ...environmentFor(endpoint, this.#experiment, this.#dataFolder),
      [MARK]: this.#experiment,
    };
    // In a process group of its own, so that children of the shell end with it; and it survives the agent.
    return withUsersUmask(() =>
      spawn(program!, args, { stdio: ['ignore', output, output], detached: true, env }),
    );
  }

  adopt(names: ReadonlySet<string>): ReadonlyMap<string, readonly CommandRun[]> {
    const adopted = new Map<string, CommandRun[]>();
    for (const name of names) this.#names.add(name);
    this.#crowds.start();
    for (const found of findSessionLeaders({ [MARK]: this.#experiment })) {
      const name = found.environment.get('NETFOLD_NODE') ?? '';
      const known = [...(this.#running.get(name) ?? [])].some(({ pid }) => pid === found.pid);
      if (!names.has(name) || known) continue;
      const run = this.#keep(name, ofEarlier(found, this.#timers));
      adopted.set(name, [...(adopted.get(name) ?? []), run]);
    }
    return adopted;
  }

  status(): Record<string, string> {
    const running = [...this.#running].map(([name, [first]]) => [name, `pid ${first?.pid}`]);
    return Object.fromEntries([...this.#ended, ...running]);
  }

  signal(name: string, signal: NodeJS.Signals): void {
    for (const running of this.#running.get(name) ?? []) running.signal(signal);
  }

  async kill(endpoint: LocalEndpoint): Promise<string | undefined> {
    const running = this.#running.get(endpoint.name) ?? new Set<CommandRun>();
    const ended = [...running].map((one) => new Promise<void>((resolve) => one.onEnd(() => resolve())));
    // None can start another from now on.
    this.#groups.close(endpoint.name);
    // A group is stopped as a whole, however fast its processes start others.
    this.signal(endpoint.name, 'SIGSTOP');
    const problem = await this.#former.kill(endpoint);
    // Those that are the endpoint's no more, because they have entered another namespace.
    this.signal(endpoint.name, 'SIGKILL');
    await this.#within(NEWS_MS, Promise.all(ended));
    this.#groups.remove([endpoint.name]);
    // What ends from now on says nothing about the next life.
    running.clear();
    if (this.#running.get(endpoint.name) === running) this.#running.delete(endpoint.name);
    return problem;
  }

  async end(endpoint: LocalEndpoint): Promise<string | undefined> {
    const isStubborn = (await this.#former.ask(endpoint).catch(() => 0)) > 0;
    const hadCommand = this.#running.has(endpoint.name);
    const problem = await this.kill(endpoint);
    if (isStubborn && hadCommand)
      this.#ended.set(
        endpoint.name,
        `ended by SIGKILL: it ignored SIGTERM for ${toSeconds(fromMillis(TERM_MS))} s`,
      );
    return problem;
  }

  problems(): readonly string[] {
    return this.#crowds.problems;
  }

  unbounded(): string | undefined {
    return this.#groups.problem;
  }

  async stop(): Promise<void> {
    await endAll(
      [...this.#running.values()].flatMap((running) => [...running]),
      this.#timers,
    );
    this.#crowds.stop();
    await this.#groups.end(
      [...this.#names],
      (ms) => new Promise<void>((resolve) => this.#timers.after(ms, resolve)),
    );
  }

  #within(ms: number, done: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#timers.after(ms, resolve);
      void done.then(() => {
        cancel();
        resolve();
      });
    });
  }

  #keep(name: string, one: CommandRun): CommandRun {
    const running = this.#running.get(name) ?? new Set();
    this.#running.set(name, running.add(one));
    one.onEnd(({ how }) => {
      if (!running.delete(one)) return;
      this.#ended.set(name, how);
      if (running.size === 0 && this.#running.get(name) === running) this.#running.delete(name);
    });
    return one;
  }
}

function ofChild(child: ChildProcess): CommandRun {
  return {
    pid: child.pid,
    startTime: child.pid === undefined ? undefined : startTimeOf(child.pid),
    signal: (signal) => signalGroup(child.pid, signal),
    onEnd: (listener) => {
      child.once('error', (error) => listener({ how: `failed: ${error.message}`, isFailure: true }));
      child.once('exit', (code, signal) =>
        listener({ how: signal ? `ended by ${signal}` : `exited with ${code}`, isFailure: code !== 0 }),
      );
    },
  };
}

function ofEarlier(found: FoundProcess, timers: Timers): CommandRun {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stopLooking = timers.every(LOOK_MS, () => {
    if (isRunning(found)) return;
    stopLooking();
    resolve();
  });
  return {
    pid: found.pid,
    startTime: found.startTime,
    signal: (signal) => {
      if (isRunning(found)) signalGroup(found.pid, signal);
    },
    onEnd: (listener) => void promise.then(() => listener({ how: 'has ended', isFailure: undefined })),
  };
}

async function endAll(all: readonly CommandRun[], timers: Timers): Promise<void> {
  const ended = all.map((one) => new Promise<void>((resolve) => one.onEnd(() => resolve())));
  for (const one of all) one.signal('SIGTERM');
  const stopWaiting = timers.after(TERM_MS, () => {
    for (const one of all) one.signal('SIGKILL');
  });
  await Promise.all(ended);
  stopWaiting();
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** An environment variable of all processes that an agent starts, and of no others: the experiment's name. */
const MARK = 'NETFOLD_RUN_BY';
