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
import { endpointName, type NodeReference } from '../../topology/model/names.ts';
import type { Beginning } from '../../topology/timeline/beginning.ts';
import { readCommand } from './known-command.ts';

/**
 * Instants of a command, times what it names: agents together can't use up `MAX_ATOMS` with `MAX_COMMANDS` commands, so users'
 * always have room.
 */
const MAX_AGENT_CHANGES = 100;

/** Of an endpoint's name: the only host that may have it. */
export type Assignment = Readonly<Record<string, string>>;

interface Asked {
  readonly verb: string;
  readonly scope: Scope;
  readonly host: string;
  /** Of the timeline. */
  readonly steps: number;
}

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
    const { event, steps } = readCommand(command);
    const action = event?.action;
    if (author.kind === 'user') {
      // What can't be read changes nothing, and is shown to its author as failed.
      if (action?.verb === 'ended') return 'only agents tell how programs end';
      const needed = action?.verb === 'run' ? 'run' : 'network';
      return author.rights.includes(needed) ? undefined : `it needs the right "${needed}"`;
    }
    if (!action) return 'it can not be read';
    return this.#beyondOwn(action, author.host, steps);
  }

  /** What of an action is not about the host's own endpoints and their links. */
  #beyondOwn(action: EventAction, host: string, steps: number): string | undefined {
    const verb = action.verb;
    switch (verb) {
      case 'set':
        return this.#foreign(action.targets, { verb, host, steps, scope: SET_SCOPE });
      case 'flap':
        return this.#foreign(action.targets, { verb, host, steps, scope: FLAP_SCOPE });
      case 'churn':
        return this.#foreign(action.targets, { verb, host, steps, scope: ENDPOINT_ONLY });
      case 'join':
      case 'leave':
      case 'crash':
      case 'disconnect':
      case 'reconnect':
        return this.#foreign(action.targets, { verb, host, steps, scope: LIFECYCLE_SCOPE[verb] });
      case 'ended':
        return this.#sayingOf(action.endpoint, host, this.#beginning.sequences.has(action));
      case 'notify':
        return this.#sayingOf(action.from, host, this.#beginning.sequences.isAwaited(action.name));
      default:
        return `${verb} is for users' keys`;
    }
  }

  /** Of each endpoint it may tell so much as sequences wait for. */
  #sayingOf(endpoint: NodeReference | undefined, host: string, isAwaited: boolean): string | undefined {
    if (endpoint === undefined) return "what no endpoint says is for users' keys";
    const { name, replica = 0 } = endpoint;
    if (this.#hostOf.get(endpointName(name, replica)) !== host) return 'the endpoint is not assigned to it';
    return isAwaited ? undefined : 'no sequence waits for it';
  }

  /** All that is named has to be its own, whatever number or percentage of it is meant. */
  #foreign(targets: readonly Target[], asked: Asked): string | undefined {
    this.#targets ??= new Targets(this.#beginning.topology, this.#beginning.expansion);
    this.#targets.account = new WorkAccount(MAX_COMMAND_WORK);
    let changes = 0;
    for (const target of targets) {
      try {
        const named = this.#namedIfOwn(this.#targets, target, asked);
        if (named === undefined)
          return `${textOf(target)} is not, or not only, of endpoints that are assigned to it`;
        changes += named * asked.steps;
      } catch (error) {
        if (error instanceof TargetError) return error.message;
        if (error instanceof TooMuchWork) return 'it names too many things';
        throw error;
      }
      if (changes > MAX_AGENT_CHANGES) return `it comes to more than ${MAX_AGENT_CHANGES} changes`;
    }
    return undefined;
  }

  /** How many endpoints and links a target names; `undefined`: they are not all its own. */
  #namedIfOwn(all: Targets, target: Target, { verb, scope, host }: Asked): number | undefined {
    const { endpoints, bridges, links } = all.select([target], verb, scope);
    // A bridge leads the paths of others.
    if (bridges.length > 0 || !endpoints.every((endpoint) => this.#has(host, endpoint))) return undefined;
    const isOwn = links.every(({ link }) =>
      this.#ends(link).every((ends) => ends.some((end) => this.#has(host, end))),
    );
    return isOwn ? endpoints.length + links.length : undefined;
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
