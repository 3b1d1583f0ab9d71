/**
 * The applications of local endpoints, as events would have it: a service's command runs while its endpoint takes part,
 * a crash kills it at once, who leaves is asked to end first.
 */
import type { Topology } from '../../topology/model.ts';
import type { Atom } from '../../topology/state.ts';
import type { LocalEndpoint } from './model.ts';
import { Processes } from './processes.ts';

export interface ApplicationsOptions {
  readonly topology: Topology;
  readonly local: readonly LocalEndpoint[];
  readonly logFolder: string;
}

export class Applications {
  readonly #processes: Processes;
  readonly #local: ReadonlyMap<number, LocalEndpoint>;
  readonly #commands: ReadonlyMap<string, string | undefined>;

  constructor({ topology, local, logFolder }: ApplicationsOptions) {
    this.#processes = new Processes(logFolder);
    this.#local = new Map(local.map((endpoint) => [endpoint.number, endpoint]));
    this.#commands = new Map(topology.services.map(({ name, run }) => [name, run]));
  }

  /** Starts the commands of those who take part from the beginning. */
  start(isPresent: (endpoint: number) => boolean): void {
    for (const endpoint of this.#local.values()) if (isPresent(endpoint.number)) this.#run(endpoint);
  }

  /** Does what an event says about a process; other events, and those of other hosts, are nothing to it. */
  obey(atom: Atom): void {
    const endpoint = 'node' in atom ? this.#local.get(atom.node) : undefined;
    if (!endpoint) return;
    const { action } = atom.event;
    if (atom.verb === 'join') this.#run(endpoint);
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

  #run(endpoint: LocalEndpoint): void {
    const service = endpoint.name.slice(0, endpoint.name.lastIndexOf('.'));
    const command = this.#commands.get(service);
    if (command !== undefined) this.#processes.start({ endpoint, command });
  }
}
