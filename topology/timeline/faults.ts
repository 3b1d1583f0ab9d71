/** What is different now from the file without events: who is absent or cut off, what is set, and by which event. */
import type { Micros } from '../../proto/units.ts';
import type { TopologyEvent } from '../model/events.ts';
import type { Graph } from '../model/model.ts';
import type { ActivePartition, Atom, NetworkState } from './state.ts';

/** So many names are kept of what one event hits; the number of all is kept as well. */
export const MAX_NAMES = 20;

/** What an event has hit so far: endpoints, bridges, links. */
export interface Hit {
  readonly names: readonly string[];
  readonly count: number;
}

export interface Fault {
  readonly event: TopologyEvent;
  /** `running`: a flap or churn that goes on, also while it has nothing down. */
  readonly what: 'away' | 'setting' | 'partition' | 'running';
  /** For a partition: a text for each group. */
  readonly names: readonly string[];
  readonly count: number;
  readonly since: Micros;
}

/** Keeps, for each event, whom it has hit, and for everything that is away, which event did that. */
export class Causes {
  readonly #graph: Graph;
  readonly #away = new Map<number, Atom>();
  readonly #hits = new Map<TopologyEvent, { readonly names: Set<string>; readonly all: Set<number> }>();
  readonly #groups = new Map<TopologyEvent, Hit>();

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  add(atom: Atom): void {
    if (!('node' in atom || 'link' in atom) || atom.verb === 'run' || atom.verb === 'signal') return;
    const key = 'node' in atom ? atom.node : -1 - atom.link;
    const isBack = atom.verb === 'join' || atom.verb === 'reconnect';
    if (isBack) this.#away.delete(key);
    else this.#away.set(key, atom);
    const hit = this.#hits.get(atom.event) ?? { names: new Set(), all: new Set() };
    this.#hits.set(atom.event, hit);
    hit.all.add(key);
    if (hit.names.size < MAX_NAMES) hit.names.add(this.#nameOf(atom));
  }

  /** A partition has just been made. */
  addPartition(partition: ActivePartition): void {
    const names = groupTexts(partition, this.#graph);
    this.#groups.set(partition.event, { names, count: names.length });
  }

  /** `undefined`: nothing yet. For a partition: a text for each group. */
  hit(event: TopologyEvent): Hit | undefined {
    const groups = this.#groups.get(event);
    if (groups) return groups;
    const hit = this.#hits.get(event);
    return hit && { names: [...hit.names], count: hit.all.size };
  }

  /** What is away, by the event that did it, in the order in which that happened. */
  away(): Fault[] {
    const found = new Map<TopologyEvent, { names: string[]; count: number; since: Micros }>();
    for (const atom of this.#away.values()) {
      const known = found.get(atom.event) ?? { names: [], count: 0, since: atom.at };
      found.set(atom.event, known);
      known.count++;
      if (known.names.length < MAX_NAMES) known.names.push(this.#nameOf(atom));
    }
    return [...found].map(([event, fault]) => ({ event, what: 'away', ...fault }));
  }

  #nameOf(atom: Atom): string {
    if ('node' in atom) return this.#graph.nodes[atom.node]!;
    return 'link' in atom ? this.#graph.links[atom.link]!.name : '';
  }
}

/** All faults in force. `running`: events that have begun and are not over. */
export function faultsOf(state: NetworkState, causes: Causes, running: readonly TopologyEvent[]): Fault[] {
  const { graph } = state.expansion;
  const away = causes.away();
  const known = new Set(away.map(({ event }) => event));
  const settings = [...state.settings].map(({ event, links }): Fault => {
    const names = links.slice(0, MAX_NAMES).map(({ link }) => graph.links[link]!.name);
    return { event, what: 'setting', names, count: links.length, since: event.at };
  });
  const partitions = [...state.partitions].map((partition): Fault => {
    const names = groupTexts(partition, graph);
    return {
      event: partition.event,
      what: 'partition',
      names,
      count: names.length,
      since: partition.event.at,
    };
  });
  const others = running
    .filter((event) => 'period' in event.action && !known.has(event))
    .map((event): Fault => {
      const { names, count } = causes.hit(event) ?? { names: [], count: 0 };
      return { event, what: 'running', names, count, since: event.at };
    });
  return [...away, ...settings, ...partitions, ...others].sort((a, b) => a.since - b.since);
}

/** The endpoints of each group of a partition, as they are: `*` and bridges are resolved. */
export function groupTexts({ groupOf }: Pick<ActivePartition, 'groupOf'>, graph: Graph): string[] {
  const groups = new Map<number, string[]>();
  groupOf.forEach((group, endpoint) => {
    if (group < 0) return;
    const known = groups.get(group);
    if (known) known.push(graph.endpoints[endpoint]!);
    else groups.set(group, [graph.endpoints[endpoint]!]);
  });
  return [...groups]
    .sort(([a], [b]) => a - b)
    .map(([, names]) => {
      const shown = names.slice(0, MAX_NAMES).join(' ');
      return names.length > MAX_NAMES ? `${shown} and ${names.length - MAX_NAMES} more` : shown;
    });
}
