/**
 * The timeline, played: events in order of time become atomic changes of a state (who is present, what is cut, which
 * settings hold). Selections by amount and churn depend on the state, so the order is part of the meaning:
 * at one instant, windows that end come first, then events in the order of the file.
 *
 * By amount, endpoints join lowest number first; leave, crash and disconnect highest number first; reconnect lowest first.
 * What first joins on the timeline is absent before that.
 */
import { type Micros, micros } from '../proto/units.ts';
import { partOf, shortage } from './events/amounts.ts';
import type {
  Amount,
  ChurnAction,
  EventAction,
  FlapAction,
  LifecycleAction,
  RunAction,
  ScatterAction,
  SetAction,
  SignalAction,
  Target,
  TopologyEvent,
} from './events/model.ts';
import { ENDPOINT_ONLY, FLAP_SCOPE, LIFECYCLE_SCOPE, PARTITION_SCOPE, SET_SCOPE } from './events/scopes.ts';
import { type Selection, TargetError, Targets, TooMuchWork } from './events/targets.ts';
import { Expansion } from './graph.ts';
import { removeLateJoiners } from './late-joiners.ts';
import { MAX_ATOMS } from './limits.ts';
import type { Topology } from './model.ts';
import { SeededRandom } from './random.ts';
import { scatterTurns } from './scatter.ts';
import { type Atom, type AtomChange, NetworkState } from './state.ts';

interface Step {
  readonly at: Micros;
  readonly phase: 'end' | 'start';
  readonly event: TopologyEvent;
  readonly order: number;
  run(): void;
}

export type OnProblem = (event: TopologyEvent, error: TargetError) => void;

/** The state of everything that events change, and the way to move it forward. */
export class Timeline {
  readonly state: NetworkState;
  readonly targets: Targets;

  readonly #steps: Step[] = [];
  readonly #atoms: ((atom: Atom) => void) | undefined;
  readonly #onProblem: OnProblem;
  #next = 0;
  #count = 0;
  #now: Micros = micros(0);
  #event: TopologyEvent | undefined;

