/**
 * The applications of local endpoints, as events require: a service's command runs while its endpoint is present, a
 * crash kills it at once, a leave asks it to end first. What runs in an endpoint, and the connections that it has, end
 * with it; the next life begins when the former one has ended, and until then the endpoint has no network.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import { toMillis } from '../../proto/units.ts';
import { count } from '../../proto/words.ts';
import type { Program, RunAction } from '../../topology/model/events.ts';
import { serviceOf } from '../../topology/model/names.ts';
import type { Atom } from '../../topology/timeline/state.ts';
import { PRIVATE_FILE, replaceFile } from '../files/own-files.ts';
import { commandOfActivity } from './environment.ts';
import { LogBound } from './log-bound.ts';
import type { CommandRun, ProcessPort } from './processes.ts';
import { ServiceLives, type ServiceLivesOptions } from './service-lives.ts';
import { type CommandSettings, settingsOf } from './service-settings.ts';

export interface ApplicationsOptions extends ServiceLivesOptions {
  readonly processes: ProcessPort;
  /** Called when a former life has ended, before the next one begins: the endpoint may have its network again. */
  readonly onEnded?: () => void;
  /** Called with what could not be ended, in words. */
  readonly onProblem?: (problem: string) => void;
  /** A program of a sequence has ended in an endpoint. `code`: absent, it was killed, or could not be started. */
  readonly onProgramEnd?: (endpoint: string, program: Program, code?: number) => void;
  /** Does what a full disk may prevent, as soon as it is possible; of works with the same name, only the latest. */
  readonly attempt?: (what: string, work: () => void) => void;
}

/** A life that is being ended. */
interface Ending {
  /** What is to be done in the next life. */
  readonly next: (() => void)[];
}

export class Applications {
  readonly #processes: ProcessPort;
  readonly #local = new Map<number, LocalEndpoint>();
  /** By service. */
  readonly #settings: ReadonlyMap<string, CommandSettings>;
  readonly #logFolder: string;
  readonly #options: ApplicationsOptions;
  /** By number of the endpoint. */
  readonly #endings = new Map<number, Ending>();
  readonly #ended = new Map<number, Promise<void>>();
  readonly #lives: ServiceLives;
  /** Endpoint → the commands of an earlier agent. */
  #adopted: ReadonlyMap<string, readonly CommandRun[]> = new Map();
  readonly #logs: LogBound;
  #isStopped = false;

