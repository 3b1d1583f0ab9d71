/**
 * What an author's commands may do (docs/security.md has the table). The answer depends on the command, the topology and the
 * assignment at the start alone, not on who has or had an endpoint when: every host gets the same, whenever it asks.
 */
import type { Author, Command } from '../../proto/command.ts';
import {
  ENDPOINT_ONLY,
  FLAP_SCOPE,
  LIFECYCLE_SCOPE,
  type Scope,
  SET_SCOPE,
} from '../../topology/events/scopes.ts';
import {
  MAX_COMMAND_WORK,
  TargetError,
  Targets,
  TooMuchWork,
  textOf,
  WorkAccount,
} from '../../topology/events/targets.ts';
import type { EventAction, Target } from '../../topology/model/events.ts';
import type { Beginning } from '../../topology/timeline/beginning.ts';
import { readCommand } from './known-command.ts';

/** Of an endpoint's name: the only host that may have it. */
export type Assignment = Readonly<Record<string, string>>;

export class Rights {
  readonly #beginning: Beginning;
  readonly #hostOf: ReadonlyMap<string, string>;
  /** Most experiments need none of these. */
  #targets: Targets | undefined;
  #endsOfLinks: readonly (readonly (readonly [number, number])[])[] | undefined;

  constructor(beginning: Beginning, assignment: Assignment = {}) {
    this.#beginning = beginning;
    this.#hostOf = new Map(Object.entries(assignment));
  }

  /** What the author lacks to give the command, in words; `undefined`: nothing. */
  lacking(command: Command, author: Author): string | undefined {
    const action = readCommand(command).event?.action;
    if (author.kind === 'user') {
      // What can't be read changes nothing, and is shown to its author as failed.
      const needed = action?.verb === 'run' ? 'run' : 'network';
      return author.rights.includes(needed) ? undefined : `it needs the right "${needed}"`;
    }
    if (!action) return 'it can not be read';
    return this.#beyondOwn(action, author.host);
  }

  /** What of an action is not about the host's own endpoints and their links. */
  #beyondOwn(action: EventAction, host: string): string | undefined {
    switch (action.verb) {
      case 'set':
        return this.#foreign(action.targets, action.verb, SET_SCOPE, host);
      case 'flap':
        return this.#foreign(action.targets, action.verb, FLAP_SCOPE, host);
      case 'churn':
        return this.#foreign(action.targets, action.verb, ENDPOINT_ONLY, host);
      case 'join':
      case 'leave':
      case 'crash':
      case 'disconnect':
      case 'reconnect':
        return this.#foreign(action.targets, action.verb, LIFECYCLE_SCOPE[action.verb], host);
      default:
        return `${action.verb} is for users' keys`;
    }
  }

  /** All that is named has to be its own, whatever number or percentage of it is meant. */
  #foreign(targets: readonly Target[], verb: string, scope: Scope, host: string): string | undefined {
    this.#targets ??= new Targets(this.#beginning.topology, this.#beginning.expansion);
    this.#targets.account = new WorkAccount(MAX_COMMAND_WORK);
    for (const target of targets) {
      try {
        if (!this.#isOwn(this.#targets, target, verb, scope, host))
          return `${textOf(target)} is not, or not only, of endpoints that are assigned to it`;
      } catch (error) {
        if (error instanceof TargetError) return error.message;
        if (error instanceof TooMuchWork) return 'it names too many things';
        throw error;
      }
    }
    return undefined;
  }

  #isOwn(all: Targets, target: Target, verb: string, scope: Scope, host: string): boolean {
    const { endpoints, bridges, links } = all.select([target], verb, scope);
    // A bridge leads the paths of others.
    if (bridges.length > 0) return false;
    return (
      endpoints.every((endpoint) => this.#has(host, endpoint)) &&
      links.every(({ link }) => this.#ends(link).every((ends) => ends.some((end) => this.#has(host, end))))
    );
  }

  #has(host: string, node: number): boolean {
    const name = this.#beginning.expansion.graph.endpoints[node];
    return name !== undefined && this.#hostOf.get(name) === host;
  }

  /** Of a link that replicas share, there are several. */
  #ends(link: number): readonly (readonly [number, number])[] {
    this.#endsOfLinks ??= this.#findEnds();
    return this.#endsOfLinks[link]!;
  }

  #findEnds() {
    const { links, edges } = this.#beginning.expansion.graph;
    const found = links.map((): (readonly [number, number])[] => []);
    for (const { from, to, link } of edges) found[link]!.push([from, to]);
    return found;
  }
}
