/**
 * The applications of local endpoints, as events require: a service's command runs while its endpoint is present, a
 * crash kills it at once, a leave asks it to end first.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import type { Topology } from '../../topology/model/model.ts';
import { serviceOf } from '../../topology/model/names.ts';
import type { Atom } from '../../topology/timeline/state.ts';
import type { ProcessPort } from './processes.ts';

export interface ApplicationsOptions {
  readonly processes: ProcessPort;
  readonly topology: Topology;
  readonly logFolder: string;
}

export class Applications {
  readonly #processes: ProcessPort;
  readonly #local = new Map<number, LocalEndpoint>();
  readonly #commands: ReadonlyMap<string, string | undefined>;
  readonly #logFolder: string;

  constructor({ processes, topology, logFolder }: ApplicationsOptions) {
    this.#processes = processes;
    this.#commands = new Map(topology.services.map(({ name, run }) => [name, run]));
    this.#logFolder = logFolder;
  }

  /** Adds an endpoint; `run` starts its service's command. */
  add(endpoint: LocalEndpoint): void {
    this.#local.set(endpoint.number, endpoint);
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
    await this.#processes.end(endpoint.name);
  }

  /** Adopts the processes that a killed agent has started. */
  adopt(): void {
    this.#processes.adopt(new Set([...this.#local.values()].map(({ name }) => name)));
  }

  /**
   * Starts the commands of present endpoints. After a killed agent this continues its work: a running command goes
   * on, or is ended if its endpoint has left since; a command that should have been started since is started. A
   * command that ended by itself meanwhile stays ended. `past`: what has happened so far, in order.
   */
  start(isPresent: (endpoint: number) => boolean, past: readonly Atom[]): void {
    const missed = new Map<number, Atom[]>();
    for (const atom of past) {
      const endpoint = 'node' in atom ? this.#local.get(atom.node) : undefined;
      if (!endpoint || (atom.verb !== 'join' && atom.verb !== 'run')) continue;
      if (atom.at > this.#obeyedUntil(endpoint))
        missed.set(endpoint.number, [...(missed.get(endpoint.number) ?? []), atom]);
    }
    for (const endpoint of this.#local.values()) {
      if (!isPresent(endpoint.number)) this.#processes.signal(endpoint.name, 'SIGKILL');
      else this.#startMissed(endpoint, missed.get(endpoint.number) ?? []);
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
    else if (atom.verb === 'crash') this.#processes.signal(endpoint.name, 'SIGKILL');
    else if (atom.verb === 'leave') void this.#processes.end(endpoint.name);
    else if (atom.verb === 'run' && action.verb === 'run') this.#start(endpoint, action.command, atom.at);
    else if (atom.verb === 'signal' && action.verb === 'signal')
      this.#processes.signal(endpoint.name, `SIG${action.signal}`);
  }

  status(): Record<string, string> {
    return this.#processes.status();
  }

  stop(): Promise<void> {
    return this.#processes.stop();
  }

  #startMissed(endpoint: LocalEndpoint, atoms: readonly Atom[]): void {
    const joined = atoms.findLastIndex(({ verb }) => verb === 'join');
    if (joined >= 0) this.#processes.signal(endpoint.name, 'SIGKILL');
    else if (this.#obeyedUntil(endpoint) < 0) this.#run(endpoint, 0);
    for (const atom of atoms.slice(Math.max(0, joined))) this.obey(atom);
  }

  #run(endpoint: LocalEndpoint, at: number): void {
    const service = serviceOf(endpoint.name);
    const command = this.#commands.get(service);
    if (command !== undefined) this.#start(endpoint, command, at);
  }

  #start(endpoint: LocalEndpoint, command: string, at: number): void {
    this.#processes.start({ endpoint, command });
    writeFileSync(this.#obeyedFile(endpoint), String(at));
  }

  /** The instant of the event that last started a command here; negative infinity if there was none. */
  #obeyedUntil(endpoint: LocalEndpoint): number {
    try {
      return Number(readFileSync(this.#obeyedFile(endpoint), 'utf8'));
    } catch {
      return Number.NEGATIVE_INFINITY;
    }
  }

  /** Stands beside the output, for the next agent. */
  #obeyedFile({ name }: LocalEndpoint): string {
    return join(this.#logFolder, `${name}.started`);
  }
}
