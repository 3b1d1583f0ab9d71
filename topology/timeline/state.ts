/**
 * What events change: which endpoints are present, which are cut off, which links and bridges have left, which
 * settings are in force.
 */
import type { Micros } from '../../proto/units.ts';
import type { SelectedLink } from '../events/targets.ts';
import type { Expansion } from '../fold/graph.ts';
import type { LifecycleVerb, SetAction, TopologyEvent } from '../model/events.ts';

/** One change of one thing at one instant; `node` and `links` are numbers of the graph. */
export type Atom = { readonly at: Micros; readonly event: TopologyEvent } & (
  | { readonly verb: LifecycleVerb; readonly node: number }
  | { readonly verb: 'join' | 'leave'; readonly link: number }
  | { readonly verb: 'set' | 'unset'; readonly links: readonly SelectedLink[] }
  | { readonly verb: 'partition' | 'heal' }
  | { readonly verb: 'run' | 'signal'; readonly node: number }
  | { readonly verb: 'quit' | 'start' | 'stop' }
);

export interface ActiveSetting {
  readonly event: TopologyEvent;
  readonly action: SetAction;
  readonly links: readonly SelectedLink[];
}

export interface ActivePartition {
  readonly event: TopologyEvent;
  /** Per endpoint its group, -1 for none. */
  readonly groupOf: readonly number[];
}

/** An atom before its time and event are known. */
export type AtomChange = Atom extends infer One
  ? One extends Atom
    ? Omit<One, 'at' | 'event'>
    : never
  : never;

/** These affect processes and netfold's own traffic; the graph stays unchanged. */
const OF_PROCESSES: ReadonlySet<Atom['verb']> = new Set([
  ...(['run', 'signal', 'quit', 'start', 'stop'] as const),
]);

/** Whether an atom starts an epoch. All atoms of one instant start one. */
export function changesTopology({ verb }: Pick<Atom, 'verb'>): boolean {
  return !OF_PROCESSES.has(verb);
}

/** What is present before any event. */
export type Presence = Pick<NetworkState, 'present' | 'goneBridges' | 'goneLinks'>;

export class NetworkState {
  readonly expansion: Expansion;
  /** Per endpoint. */
  readonly present: Uint8Array;
  readonly disconnected: Uint8Array;
  /** Per node (only bridges are used) and per directed link: whether it has left. */
  readonly goneBridges: Uint8Array;
  readonly goneLinks: Uint8Array;
  /** In the order in which they were made; later ones apply on top of earlier ones. */
  readonly settings = new Set<ActiveSetting>();
  readonly partitions = new Set<ActivePartition>();
  readonly #onChange: (change: AtomChange) => void;

  /** All that is present is connected at first. `onChange` is called for each change. */
  constructor(expansion: Expansion, start: Presence, onChange: (change: AtomChange) => void) {
    this.expansion = expansion;
    this.present = start.present.slice();
    this.disconnected = new Uint8Array(this.present.length);
    this.goneBridges = start.goneBridges.slice();
    this.goneLinks = start.goneLinks.slice();
    this.#onChange = onChange;
  }

  /** Whether `verb` would change the endpoint. */
  isAble(verb: LifecycleVerb, endpoint: number): boolean {
    if (verb === 'join') return !this.present[endpoint];
    if (!this.present[endpoint]) return false;
    if (verb === 'disconnect') return !this.disconnected[endpoint];
    return verb !== 'reconnect' || this.disconnected[endpoint] === 1;
  }

  apply(verb: LifecycleVerb, endpoint: number): void {
    if (verb === 'disconnect' || verb === 'reconnect') {
      this.disconnected[endpoint] = verb === 'disconnect' ? 1 : 0;
    } else {
      this.present[endpoint] = verb === 'join' ? 1 : 0;
      this.disconnected[endpoint] = 0;
    }
    this.#onChange({ verb, node: endpoint });
  }

  moveBridge(bridge: number, back: boolean): void {
    this.goneBridges[bridge] = back ? 0 : 1;
    this.#onChange({ verb: back ? 'join' : 'leave', node: bridge });
  }

  moveLink(link: number, back: boolean): void {
    this.goneLinks[link] = back ? 0 : 1;
    this.#onChange({ verb: back ? 'join' : 'leave', link });
  }
}

/** Whether two states of one topology certainly have the same graph, without making it. */
export function isSameState(a: NetworkState, b: NetworkState): boolean {
  return (
    areSame(a.present, b.present) &&
    areSame(a.disconnected, b.disconnected) &&
    areSame(a.goneBridges, b.goneBridges) &&
    areSame(a.goneLinks, b.goneLinks) &&
    areSame(eventsOf(a.settings), eventsOf(b.settings)) &&
    areSame(eventsOf(a.partitions), eventsOf(b.partitions))
  );
}

function eventsOf(active: ReadonlySet<{ readonly event: TopologyEvent }>): TopologyEvent[] {
  return [...active].map(({ event }) => event);
}

function areSame(a: ArrayLike<unknown>, b: ArrayLike<unknown>): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}