  /** Events that can't be carried out go to `onProblem` and change nothing. Throws `TooMuchWork`. */
  constructor(topology: Topology, onProblem: OnProblem, onAtom?: (atom: Atom) => void) {
    const expansion = new Expansion(topology);
    this.targets = new Targets(topology, expansion);
    this.state = new NetworkState(expansion, (change) => this.#emit(change));
    this.#onProblem = onProblem;
    this.#atoms = onAtom;
    this.#schedule(topology.events);
    const starts = this.#steps.filter((step) => step.phase === 'start').map((step) => step.event.action);
    removeLateJoiners(this.state, this.targets, starts);
  }

  /** When something is due next; `undefined` at the end. */
  get nextAt(): Micros | undefined {
    return this.#steps[this.#next]?.at;
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
        if (this.#steps.length > MAX_ATOMS) throw new TooMuchWork();
      }
    });
    this.#steps.sort(inOrder);
  }

  *#stepsOf(event: TopologyEvent): Generator<Omit<Step, 'event' | 'order'>> {
    const { action, at, until } = event;
    let undo: (() => void) | undefined;
    if (action.verb === 'flap') {
      yield* this.#flap(action, at, until ?? at);
    } else if (action.verb === 'scatter') {
      yield* this.#scatter(action, at, until ?? at);
    } else if (action.verb === 'churn') {
      const { targets, amount, replace, period, seed } = action;
      const random = new SeededRandom(seed);
      for (let tick: number = at; tick < (until ?? at); tick += period) {
        yield { at: micros(tick), phase: 'start', run: () => this.#churn(targets, amount, replace, random) };
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
    action: Exclude<EventAction, FlapAction | ChurnAction | ScatterAction>,
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
        this.state.partitions.clear();
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
    const { verb, targets } = action;
    const { endpoints, bridges, links } = this.targets.select(targets, verb, LIFECYCLE_SCOPE[verb]);
    const amount = this.#amountOf(action, endpoints);
    // A share of a few can be none of them.
    if (amount === 0) return () => {};
    if (amount !== undefined && bridges.length + links.length > 0) {
      throw new TargetError(
        targets[0]!.position,
        `an amount is for services, and ${verb} names bridges or links`,
        'leave the number out',
      );
    }
    const able = endpoints.filter((endpoint) => this.state.isAble(verb, endpoint));
    const wanted = verb === 'join' ? 1 : 0;
    const changingBridges = bridges.filter((bridge) => this.state.goneBridges[bridge] === wanted);
    const changingLinks = links.filter(({ link }) => this.state.goneLinks[link] === wanted);
    if (able.length < (amount ?? 0) || able.length + changingBridges.length + changingLinks.length === 0) {
      throw shortage(action, amount, able.length, endpoints.length > 0);
    }
    if (verb !== 'join' && verb !== 'reconnect') able.reverse();
    const chosen = able.slice(0, amount ?? able.length);
    for (const endpoint of chosen) this.state.apply(verb, endpoint);
    for (const bridge of changingBridges) this.state.moveBridge(bridge, verb === 'join');
    for (const { link } of changingLinks) this.state.moveLink(link, verb === 'join');
    const inverse = verb === 'disconnect' ? 'reconnect' : 'join';
    return () => {
      for (const endpoint of chosen)
        if (this.state.isAble(inverse, endpoint)) this.state.apply(inverse, endpoint);
      for (const bridge of changingBridges)
        if (this.state.goneBridges[bridge]) this.state.moveBridge(bridge, true);
      for (const { link } of changingLinks) if (this.state.goneLinks[link]) this.state.moveLink(link, true);
    };
  }

  #amountOf({ verb, amount, share }: LifecycleAction, endpoints: readonly number[]): number | undefined {
    if (share === undefined) return amount;
    const { present, disconnected } = this.state;
    const counts = verb === 'reconnect' ? disconnected : present;
    return partOf(share, endpoints.filter((endpoint) => counts[endpoint] === 1).length);
  }

  *#scatter(action: ScatterAction, at: Micros, until: Micros): Generator<Omit<Step, 'event' | 'order'>> {
    const random = new SeededRandom(action.seed);
    yield* scatterTurns(action, at, until, this, {
      change: (one) => this.#lifecycle(one),
      churn: (isReplaced) => this.#churn(action.targets, { count: 1 }, isReplaced, random),
    });
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
    for (const { link } of links)
      if (this.state.goneLinks[link] === (up ? 1 : 0)) this.state.moveLink(link, up);
    for (const bridge of bridges)
      if (this.state.goneBridges[bridge] === (up ? 1 : 0)) this.state.moveBridge(bridge, up);
    const verb = up ? 'reconnect' : 'disconnect';
    for (const endpoint of endpoints) if (this.state.isAble(verb, endpoint)) this.state.apply(verb, endpoint);
  }

  #churn(targets: readonly Target[], amount: Amount, replace: boolean, random: SeededRandom): void {
    const { endpoints } = this.targets.select(targets, 'churn', ENDPOINT_ONLY);
    const alive = endpoints.filter((endpoint) => this.state.present[endpoint]);
    const count = 'count' in amount ? amount.count : Math.round(alive.length * amount.share);
    const absent = endpoints.filter((endpoint) => !this.state.present[endpoint]);
    const crashed = random.sample(alive, count);
    for (const endpoint of crashed) this.state.apply('crash', endpoint);
    if (!replace) return;
    // Replacements are others where there are any; else the same replicas start anew.
    const joining = random.sample(absent, crashed.length);
    for (const endpoint of [...joining, ...crashed].slice(0, crashed.length))
      this.state.apply('join', endpoint);
  }

  #set(event: TopologyEvent, action: SetAction): () => void {
    const { links } = this.targets.select(action.targets, 'set', SET_SCOPE);
    const setting = { event, action, links };
    this.state.settings.add(setting);
    this.#emit({ verb: 'set', links });
    return () => {
      this.state.settings.delete(setting);
      this.#emit({ verb: 'unset', links });
    };
  }

  #partition(event: TopologyEvent, groups: readonly Selection[]): () => void {
    const groupOf = new Array<number>(this.state.present.length).fill(-1);
    groups.forEach(({ endpoints, bridges }, group) => {
      const members = [...endpoints, ...bridges.flatMap((bridge) => this.targets.neighbours(bridge))];
      this.targets.charge(groupOf.length);
      for (const endpoint of members) {
        if (groupOf[endpoint] !== -1 && groupOf[endpoint] !== group) {
          const name = this.state.expansion.graph.endpoints[endpoint];
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
    this.state.partitions.add(partition);
    this.#emit({ verb: 'partition' });
    return () => {
      this.state.partitions.delete(partition);
      this.#emit({ verb: 'heal' });
    };
  }

  #command(action: RunAction | SignalAction): void {
    const { verb, targets } = action;
    const { endpoints } = this.targets.select(targets, verb, ENDPOINT_ONLY);
    const present = endpoints.filter((endpoint) => this.state.present[endpoint]);
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

  #emit(change: AtomChange): void {
    if (++this.#count > MAX_ATOMS) throw new TooMuchWork();
    this.#atoms?.({ at: this.#now, event: this.#event!, ...change });
  }
}

const PHASES = { end: 0, start: 1 } as const;

function inOrder(a: Step, b: Step): number {
  return a.at - b.at || PHASES[a.phase] - PHASES[b.phase] || a.order - b.order;
}
