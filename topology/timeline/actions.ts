/** The effect of each verb on the state at its instant. All throw `TargetError` before they have changed anything. */
import { formatRatio } from '../../proto/units.ts';
import { partOf, shortage } from '../events/amounts.ts';
import { ENDPOINT_ONLY, FLAP_SCOPE, LIFECYCLE_SCOPE, PARTITION_SCOPE, SET_SCOPE } from '../events/scopes.ts';
import { type Selection, TargetError, type Targets } from '../events/targets.ts';
import type {
  Amount,
  ChurnAction,
  EventAction,
  FlapAction,
  LifecycleAction,
  PartitionAction,
  RunAction,
  ScatterAction,
  SetAction,
  SignalAction,
  Target,
  TopologyEvent,
} from '../model/events.ts';
import type { SeededRandom } from '../model/random.ts';
import type { AtomChange, NetworkState } from './state.ts';
import { withTraces } from './traces.ts';

export class Actions {
  readonly #state: NetworkState;
  readonly #targets: Targets;
  /** Called for changes that do not concern nodes or links; the state reports those itself. */
  readonly #emit: (change: AtomChange) => void;

  constructor(state: NetworkState, targets: Targets, emit: (change: AtomChange) => void) {
    this.#state = state;
    this.#targets = targets;
    this.#emit = emit;
  }

  /** Applies an event, and returns the function that undoes it. */
  begin(
    event: TopologyEvent,
    action: Exclude<EventAction, FlapAction | ChurnAction | ScatterAction>,
  ): (() => void) | undefined {
    switch (action.verb) {
      case 'set':
        return this.#set(event, action);
      case 'partition':
        return this.#partition(event, action);
      case 'heal':
        this.#state.partitions.clear();
        this.#emit({ verb: 'heal' });
        return undefined;
      case 'run':
      case 'signal':
        this.#command(action);
        return undefined;
      case 'quit':
        this.#emit({ verb: 'quit' });
        return undefined;
      case 'start':
      case 'stop':
        // When traffic flows is read off the steps (`Timeline.switches`); a name that nothing has is an error.
        this.#targets.charge(action.traffic.length + this.#targets.traffic(action).length);
        this.#emit({ verb: action.verb });
        return undefined;
      case 'reset':
      case 'notify':
      case 'ended':
      case 'rekey':
        return undefined;
      default:
        return this.lifecycle(action);
    }
  }