  constructor(options: ApplicationsOptions) {
    const { processes, topology, logFolder } = options;
    this.#options = options;
    this.#processes = processes;
    this.#settings = new Map(topology.services.map((service) => [service.name, settingsOf(service)]));
    this.#logFolder = logFolder;
    const onProblem = (problem: string): void => options.onProblem?.(problem);
    this.#logs = new LogBound({ timers: options.timers, onProblem });
    this.#lives = new ServiceLives(options, {
      start: (endpoint, command) => this.#startNow(endpoint, command),
      tryTo: (endpoint, action) => this.#tryTo(endpoint, action),
    });
  }

  /** Adds an endpoint; `run` starts its service's command. */
  add(endpoint: LocalEndpoint): void {
    this.#local.set(endpoint.number, endpoint);
    this.#lives.add(endpoint);
  }

  /** Whether others, who wait for it, have to know that a local endpoint's service is ready. */
  isAnnouncedReady(endpoint: LocalEndpoint): boolean {
    return this.#lives.isAnnouncedReady(endpoint);
  }

  /** Starts the command of an endpoint's service now, at `at` (µs since the start). */
  run({ number }: LocalEndpoint, at: number): void {
    const endpoint = this.#local.get(number);
    if (endpoint) this.#run(endpoint, at);
  }

  /** Removes an endpoint, and ends what runs in it. */
  async remove(number: number): Promise<void> {
    const endpoint = this.#local.get(number);
    if (!endpoint) return;
    this.#local.delete(number);
    this.#lives.remove(number);
    await this.#end(endpoint, 'end');
  }

  /** Endpoints whose former life will not have ended when these changes have happened: nothing may leave them. */
  ending(atoms: readonly Atom[]): Set<number> {
    const found = new Set(this.#endings.keys());
    for (const atom of atoms)
      if ('node' in atom && (atom.verb === 'crash' || atom.verb === 'leave') && this.#local.has(atom.node))
        found.add(atom.node);
    return found;
  }

  /** Adopts the processes that a killed agent has started. */
  adopt(): void {
    this.#adopted = this.#processes.adopt(new Set([...this.#local.values()].map(({ name }) => name)));
    // Also those that no command is left of: what it has started may write on.
    for (const endpoint of this.#local.values())
      if (this.#obeyedUntil(endpoint) >= 0) this.#boundLog(endpoint);
  }

  /**
   * Starts the commands of present endpoints. After a killed agent this continues its work: a running command goes
   * on, or is ended if its endpoint has left since; a command that should have been started since is started. What
   * ended by itself meanwhile stays ended, or is started again if its service says so. `past`: what has happened so
   * far, in order.
   */
  start(isPresent: (endpoint: number) => boolean, past: readonly Atom[]): void {
    const missed = new Map<number, Atom[]>();
    // Others are absent from the start, and nothing has run in them.
    const left = this.ending(past);
    for (const atom of past) {
      const endpoint = 'node' in atom ? this.#local.get(atom.node) : undefined;
      if (!endpoint || (atom.verb !== 'join' && atom.verb !== 'run')) continue;
      const { action } = atom.event;
      if (atom.at > this.#obeyedUntil(endpoint))
        missed.set(endpoint.number, [...(missed.get(endpoint.number) ?? []), atom]);
      // How it ends, or has ended, was told by the earlier agent, or nobody knows: what is told first counts.
      else if (action.verb === 'run' && action.program) this.#follow(endpoint, action.program, undefined);
    }
    for (const endpoint of this.#local.values()) {
      if (!isPresent(endpoint.number)) {
        if (left.has(endpoint.number)) void this.#end(endpoint, 'kill');
      } else this.#startMissed(endpoint, missed.get(endpoint.number) ?? []);
    }
  }

  /**
   * Executes the part of an event that concerns processes; other events, and those of other hosts, have no effect.
   */
  obey(atom: Atom): void {
    const endpoint = 'node' in atom ? this.#local.get(atom.node) : undefined;
    if (!endpoint) return;
    const { action } = atom.event;
    if (atom.verb === 'join') this.#run(endpoint, atom.at);
    else if (atom.verb === 'crash') void this.#end(endpoint, 'kill');
    else if (atom.verb === 'leave') void this.#end(endpoint, 'end');
    else if (atom.verb === 'run' && action.verb === 'run') this.#start(endpoint, action, atom.at);
    else if (atom.verb === 'signal' && action.verb === 'signal')
      this.#inThisLife(endpoint, () => this.#processes.signal(endpoint.name, `SIG${action.signal}`));
  }

  status(): Record<string, string> {
    const status = this.#processes.status();
    this.#lives.describe(status);
    for (const name of Object.keys(status)) {
      const lost = this.#logs.lost(name);
      if (lost > 0) status[name] += `; of its log, ${count(lost, 'byte')} were not kept`;
    }
    for (const [number, { next }] of this.#endings) {
      const endpoint = this.#local.get(number);
      if (endpoint && next.length > 0) status[endpoint.name] = 'starts when its former processes have ended';
    }
    return status;
  }

  /** Ends the life of a local endpoint as a crash does, but it stays present. `why`: in words. */
  endFor(name: string, why: string): void {
    const endpoint = [...this.#local.values()].find((one) => one.name === name);
    if (!endpoint) return;
    this.#options.onProblem?.(`${name} was stopped, as by a crash: ${why}`);
    void this.#end(endpoint, 'kill');
  }

  /** Why the number of an endpoint's processes has no bound here; `undefined`: it has. */
  get unbounded(): string | undefined {
    return this.#processes.unbounded?.();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const { next } of this.#endings.values()) next.length = 0;
    this.#lives.stop();
    await this.#processes.stop();
    await this.#logs.stop();
  }

  /**
   * Ends an endpoint's life. One that is ending already may be ended faster; what was to be done after it is dropped,
   * since that life has never begun. Never rejects.
   */
  #end(endpoint: LocalEndpoint, how: 'kill' | 'end'): Promise<void> {
    const { number } = endpoint;
    const earlier = this.#ended.get(number);
    this.#lives.end(endpoint);
    const ending: Ending = { next: [] };
    this.#endings.set(number, ending);
    const ended = Promise.all([this.#processes[how](endpoint), earlier]).then(([problem]) => {
      if (problem !== undefined) this.#options.onProblem?.(problem);
      if (this.#endings.get(number) !== ending) return;
      this.#endings.delete(number);
      this.#ended.delete(number);
      if (!this.#isStopped) this.#options.onEnded?.();
      for (const begin of ending.next) begin();
    });
    this.#ended.set(number, ended);
    return ended;
  }

  /** Now, or when the endpoint's former life has ended. */
  #inThisLife({ number }: LocalEndpoint, action: () => void): void {
    const ending = this.#endings.get(number);
    if (ending) ending.next.push(action);
    else action();
  }

  #startMissed(endpoint: LocalEndpoint, atoms: readonly Atom[]): void {
    const joined = atoms.findLastIndex(({ verb }) => verb === 'join');
    if (joined >= 0) void this.#end(endpoint, 'kill');
    else if (this.#obeyedUntil(endpoint) < 0) this.#run(endpoint, 0);
    else this.#lives.resume(endpoint, this.#adopted.get(endpoint.name) ?? []);
    for (const atom of atoms.slice(Math.max(0, joined))) this.obey(atom);
  }

  #run(endpoint: LocalEndpoint, at: number): void {
    this.#inThisLife(endpoint, () => {
      if (this.#lives.begin(endpoint)) this.#noteObeyed(endpoint, at);
    });
  }

  #start(endpoint: LocalEndpoint, { command, program }: RunAction, at: number): void {
    this.#inThisLife(endpoint, () => {
      let run: CommandRun | undefined;
      // Of programs, the absent are told as well.
      if (!program || this.#options.isPresent(endpoint.number))
        this.#tryTo(endpoint, () => {
          run = this.#startNow(endpoint, program ? commandOfActivity(program, command) : command);
        });
      this.#noteObeyed(endpoint, at);
      if (program) this.#follow(endpoint, program, run);
    });
  }

  /** Tells how a program of a sequence ends; `run`: absent, it could not be started. */
  #follow({ name }: LocalEndpoint, program: Program, run: CommandRun | undefined): void {
    const { onProgramEnd = () => {}, timers } = this.#options;
    if (!run) {
      // Not while the instant is played.
      timers.after(0, () => onProgramEnd(name, program));
      return;
    }
    const { timeout } = program;
    const cancel =
      timeout === undefined ? () => {} : timers.after(toMillis(timeout), () => run?.signal('SIGKILL'));
    run.onEnd(({ how }) => {
      cancel();
      if (this.#isStopped) return;
      const code = /^exited with (\d+)$/.exec(how)?.[1];
      if (code === undefined) onProgramEnd(name, program);
      else onProgramEnd(name, program, Number(code));
    });
  }

  #startNow(endpoint: LocalEndpoint, command: string): CommandRun {
    const settings = this.#settings.get(serviceOf(endpoint.name)) ?? {};
    this.#boundLog(endpoint);
    return this.#processes.start({ endpoint, command, settings });
  }

  #boundLog(endpoint: LocalEndpoint): void {
    this.#logs.watch(endpoint.name, this.#fileOf(endpoint, 'log'));
  }

  /** A full disk must not end the agent. */
  #tryTo({ name }: LocalEndpoint, action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#options.onProblem?.(`${name}: ${(error as Error).message}`);
    }
  }

  /** Without it, the next agent would start the command once more. */
  #noteObeyed(endpoint: LocalEndpoint, at: number): void {
    const { attempt } = this.#options;
    const write = (): void =>
      replaceFile(this.#fileOf(endpoint, 'started'), String(at), { mode: PRIVATE_FILE });
    if (attempt) attempt(`keeping what was started in ${endpoint.name}`, write);
    else this.#tryTo(endpoint, write);
  }

  /** The instant of the event that last started a command here; negative infinity if there was none. */
  #obeyedUntil(endpoint: LocalEndpoint): number {
    try {
      return Number(readFileSync(this.#fileOf(endpoint, 'started'), 'utf8'));
    } catch {
      return Number.NEGATIVE_INFINITY;
    }
  }

  /** Stands beside the output, for the next agent. */
  #fileOf({ name }: LocalEndpoint, what: 'log' | 'started'): string {
    return what === 'started' ? startedFile(this.#logFolder, name) : logOf(this.#logFolder, name);
  }
}

/** Where it is kept when an endpoint's command was last started. */
export const startedFile = (logFolder: string, name: string): string => join(logFolder, `${name}.started`);

/** What its commands have written. */
export const logOf = (logFolder: string, name: string): string => join(logFolder, `${name}.log`);
