/**
 * What a command touches of the state of the network, in keys: the presence of a node, its connection, the presence of a
 * link, a property of a link, the partitions. It follows from the command and the topology alone, never from the state.
 */

import { CHANGEABLE } from '../../topology/events/changes.ts';
import {
  ENDPOINT_ONLY,
  FLAP_SCOPE,
  LIFECYCLE_SCOPE,
  type Scope,
  SET_SCOPE,
} from '../../topology/events/scopes.ts';
import { type Selection, TargetError, Targets, WorkAccount } from '../../topology/events/targets.ts';
import type {
  EventAction,
  FlapAction,
  LifecycleAction,
  SetAction,
  Target,
  TopologyEvent,
} from '../../topology/model/events.ts';
import { refuseOtherSide } from '../../topology/timeline/actions.ts';
import type { Beginning } from '../../topology/timeline/beginning.ts';
import { countSteps } from '../../topology/timeline/steps.ts';
import { withTraces } from '../../topology/timeline/traces.ts';

export interface Footprint {
  /**
   * `over`: it leaves nothing behind at its end. `lasts`: nothing ever makes up for it. `set`: it is made up for when all
   * of `writes` has been set again.
   */
  readonly kind: 'over' | 'lasts' | 'set';
  /** The instant of its last change, and that from which on `covers` does not depend on what was before. */
  readonly end: number;
  readonly coversAt: number;
  readonly writes: readonly number[];
  /** Of `writes`, what has a value then that no earlier command has a part in. */
  readonly covers: readonly number[];
  /** Its changes depend on these, from its instant to its end: whom it takes, whom it brings back. */
  readonly reads: readonly number[];
  /** At most: changes, and targets that it names, in all its steps (`MAX_ATOMS`, `MAX_COMMAND_WORK`). */
  readonly atoms: number;
  readonly work: number;
}

/** Whether its footprint may have `reads`. */
export const mayDepend = ({ verb }: EventAction): boolean =>
  verb === 'churn' || verb === 'scatter' || Object.hasOwn(LIFECYCLE_SCOPE, verb);

const PARTITIONS = -1;
const NAMES: readonly string[] = [...new Set([...CHANGEABLE.values()].map(({ name }) => name))];

export class Footprints {
  readonly #targets: Targets;
  readonly #endpoints: number;
  /** The first keys of links, and of their properties. Before them: two keys of each node. */
  readonly #links: number;
  readonly #properties: number;

  constructor({ topology, expansion }: Beginning) {
    this.#targets = new Targets(topology, expansion);
    this.#targets.account = new WorkAccount(Number.POSITIVE_INFINITY);
    const { endpoints, nodes, links } = expansion.graph;
    this.#endpoints = endpoints.length;
    this.#links = 2 * nodes.length;
    this.#properties = this.#links + links.length;
  }

  of(event: TopologyEvent): Footprint {
    try {
      return this.#of(event);
    } catch (error) {
      // Its targets are wrong at any time: it changes nothing.
      if (error instanceof TargetError) return footprint(event, {});
      throw error;
    }
  }

