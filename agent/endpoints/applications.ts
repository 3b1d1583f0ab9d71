/**
 * The applications of local endpoints, as events would have it: a service's command runs while its endpoint takes part,
 * a crash kills it at once, who leaves is asked to end first.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Topology } from '../../topology/model.ts';
import type { Atom } from '../../topology/state.ts';
import type { LocalEndpoint } from './model.ts';
import { Processes } from './processes.ts';

export interface ApplicationsOptions {
  readonly experiment: string;
  readonly topology: Topology;
  readonly local: readonly LocalEndpoint[];
  readonly logFolder: string;
}

export class Applications {
  readonly #processes: Processes;
  readonly #local: ReadonlyMap<number, LocalEndpoint>;
  readonly #commands: ReadonlyMap<string, string | undefined>;
  readonly #logFolder: string;

  constructor({ experiment, topology, local, logFolder }: ApplicationsOptions) {
    this.#processes = new Processes(experiment, logFolder);
    this.#local = new Map(local.map((endpoint) => [endpoint.number, endpoint]));
    this.#commands = new Map(topology.services.map(({ name, run }) => [name, run]));
    this.#logFolder = logFolder;
  }

  /** Starts the commands of those who take part from the beginning. */
  start(isPresent: (endpoint: number) => boolean): void {
    for (const endpoint of this.#local.values()) if (isPresent(endpoint.number)) this.#run(endpoint, 0);
  }

  /**
   * Goes on where an agent was killed: what it has started is taken over, or ended where the endpoint has gone since;
   * what has come since is started. A command that has ended by itself meanwhile has ended.
   * `past`: what has happened so far, in order.
   */
  resume(isPresent: (endpoint: number) => boolean, past: readonly Atom[]): void {
    this.#processes.adopt(new Set([...this.#local.values()].map(({ name }) => name)));
    const joinedAt = new Map<number, number>();
    for (const atom of past) if (atom.verb === 'join' && 'node' in atom) joinedAt.set(atom.node, atom.at);
    for (const endpoint of this.#local.values()) {
      const at = joinedAt.get(endpoint.number) ?? 0;
      if (!isPresent(endpoint.number)) this.#processes.signal(endpoint.name, 'SIGKILL');
      else if (this.#startedAt(endpoint) < at) {
        this.#processes.signal(endpoint.name, 'SIGKILL');
        this.#run(endpoint, at);
      }
    }
  }

  /** Does what an event says about a process; other events, and those of other hosts, are nothing to it. */
  obey(atom: Atom): void {
    const endpoint = 'node' in atom ? this.#local.get(atom.node) : undefined;
    if (!endpoint) return;
    const { action } = atom.event;
    if (atom.verb === 'join') this.#run(endpoint, atom.at);
    else if (atom.verb === 'crash') this.#processes.signal(endpoint.name, 'SIGKILL');
    else if (atom.verb === 'leave') void this.#processes.end(endpoint.name);
    else if (atom.verb === 'run' && action.verb === 'run')
      this.#processes.start({ endpoint, command: action.command });
    else if (atom.verb === 'signal' && action.verb === 'signal')
      this.#processes.signal(endpoint.name, `SIG${action.signal}`);
  }

  status(): Record<string, string> {
    return this.#processes.status();
  }

  stop(): Promise<void> {
    return this.#processes.stop();
  }

  #run(endpoint: LocalEndpoint, at: number): void {
    const service = endpoint.name.slice(0, endpoint.name.lastIndexOf('.'));
    const command = this.#commands.get(service);
    if (command === undefined) return;
    this.#processes.start({ endpoint, command });
    writeFileSync(this.#startedFile(endpoint), String(at));
  }

  /** When its command was started last, in microseconds of the timeline; before all time if it never was. */
  #startedAt(endpoint: LocalEndpoint): number {
    try {
      return Number(readFileSync(this.#startedFile(endpoint), 'utf8'));
    } catch {
      return Number.NEGATIVE_INFINITY;
    }
  }

  #startedFile({ name }: LocalEndpoint): string {
    return join(this.#logFolder, `${name}.started`);
  }
}
