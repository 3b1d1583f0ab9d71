/**
 * Events of one instant that contradict each other about one target: their order in the file would decide, which is
 * hardly intended. Only what is written for that instant counts, not the end of a window or a turn of flap or churn.
 *
 * No contradictions: a crash and then a join (a restart), a heal and then a partition (into other groups), and a
 * setting for some of the links that an earlier line has set (`set *`, then one link).
 */
import { formatMicros } from '../../proto/units.ts';
import { TargetError } from '../events/targets.ts';
import type { LifecycleVerb, SetAction, TopologyEvent } from '../model/events.ts';
import type { Graph } from '../model/model.ts';
import type { Atom } from './state.ts';

/** The name of the other event in a message. */
export type Describe = (event: TopologyEvent) => string;

/** Which earlier verbs at the same instant each verb contradicts. */
const OPPOSITES: Readonly<Record<LifecycleVerb, readonly LifecycleVerb[]>> = {
  join: ['leave'],
  leave: ['join'],
  crash: ['join'],
  disconnect: ['reconnect'],
  reconnect: ['disconnect'],
};

interface Written {
  readonly event: TopologyEvent;
  readonly value: number | string | undefined;
  /** All links that the event sets to this value. */
  readonly links: ReadonlySet<number>;
}

type SetAtom = Extract<Atom, { verb: 'set' | 'unset' }>;

/** Processes the atoms of a timeline in their order, and reports those that contradict an earlier one. */
export class Contradictions {
  readonly #graph: Graph;
  readonly #describe: Describe;
  readonly #report: (event: TopologyEvent, other: TopologyEvent, error: TargetError) => void;
  #at = -1;
  /** Since the start of the instant: by node, by link, and by property of a link. */
  readonly #changes = new Map<string, { readonly verb: string; readonly event: TopologyEvent }>();
  readonly #values = new Map<string, Written>();
  #partition: TopologyEvent | undefined;

  constructor(
    graph: Graph,
    describe: Describe,
    report: (event: TopologyEvent, other: TopologyEvent, error: TargetError) => void,
  ) {
    this.#graph = graph;
    this.#describe = describe;
    this.#report = report;
  }

  add(atom: Atom): void {
    // At the end of a window, and where a replica is churned, an atom has another verb than its event.
    if (atom.verb !== atom.event.action.verb) return;
    if (atom.at !== this.#at) this.#begin(atom.at);
    if (atom.verb === 'set') this.#set(atom, atom.event.action as SetAction);
    else if (atom.verb === 'partition') this.#partition = atom.event;
    else if (atom.verb === 'heal') this.#heal(atom.event);
    else if (atom.verb in OPPOSITES && ('node' in atom || 'link' in atom)) this.#move(atom);
  }

  #begin(at: number): void {
    this.#at = at;
    this.#changes.clear();
    this.#values.clear();
    this.#partition = undefined;
  }

  #move(atom: Extract<Atom, { readonly node: number } | { readonly link: number }>): void {
    const key = 'node' in atom ? `node ${atom.node}` : `link ${atom.link}`;
    const before = this.#changes.get(key);
    this.#changes.set(key, atom);
    if (!before || before.event === atom.event) return;
    if (!OPPOSITES[atom.verb as LifecycleVerb].some((verb) => verb === before.verb)) return;
    const name = 'node' in atom ? this.#graph.nodes[atom.node] : this.#graph.links[atom.link]!.name;
    this.#complain(atom.event, before.event, `${atom.verb} of ${name} contradicts the ${before.verb} in`);
  }

  #heal(event: TopologyEvent): void {
    if (this.#partition) this.#complain(event, this.#partition, 'heal contradicts the partition in');
  }

  #set(atom: SetAtom, { changes }: SetAction): void {
    for (const { property, to } of changes) {
      if (to.kind !== 'value') continue;
      const isOfOneSide = property === 'up' || property === 'down';
      const meant = isOfOneSide ? atom.links.filter(({ side }) => side === property) : atom.links;
      const links = new Set(meant.map(({ link }) => link));
      const subject = isOfOneSide ? 'bandwidth' : property;
      const written = { event: atom.event, value: to.value, links };
      const other = this.#write(subject, written);
      if (other) this.#complain(atom.event, other.event, `${other.name} gets another ${subject} than from`);
    }
  }

  /**
   * Returns the first link that already has another value, unless the present event sets only some of the links of
   * the earlier one.
   */
  #write(property: string, written: Written): { event: TopologyEvent; name: string } | undefined {
    let found: { event: TopologyEvent; name: string } | undefined;
    const judged = new Set<Written>();
    for (const link of written.links) {
      const key = `${property} ${link}`;
      const before = this.#values.get(key);
      this.#values.set(key, written);
      if (found || !before || before.value === written.value || before.event === written.event) continue;
      if (judged.has(before)) continue;
      judged.add(before);
      if (!isPartOf(written.links, before.links)) {
        found = { event: before.event, name: this.#graph.links[link]!.name };
      }
    }
    return found;
  }

  #complain(event: TopologyEvent, other: TopologyEvent, what: string): void {
    const message = `${what} ${this.#describe(other)} at the same instant, ${formatMicros(this.#at)}`;
    const remedy = 'keep one of the two, or give them different times';
    this.#report(event, other, new TargetError(placeOf(event), message, remedy, 'EVENT_CONTRADICTION'));
  }
}

function placeOf({ action, position }: TopologyEvent): TopologyEvent['position'] {
  return ('targets' in action ? action.targets[0]?.position : undefined) ?? position;
}

function isPartOf(some: ReadonlySet<number>, many: ReadonlySet<number>): boolean {
  return some.size < many.size && [...some].every((one) => many.has(one));
}