  #of(event: TopologyEvent): Footprint {
    const { action, until } = event;
    switch (action.verb) {
      case 'quit':
      case 'reset':
      case 'start':
      case 'stop':
      // What follows from them is not of the command itself.
      case 'notify':
      case 'ended':
      case 'rekey':
        return footprint(event, { kind: 'lasts' });
      case 'heal':
        return footprint(event, { ...assigning([PARTITIONS]), named: 1 });
      case 'partition': {
        const named = action.groups.length * this.#endpoints;
        if (until !== undefined) return footprint(event, { named });
        return footprint(event, { kind: 'set', writes: [PARTITIONS], named });
      }
      case 'run':
      case 'signal':
        return footprint(event, {
          named: this.#select(action.targets, action.verb, ENDPOINT_ONLY).endpoints.length,
        });
      case 'set':
        return this.#set(event, action);
      case 'flap':
        return this.#flap(event, action);
      case 'churn':
      case 'scatter': {
        const { endpoints } = this.#select(action.targets, action.verb, ENDPOINT_ONLY);
        return footprint(event, { ...depending(this.#ofNodes(endpoints)), named: 2 * endpoints.length });
      }
      default:
        return this.#lifecycle(event, action);
    }
  }

  #select(targets: readonly Target[], verb: string, scope: Scope): Selection {
    return this.#targets.select(targets, verb, scope);
  }

  #set(event: TopologyEvent, action: SetAction): Footprint {
    const { links } = this.#select(action.targets, 'set', SET_SCOPE);
    refuseOtherSide(action, links);
    withTraces(action, this.#targets.traces);
    if (event.until !== undefined) return footprint(event, { named: links.length });
    const writes = new Set<number>();
    const covers = new Set<number>();
    for (const { link, side } of links) {
      for (const { property, to } of action.changes) {
        const changed = CHANGEABLE.get(property)!;
        if (changed.direction !== undefined && changed.direction !== side) continue;
        const keyOf = (name: string): number => this.#properties + link * NAMES.length + NAMES.indexOf(name);
        for (const name of [...changed.covers, ...changed.touches]) writes.add(keyOf(name));
        if (to.kind === 'value') for (const name of changed.covers) covers.add(keyOf(name));
      }
    }
    return footprint(event, { kind: 'set', writes: [...writes], covers: [...covers], named: links.length });
  }

  /** Each of its steps sets what it names, and the last of them that it is there. */
  #flap(event: TopologyEvent, { targets, period }: FlapAction): Footprint {
    const { endpoints, bridges, links } = this.#select(targets, 'flap', FLAP_SCOPE);
    const { at, until = at } = event;
    const count = Math.ceil((until - at) / period);
    const coversAt = count % 2 === 0 ? at + Math.max(0, count - 1) * period : until;
    const writes = [
      ...endpoints.map((node) => connectionOf(node)),
      ...bridges.map((node) => presenceOf(node)),
      ...links.map(({ link }) => this.#links + link),
    ];
    return footprint(event, { ...assigning(writes), coversAt, named: writes.length });
  }

  #lifecycle(event: TopologyEvent, action: LifecycleAction): Footprint {
    const { verb, targets, amount, share, portion } = action;
    const { endpoints, bridges, links } = this.#select(targets, verb, LIFECYCLE_SCOPE[verb]);
    const others = [
      ...bridges.map((node) => presenceOf(node)),
      ...links.map(({ link }) => this.#links + link),
    ];
    const named = endpoints.length + others.length;
    // Whom it takes, and whom it brings back at its end, depends on who is there.
    if (event.until !== undefined || (amount ?? share ?? portion) !== undefined)
      return footprint(event, { ...depending([...this.#ofNodes(endpoints), ...others]), named: 2 * named });
    // Who is there already stays cut off, if he is: a join sets nothing of its own.
    if (verb === 'join') {
      const writes = [...endpoints.map((node) => presenceOf(node)), ...others];
      return footprint(event, { kind: 'set', writes, covers: others, named });
    }
    const isAway = verb === 'leave' || verb === 'crash';
    const ofEndpoints = isAway ? this.#ofNodes(endpoints) : endpoints.map((node) => connectionOf(node));
    return footprint(event, { ...assigning([...ofEndpoints, ...others]), named });
  }

  #ofNodes(nodes: readonly number[]): number[] {
    return nodes.flatMap((node) => [presenceOf(node), connectionOf(node)]);
  }
}

const presenceOf = (node: number): number => 2 * node;
/** Whoever is absent is not cut off: what ends a node's presence sets this as well. */
const connectionOf = (node: number): number => 2 * node + 1;

type Part = Partial<Pick<Footprint, 'kind' | 'coversAt' | 'writes' | 'covers' | 'reads'>>;

const assigning = (keys: readonly number[]): Part => ({ kind: 'set', writes: keys, covers: keys });
const depending = (keys: readonly number[]): Part => ({ kind: 'set', writes: keys, reads: keys });

/** `named`: how many things each of its steps names or changes at most. */
function footprint(
  event: TopologyEvent,
  { kind = 'over', coversAt, writes = [], covers = [], reads = [], named = 0 }: Part & { named?: number },
): Footprint {
  const { at, until = at, action } = event;
  const work = countSteps(event) * named;
  const isOne = action.verb === 'set' || action.verb === 'partition' || action.verb === 'heal';
  return { kind, end: until, coversAt: coversAt ?? at, writes, covers, reads, work, atoms: isOne ? 2 : work };
}
