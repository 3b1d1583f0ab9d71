/**
 * Windows of `leave`, `disconnect` and `flap` that overlap about one target: the first that ends brings the target back,
 * though the other says that it is away. Valid, since the order of events decides, but hardly intended.
 */
import { formatMicros, type Micros } from '../../proto/units.ts';
import { FLAP_SCOPE, LIFECYCLE_SCOPE } from '../events/scopes.ts';
import { TargetError, type Targets } from '../events/targets.ts';
import type { Findings } from '../model/diagnostics.ts';
import type { TopologyEvent } from '../model/events.ts';
import type { Graph } from '../model/model.ts';
import type { Describe } from './contradictions.ts';
import type { Atom } from './state.ts';

/** A file whose windows name more than this, or change so often, is searched in part: a warning must not cost seconds. */
const MAX_WORK = 2_000_000;

interface Window {
  readonly event: TopologyEvent;
  readonly until: Micros;
  readonly verb: 'leave' | 'disconnect' | 'flap';
}

interface Early {
  readonly window: Window;
  readonly at: Micros;
  readonly name: string;
  /** How many other targets and instants there are. */
  others: number;
}

type Moved = Extract<Atom, { readonly node: number } | { readonly link: number }>;

export class Overlaps {
  readonly #graph: Graph;
  readonly #windows: ReadonlyMap<string, readonly Window[]>;
  readonly #found = new Map<TopologyEvent, Early>();
  #work = 0;

  constructor(events: readonly TopologyEvent[], targets: Targets, graph: Graph) {
    this.#graph = graph;
    this.#windows = indexWindows(events, targets);
  }

  /** All atoms of the timeline, in their order. */
  add(atom: Atom): void {
    if (this.#windows.size === 0 || this.#work > MAX_WORK || atom.event.until === undefined) return;
    const isReturn = atom.verb === 'join' || atom.verb === 'reconnect';
    if (!isReturn || !('node' in atom || 'link' in atom)) return;
    for (const window of this.#windows.get(keyOf(atom)) ?? []) {
      this.#work++;
      if (window.event !== atom.event && isHeld(window, atom)) this.#note(atom, window);
    }
  }

  #note(atom: Moved, window: Window): void {
    const known = this.#found.get(atom.event);
    if (known) {
      known.others++;
      return;
    }
    const name = 'node' in atom ? this.#graph.nodes[atom.node]! : this.#graph.links[atom.link]!.name;
    this.#found.set(atom.event, { window, at: atom.at, name, others: 0 });
  }

  /** One warning for each event that ends another one's outage. */
  report(findings: Findings, field: (event: TopologyEvent) => string, describe: Describe): void {
    for (const [event, { window, at, name, others }] of this.#found) {
      const { verb, until } = window;
      const more = others === 0 ? '' : `, and ${others} more`;
      const what = `this brings ${name} back at ${formatMicros(at)}, while the ${verb} in ${describe(window.event)} goes on until ${formatMicros(until)}${more}`;
      const remedy = 'let the two not overlap, or write one window that covers both';
      findings.warning('EVENT_OVERLAP', event.position, field(event), what, remedy);
    }
  }
}

const keyOf = (atom: Moved): string => ('node' in atom ? `node ${atom.node}` : `link ${atom.link}`);

function indexWindows(events: readonly TopologyEvent[], targets: Targets): Map<string, Window[]> {
  const found = new Map<string, Window[]>();
  let entries = 0;
  for (const event of events) {
    const window = windowOf(event);
    if (!window) continue;
    for (const key of keysOf(event, targets)) {
      if (++entries > MAX_WORK) return found;
      const known = found.get(key);
      if (known) known.push(window);
      else found.set(key, [window]);
    }
  }
  return found;
}

function windowOf(event: TopologyEvent): Window | undefined {
  const { action, until } = event;
  const { verb } = action;
  if (until === undefined || (verb !== 'leave' && verb !== 'disconnect' && verb !== 'flap')) return undefined;
  // Which endpoints a number or a percentage means is known only when it is played.
  const isOfSome = 'amount' in action || 'portion' in action || 'share' in action;
  return isOfSome ? undefined : { event, until, verb };
}

function keysOf({ action }: TopologyEvent, targets: Targets): string[] {
  if (action.verb !== 'flap' && action.verb !== 'leave' && action.verb !== 'disconnect') return [];
  const scope = action.verb === 'flap' ? FLAP_SCOPE : LIFECYCLE_SCOPE[action.verb];
  try {
    const { endpoints, bridges, links } = targets.select(action.targets, action.verb, scope);
    return [
      ...[...endpoints, ...bridges].map((node) => `node ${node}`),
      ...links.map(({ link }) => `link ${link}`),
    ];
  } catch (error) {
    // Reported when the event is played.
    if (error instanceof TargetError) return [];
    throw error;
  }
}

/** Whether the window says that its target is away at the instant of the atom, which ends that. */
function isHeld({ event, until, verb }: Window, { at, verb: back }: Moved): boolean {
  // At one instant, ends come before starts.
  if (at <= event.at || at >= until) return false;
  // Who is connected again may still be absent.
  if (verb === 'leave') return back === 'join';
  if (verb === 'disconnect' || event.action.verb !== 'flap') return true;
  return Math.floor((at - event.at) / event.action.period) % 2 === 0;
}
