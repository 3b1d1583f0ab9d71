/**
 * The timeline, played: events in order of time become atomic changes of a state (who is present, what is cut, which
 * settings hold). Selections by amount and churn depend on the state, so the order is part of the meaning:
 * at one instant, windows that end come first, then events in the order of the file.
 *
 * By amount, endpoints join lowest number first; leave, crash and disconnect highest number first; reconnect lowest first.
 * What first joins on the timeline is absent before that.
 */
import { type Micros, micros } from '../proto/units.ts';
import type {
  ChurnAction,
  EventAction,
  FlapAction,
  LifecycleAction,
  LifecycleVerb,
  RunAction,
  SetAction,
  SignalAction,
  TopologyEvent,
} from './events/model.ts';
import { type Scope, type SelectedLink, type Selection, TargetError, Targets } from './events/targets.ts';
import { Expansion } from './graph.ts';
import { MAX_ATOMS } from './limits.ts';
import type { Topology } from './model.ts';
import { SeededRandom } from './random.ts';

/** One change of one thing at one instant; `node` and `links` are numbers of the graph. */
export type Atom = { readonly at: Micros; readonly event: TopologyEvent } & (
  | { readonly verb: LifecycleVerb; readonly node: number }
  | { readonly verb: 'join' | 'leave'; readonly link: number }
  | { readonly verb: 'set' | 'unset'; readonly links: readonly SelectedLink[] }
  | { readonly verb: 'partition' | 'heal' }
  | { readonly verb: 'run' | 'signal'; readonly node: number }
  | { readonly verb: 'quit' }
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

interface Step {
  readonly at: Micros;
  readonly phase: 'end' | 'start';
  readonly event: TopologyEvent;
  readonly order: number;
  run(): void;
}

export const LIFECYCLE_SCOPE: Readonly<Record<LifecycleVerb, Scope>> = {
  join: ['endpoint', 'bridge', 'link'],
  leave: ['endpoint', 'bridge', 'link'],
  crash: ['endpoint'],
  disconnect: ['endpoint'],
  reconnect: ['endpoint'],
};
const ENDPOINT_ONLY: Scope = ['endpoint'];
const FLAP_SCOPE: Scope = ['link', 'bridge', 'endpoint'];
const PARTITION_SCOPE: Scope = ['endpoint', 'bridge'];
const SET_SCOPE: Scope = ['link'];

/** More selections than this is a file made to keep us busy. */
const MAX_WORK = 100_000_000;

export class TooManyAtoms extends Error {}

export type OnProblem = (event: TopologyEvent, error: TargetError) => void;

/** The state of everything that events change, and the way to move it forward. */
export class Timeline {
  readonly expansion: Expansion;
  readonly targets: Targets;
  /** Per endpoint. */
  readonly present: Uint8Array;
  readonly disconnected: Uint8Array;
  /** Per node (only bridges are used) and per directed link: whether it has left. */
  readonly goneBridges: Uint8Array;
  readonly goneLinks: Uint8Array;
  settings: ActiveSetting[] = [];
  partitions: ActivePartition[] = [];

  readonly #steps: Step[] = [];
  readonly #atoms: ((atom: Atom) => void) | undefined;
  readonly #onProblem: OnProblem;
  #next = 0;
  #count = 0;
  #work = 0;
  #now: Micros = micros(0);
  #event: TopologyEvent | undefined;

  /** Events that can't be carried out go to `onProblem` and change nothing. Throws `TooManyAtoms`. */
  constructor(topology: Topology, onProblem: OnProblem, onAtom?: (atom: Atom) => void) {
    this.expansion = new Expansion(topology);
    this.targets = new Targets(topology, this.expansion);
    const { graph } = this.expansion;
    this.present = new Uint8Array(graph.endpoints.length).fill(1);
    this.disconnected = new Uint8Array(graph.endpoints.length);
    this.goneBridges = new Uint8Array(graph.nodes.length);
    this.goneLinks = new Uint8Array(graph.links.length);
    this.#onProblem = onProblem;
    this.#atoms = onAtom;
    this.#schedule(topology.events);
    this.#removeLateJoiners();
  }

  /** Plays all that is due until and including `at`. */
  advance(at: Micros): void {
    for (let step = this.#steps[this.#next]; step && step.at <= at; step = this.#steps[++this.#next]) {
      this.#now = step.at;
      this.#event = step.event;
      try {
        step.run();
      } catch (error) {
        if (!(error instanceof TargetError)) throw error;
        this.#onProblem(step.event, error);
      }
    }
  }

  #schedule(events: readonly TopologyEvent[]): void {
    events.forEach((event, order) => {
      for (const step of this.#stepsOf(event)) {
        this.#steps.push({ event, order, ...step });
        if (this.#steps.length > MAX_ATOMS) throw new TooManyAtoms();
      }
    });
    this.#steps.sort((a, b) => a.at - b.at || PHASES[a.phase] - PHASES[b.phase] || a.order - b.order);
  }

  *#stepsOf(event: TopologyEvent): Generator<Omit<Step, 'event' | 'order'>> {
    const { action, at, until } = event;
    let undo: (() => void) | undefined;
    if (action.verb === 'flap') {
      yield* this.#flap(action, at, until ?? at);
    } else if (action.verb === 'churn') {
      const random = new SeededRandom(action.seed);
      for (let tick: number = at; tick < (until ?? at); tick += action.period) {
        yield { at: micros(tick), phase: 'start', run: () => this.#churn(action, random) };
      }
    } else {
      yield {
        at,
        phase: 'start',
        run: () => {
          undo = this.#begin(event, action);
        },
      };
      if (until !== undefined) yield { at: until, phase: 'end', run: () => undo?.() };
    }
  }

  /** Does what an event says and gives what undoes it. */
  #begin(
    event: TopologyEvent,
    action: Exclude<EventAction, FlapAction | ChurnAction>,
  ): (() => void) | undefined {
    switch (action.verb) {
      case 'set':
        return this.#set(event, action);
      case 'partition':
        return this.#partition(
          event,
          action.groups.map((group) => this.targets.select(group, 'partition', PARTITION_SCOPE)),
        );
      case 'heal':
        this.partitions = [];
        this.#emit({ verb: 'heal' });
        return undefined;
      case 'run':
      case 'signal':
        this.#command(action);
        return undefined;
      case 'quit':
        this.#emit({ verb: 'quit' });
        return undefined;
      default:
        return this.#lifecycle(action);
    }
  }

  #lifecycle(action: LifecycleAction): () => void {
    const { verb, targets, amount } = action;
    const { endpoints, bridges, links } = this.targets.select(targets, verb, LIFECYCLE_SCOPE[verb]);
    this.#worked(endpoints.length + bridges.length + links.length);
    if (amount !== undefined && bridges.length + links.length > 0) {
      throw new TargetError(
        targets[0]!.position,
        `an amount is for services, and ${verb} names bridges or links`,
        'leave the number out',
      );
    }
    const able = endpoints.filter((endpoint) => this.#isAble(verb, endpoint));
    const wanted = verb === 'join' ? 1 : 0;
    const changingBridges = bridges.filter((bridge) => this.goneBridges[bridge] === wanted);
    const changingLinks = links.filter(({ link }) => this.goneLinks[link] === wanted);
    if (able.length < (amount ?? 0) || able.length + changingBridges.length + changingLinks.length === 0) {
      throw this.#shortage(action, able.length, endpoints.length > 0);
    }
    if (verb !== 'join' && verb !== 'reconnect') able.reverse();
    const chosen = able.slice(0, amount ?? able.length);
    for (const endpoint of chosen) this.#apply(verb, endpoint);
    for (const bridge of changingBridges) this.#moveBridge(bridge, verb === 'join');
    for (const { link } of changingLinks) this.#moveLink(link, verb === 'join');
    const inverse = verb === 'disconnect' ? 'reconnect' : 'join';
    return () => {
      for (const endpoint of chosen) if (this.#isAble(inverse, endpoint)) this.#apply(inverse, endpoint);
      for (const bridge of changingBridges) if (this.goneBridges[bridge]) this.#moveBridge(bridge, true);
      for (const { link } of changingLinks) if (this.goneLinks[link]) this.#moveLink(link, true);
    };
  }

  #shortage({ verb, targets, amount }: LifecycleAction, able: number, ofEndpoints: boolean): TargetError {
    const state = ABLE[verb];
    const message = ofEndpoints
      ? `${verb} is for ${amount ?? 'endpoints'}${amount === undefined ? '' : ' endpoints'}, but ${able === 0 ? 'none' : `only ${able}`} of them ${able === 1 ? 'is' : 'are'} ${state} then`
      : `there is nothing to ${verb}: it is ${verb === 'join' ? 'there' : 'gone'} already`;
    return new TargetError(
      targets[0]!.position,
      message,
      'check the amounts and the order of the events before',
      'EVENT_AMOUNT',
    );
  }

  #isAble(verb: LifecycleVerb, endpoint: number): boolean {
    if (verb === 'join') return !this.present[endpoint];
    if (!this.present[endpoint]) return false;
    if (verb === 'disconnect') return !this.disconnected[endpoint];
    return verb !== 'reconnect' || this.disconnected[endpoint] === 1;
  }

  #apply(verb: LifecycleVerb, endpoint: number): void {
    if (verb === 'disconnect' || verb === 'reconnect') {
      this.disconnected[endpoint] = verb === 'disconnect' ? 1 : 0;
    } else {
      this.present[endpoint] = verb === 'join' ? 1 : 0;
      this.disconnected[endpoint] = 0;
    }
    this.#emit({ verb, node: endpoint });
  }

  #moveBridge(bridge: number, back: boolean): void {
    this.goneBridges[bridge] = back ? 0 : 1;
    this.#emit({ verb: back ? 'join' : 'leave', node: bridge });
  }

  #moveLink(link: number, back: boolean): void {
    this.goneLinks[link] = back ? 0 : 1;
    this.#emit({ verb: back ? 'join' : 'leave', link });
  }

  *#flap(action: FlapAction, at: Micros, until: Micros): Generator<Omit<Step, 'event' | 'order'>> {
    let down = true;
    for (let tick: number = at; tick < until; tick += action.period) {
      const up = !down;
      yield { at: micros(tick), phase: 'start', run: () => this.#toggle(action, up) };
      down = !down;
    }
    if (!down) yield { at: until, phase: 'end', run: () => this.#toggle(action, true) };
  }

  #toggle({ targets }: FlapAction, up: boolean): void {
    const { endpoints, bridges, links } = this.targets.select(targets, 'flap', FLAP_SCOPE);
    this.#worked(endpoints.length + bridges.length + links.length);
    for (const { link } of links) if (this.goneLinks[link] === (up ? 1 : 0)) this.#moveLink(link, up);
    for (const bridge of bridges) if (this.goneBridges[bridge] === (up ? 1 : 0)) this.#moveBridge(bridge, up);
    const verb = up ? 'reconnect' : 'disconnect';
    for (const endpoint of endpoints) if (this.#isAble(verb, endpoint)) this.#apply(verb, endpoint);
  }

  #churn({ targets, amount, replace }: ChurnAction, random: SeededRandom): void {
    const { endpoints } = this.targets.select(targets, 'churn', ENDPOINT_ONLY);
    this.#worked(endpoints.length);
    const alive = endpoints.filter((endpoint) => this.present[endpoint]);
    const count = 'count' in amount ? amount.count : Math.round(alive.length * amount.share);
    const absent = endpoints.filter((endpoint) => !this.present[endpoint]);
    const crashed = random.sample(alive, count);
    for (const endpoint of crashed) this.#apply('crash', endpoint);
    if (!replace) return;
    // Replacements are others where there are any; else the same replicas start anew.
    const joining = random.sample(absent, crashed.length);
    for (const endpoint of [...joining, ...crashed].slice(0, crashed.length)) this.#apply('join', endpoint);
  }

  #set(event: TopologyEvent, action: SetAction): () => void {
    const { links } = this.targets.select(action.targets, 'set', SET_SCOPE);
    this.#worked(links.length);
    const setting = { event, action, links };
    this.settings.push(setting);
    this.#emit({ verb: 'set', links });
    return () => {
      this.settings = this.settings.filter((one) => one !== setting);
      this.#emit({ verb: 'unset', links });
    };
  }

  #partition(event: TopologyEvent, groups: readonly Selection[]): () => void {
    const groupOf = new Array<number>(this.present.length).fill(-1);
    groups.forEach(({ endpoints, bridges }, group) => {
      const members = [...endpoints, ...bridges.flatMap((bridge) => this.targets.neighbours(bridge))];
      this.#worked(members.length + groupOf.length);
      for (const endpoint of members) {
        if (groupOf[endpoint] !== -1 && groupOf[endpoint] !== group) {
          const name = this.expansion.graph.endpoints[endpoint];
          throw new TargetError(
            event.position,
            `${name} is in two groups of the partition`,
            'name each endpoint in one group only',
          );
        }
        groupOf[endpoint] = group;
      }
    });
    const partition = { event, groupOf };
    this.partitions.push(partition);
    this.#emit({ verb: 'partition' });
    return () => {
      this.partitions = this.partitions.filter((one) => one !== partition);
      this.#emit({ verb: 'heal' });
    };
  }

  #command(action: RunAction | SignalAction): void {
    const { verb, targets } = action;
    const { endpoints } = this.targets.select(targets, verb, ENDPOINT_ONLY);
    this.#worked(endpoints.length);
    const present = endpoints.filter((endpoint) => this.present[endpoint]);
    if (present.length === 0) {
      throw new TargetError(
        targets[0]!.position,
        `${verb} finds nobody: none of the endpoints is present then`,
        'let it join before',
        'EVENT_AMOUNT',
      );
    }
    for (const node of present) this.#emit({ verb, node });
  }

  /** What joins before anything else happens to it is absent until then. */
  #removeLateJoiners(): void {
    const { graph } = this.expansion;
    const decided = {
      endpoints: new Uint8Array(graph.nodes.length),
      links: new Uint8Array(graph.links.length),
    };
    const seen = new Set<Selection>();
    for (const { event, phase } of this.#steps) {
      const selection = phase === 'start' ? this.#lifecycleSelection(event.action) : undefined;
      if (!selection || seen.has(selection)) continue;
      seen.add(selection);
      const joins = event.action.verb === 'join' ? 1 : 0;
      this.#worked(selection.endpoints.length + selection.links.length);
      for (const node of [...selection.endpoints, ...selection.bridges]) {
        if (decided.endpoints[node]) continue;
        decided.endpoints[node] = 1;
        if (node < this.present.length) this.present[node] = joins ? 0 : 1;
        else this.goneBridges[node] = joins;
      }
      for (const { link } of selection.links) {
        if (!decided.links[link]) this.goneLinks[link] = joins;
        decided.links[link] = 1;
      }
    }
  }

  #lifecycleSelection(action: EventAction): Selection | undefined {
    try {
      if (action.verb === 'flap') return this.targets.select(action.targets, 'flap', FLAP_SCOPE);
      if (action.verb === 'churn') return this.targets.select(action.targets, 'churn', ENDPOINT_ONLY);
      if (!(action.verb in LIFECYCLE_SCOPE)) return undefined;
      const { verb, targets } = action as LifecycleAction;
      return this.targets.select(targets, verb, LIFECYCLE_SCOPE[verb]);
    } catch (error) {
      // Reported when the event is played.
      if (error instanceof TargetError) return undefined;
      throw error;
    }
  }

  #worked(amount: number): void {
    this.#work += amount;
    if (this.#work > MAX_WORK) throw new TooManyAtoms();
  }

  #emit(change: AtomChange): void {
    if (++this.#count > MAX_ATOMS) throw new TooManyAtoms();
    this.#atoms?.({ at: this.#now, event: this.#event!, ...change });
  }
}

type AtomChange = Atom extends infer One ? (One extends Atom ? Omit<One, 'at' | 'event'> : never) : never;

const PHASES = { end: 0, start: 1 } as const;

const ABLE: Readonly<Record<LifecycleVerb, string>> = {
  join: 'absent',
  leave: 'present',
  crash: 'present',
  disconnect: 'present and connected',
  reconnect: 'disconnected',
};