  lifecycle(action: LifecycleAction): () => void {
    const { verb, targets } = action;
    const { endpoints, bridges, links } = this.#targets.select(targets, verb, LIFECYCLE_SCOPE[verb]);
    const able = endpoints.filter((endpoint) => this.#state.isAble(verb, endpoint));
    const amount = action.portion === undefined ? this.#amountOf(action, endpoints) : portionOf(action, able);
    // A share of a few may be none.
    if (amount === 0) return () => {};
    if ((amount ?? action.portion) !== undefined && bridges.length + links.length > 0) {
      throw new TargetError(
        targets[0]!.position,
        `an amount is for services, and ${verb} names bridges or links`,
        'leave the number out',
      );
    }
    const wanted = verb === 'join' ? 1 : 0;
    const changingBridges = bridges.filter((bridge) => this.#state.goneBridges[bridge] === wanted);
    const changingLinks = links.filter(({ link }) => this.#state.goneLinks[link] === wanted);
    if (able.length < (amount ?? 0) || able.length + changingBridges.length + changingLinks.length === 0) {
      throw shortage(action, amount, able.length, endpoints.length > 0);
    }
    if (verb !== 'join' && verb !== 'reconnect') able.reverse();
    const chosen = able.slice(0, amount ?? able.length);
    for (const endpoint of chosen) this.#state.apply(verb, endpoint);
    for (const bridge of changingBridges) this.#state.moveBridge(bridge, verb === 'join');
    for (const { link } of changingLinks) this.#state.moveLink(link, verb === 'join');
    const inverse = verb === 'disconnect' ? 'reconnect' : 'join';
    return () => {
      for (const endpoint of chosen)
        if (this.#state.isAble(inverse, endpoint)) this.#state.apply(inverse, endpoint);
      for (const bridge of changingBridges)
        if (this.#state.goneBridges[bridge]) this.#state.moveBridge(bridge, true);
      for (const { link } of changingLinks) if (this.#state.goneLinks[link]) this.#state.moveLink(link, true);
    };
  }

  #amountOf({ verb, amount, share }: LifecycleAction, endpoints: readonly number[]): number | undefined {
    if (share === undefined) return amount;
    const { present, disconnected } = this.#state;
    const counts = verb === 'reconnect' ? disconnected : present;
    return partOf(share, endpoints.filter((endpoint) => counts[endpoint] === 1).length);
  }

  toggle({ targets }: FlapAction, up: boolean): void {
    const { endpoints, bridges, links } = this.#targets.select(targets, 'flap', FLAP_SCOPE);
    for (const { link } of links)
      if (this.#state.goneLinks[link] === (up ? 1 : 0)) this.#state.moveLink(link, up);
    for (const bridge of bridges)
      if (this.#state.goneBridges[bridge] === (up ? 1 : 0)) this.#state.moveBridge(bridge, up);
    const verb = up ? 'reconnect' : 'disconnect';
    for (const endpoint of endpoints)
      if (this.#state.isAble(verb, endpoint)) this.#state.apply(verb, endpoint);
  }

  churn(targets: readonly Target[], amount: Amount, replace: boolean, random: SeededRandom): void {
    const { endpoints } = this.#targets.select(targets, 'churn', ENDPOINT_ONLY);
    const alive: number[] = [];
    const absent: number[] = [];
    for (const endpoint of endpoints) (this.#state.present[endpoint] ? alive : absent).push(endpoint);
    const count = 'count' in amount ? amount.count : Math.round(alive.length * amount.share);
    const crashed = random.sample(alive, count);
    for (const endpoint of crashed) this.#state.apply('crash', endpoint);
    if (!replace) return;
    // Other endpoints replace the crashed ones, if there are any; otherwise the same replicas start anew.
    const joining = random.sample(absent, crashed.length);
    for (const endpoint of [...joining, ...crashed].slice(0, crashed.length))
      this.#state.apply('join', endpoint);
  }

  #set(event: TopologyEvent, action: SetAction): () => void {
    const { links } = this.#targets.select(action.targets, 'set', SET_SCOPE);
    refuseOtherSide(action, links);
    const setting = { event, action: withTraces(action, this.#targets.traces), links };
    this.#state.settings.add(setting);
    this.#emit({ verb: 'set', links });
    return () => {
      this.#state.settings.delete(setting);
      this.#emit({ verb: 'unset', links });
    };
  }

  #partition(event: TopologyEvent, { groups }: PartitionAction): () => void {
    const selected = groups.map((group) => this.#targets.select(named(group), 'partition', PARTITION_SCOPE));
    const groupOf = this.#groupsOf(event, selected);
    fillRest(groups, groupOf);
    const partition = { event, groupOf };
    this.#state.partitions.add(partition);
    this.#emit({ verb: 'partition' });
    return () => {
      if (this.#state.partitions.delete(partition)) this.#emit({ verb: 'heal' });
    };
  }

  /** Per endpoint its group; -1 for those that none names. */
  #groupsOf(event: TopologyEvent, groups: readonly Selection[]): number[] {
    const groupOf = new Array<number>(this.#state.present.length).fill(-1);
    groups.forEach(({ endpoints, bridges }, group) => {
      const members = [...endpoints, ...bridges.flatMap((bridge) => this.#targets.neighbours(bridge))];
      this.#targets.charge(groupOf.length);
      for (const endpoint of members) {
        if (groupOf[endpoint] !== -1 && groupOf[endpoint] !== group) {
          const name = this.#state.expansion.graph.endpoints[endpoint];
          throw new TargetError(
            event.position,
            `${name} is in two groups of the partition`,
            'name each endpoint in one group only',
          );
        }
        groupOf[endpoint] = group;
      }
    });
    return groupOf;
  }

  #command(action: RunAction | SignalAction): void {
    const { verb, targets } = action;
    const { endpoints } = this.#targets.select(targets, verb, ENDPOINT_ONLY);
    // Of a program of a sequence, those that are absent have to be told as well: they are waited for.
    const isProgram = action.verb === 'run' && action.program !== undefined;
    const present = endpoints.filter((endpoint) => isProgram || this.#state.present[endpoint]);
    if (present.length === 0) {
      throw new TargetError(
        targets[0]!.position,
        `${verb} has no target: none of the endpoints is present then`,
        'let it join before',
        'EVENT_AMOUNT',
      );
    }
    for (const node of present) this.#emit({ verb, node });
  }
}

/** `set a->b down=2Mbps` names only the direction that `up` means. */
export function refuseOtherSide({ changes, targets }: SetAction, links: Selection['links']): void {
  for (const { property } of changes) {
    if (property !== 'up' && property !== 'down') continue;
    if (links.some(({ side }) => side === property)) continue;
    const remedy = `write ${property === 'up' ? 'down' : 'up'} or bandwidth, or name the other direction`;
    throw new TargetError(
      targets[0]!.position,
      `${property} changes nothing: only the other direction is named`,
      remedy,
    );
  }
}

/** A percentage that comes to nobody would be an event without effect. */
function portionOf({ verb, targets, portion }: LifecycleAction, able: readonly number[]): number | undefined {
  // Links and bridges, and services of which nobody can be changed, have errors of their own.
  if (able.length === 0) return undefined;
  const amount = Math.round(portion! * able.length);
  if (amount > 0) return amount;
  const message = `${verb} is for ${formatRatio(portion!)} of ${able.length === 1 ? '1 endpoint' : `${able.length} endpoints`}, which is none`;
  throw new TargetError(
    targets[0]!.position,
    message,
    'write a larger percentage, or a number',
    'EVENT_AMOUNT',
  );
}

const isRest = (target: Target): boolean => target.kind === 'all';
const named = (group: readonly Target[]): Target[] => group.filter((target) => !isRest(target));

/** Puts all endpoints that no group names into the one with `*`. */
function fillRest(groups: PartitionAction['groups'], groupOf: number[]): void {
  const [rest, second] = groups.flatMap((group, number) => (group.some(isRest) ? [number] : []));
  if (rest === undefined) return;
  const wrong = (message: string, remedy: string): TargetError =>
    new TargetError(groups[second ?? rest]!.find(isRest)!.position, message, remedy);
  if (second !== undefined)
    throw wrong('two groups of the partition have *', 'write * in one group: it stands for all the rest');
  if (groupOf.every((group) => group !== -1))
    throw wrong('* stands for nobody: the other groups name every endpoint', 'leave it out');
  groupOf.forEach((group, endpoint) => {
    if (group === -1) groupOf[endpoint] = rest;
  });
}
