/**
 * Flows and their shares, kept from tick to tick: what has not changed is not routed, sorted or filled again. Shares are
 * the same to the bit as those of the same flows computed from nothing.
 */
import { NetfoldError } from '../../proto/errors.ts';
import { Filling } from './filling.ts';
import { type FlowGroup, FlowGroups } from './flow-groups.ts';
import type { Flow, FlowShare, ShareNetwork } from './model.ts';
import { roundTripMicros } from './round-trip.ts';
import { insertSorted, removeSorted } from './sorted-list.ts';

/** More than there are endpoints (topology/limits.ts). */
const RANK_FACTOR = 2 ** 16;
/** Up to so many flows that come or go are put in their places one by one; for more, all groups are formed anew. */
const FEW = 64;

interface KnownFlow {
  readonly source: number;
  readonly destination: number;
  readonly isLocal: boolean;
  readonly isReachable: boolean;
  /** Indices of the limited links that it crosses. */
  readonly links: readonly number[];
  readonly weight: number;
  /** Its number in the filling while it crosses limited links; else -1. */
  number: number;
  demand: number;
  /** The update that named it last, what it said, and its place there. */
  seen: number;
  wanted: number;
  place: number;
  share: FlowShare | undefined;
}

/** What an update found. */
interface Changes {
  readonly added: readonly KnownFlow[];
  readonly removed: readonly KnownFlow[];
  /** Flows that were known, whose demand is another one. */
  readonly changed: readonly KnownFlow[];
}

export class SharedFlows {
  readonly #network: ShareNetwork;
  readonly #isLocal: (flow: Flow) => boolean;
  /** By rank. */
  readonly #known = new Map<number, KnownFlow>();
  /** In the order of the last update: mostly the next one has the same. */
  #last: KnownFlow[] = [];
  /** To be overwritten by the next update. */
  #spare: KnownFlow[] = [];
  #updates = 0;
  readonly #filling: Filling;
  readonly #groups: FlowGroups;
  /** Numbers of the flows that cross limited links, by rank; their flows by number; numbers that are free. */
  #numbers: number[] = [];
  readonly #flows: KnownFlow[] = [];
  readonly #free: number[] = [];
  /** What `local` gave last, and whose shares these are; absent where it is no longer true. */
  #localShares: readonly FlowShare[] | undefined;
  #local: readonly KnownFlow[] | undefined;

  /** `isLocal` depends on the endpoints of a flow alone. */
  constructor(network: ShareNetwork, isLocal: (flow: Flow) => boolean = () => true) {
    this.#network = network;
    this.#isLocal = isLocal;
    this.#filling = new Filling(network.linkCapacity);
    this.#groups = new FlowGroups(this.#filling, (number) => this.#flows[number]!.isLocal);
  }

  /**
   * Takes over the flows that there are now, in any order, and computes the shares of those that may compete with local
   * ones. Of a pair that is named twice the greater demand counts. O(flows), and O(crossings × log) of the groups of
   * flows in which something changed. Throws `NetfoldError` (`SHARE_INPUT`) on a demand that is no number.
   */
  update(flows: readonly Flow[]): void {
    const changes = this.#look(flows);
    const { added, removed, changed } = changes;
    if (added.length + removed.length > 0) this.#local = undefined;
    if (added.length + removed.length + changed.length > 0) this.#localShares = undefined;
    if (added.length + removed.length > FEW || this.#groups.isWorthRegrouping(this.#numbers.length)) {
      for (const group of this.#regroup(changes)) this.#fill(group);
      return;
    }
    const touched: number[] = [];
    for (const flow of removed) if (competes(flow)) touched.push(...this.#remove(flow));
    for (const flow of changed) this.#changeDemand(flow);
    for (const flow of added) this.#add(flow);
    const groups = new Set(
      [...added, ...changed].filter(competes).map(({ number }) => this.#groups.of(number)),
    );
    for (const link of touched) groups.add(this.#groups.ofLink(link)!);
    for (const group of groups) this.#fill(group);
  }

  /** The shares of local flows, by source and destination. Flows without a path have none. */
  local(): readonly FlowShare[] {
    this.#local ??= this.#sharing(({ isLocal }) => isLocal);
    this.#localShares ??= this.#local.map(({ share }) => share!);
    return this.#localShares;
  }

  /**
   * The shares of all that were computed: those of flows that compete with local ones, directly or through others, and of
   * some that did so before other flows ended.
   */
  all(): FlowShare[] {
    const isComputed = ({ isLocal, number }: KnownFlow): boolean =>
      isLocal || (number !== -1 && this.#groups.of(number).localCount > 0);
    return this.#sharing(isComputed).map(({ share }) => share!);
  }

  /** Flows with a share, by source and destination. */
  #sharing(isWanted: (flow: KnownFlow) => boolean): KnownFlow[] {
    const flows = this.#numbers.map((number) => this.#flows[number]!).filter(isWanted);
    if (this.#numbers.length === this.#known.size) return flows;
    for (const flow of this.#known.values())
      if (!competes(flow) && flow.isReachable && isWanted(flow)) flows.push(flow);
    return flows.sort((a, b) => rankOf(a) - rankOf(b));
  }

  #look(flows: readonly Flow[]): Changes {
    const now = ++this.#updates;
    const added: KnownFlow[] = [];
    const current = this.#spare;
    let count = 0;
    let next = 0;
    for (const flow of flows) {
      if (!(flow.demandBps >= 0)) throw demandError(flow);
      let known = this.#last[next];
      if (known?.source !== flow.source || known.destination !== flow.destination)
        known = this.#known.get(rankOf(flow)) ?? this.#meet(flow, added);
      next = known.place + 1;
      if (known.seen === now) {
        known.wanted = Math.max(known.wanted, flow.demandBps);
        continue;
      }
      known.wanted = flow.demandBps;
      known.seen = now;
      current[count++] = known;
    }
    current.length = count;
    this.#spare = this.#last;
    this.#last = current;
    const changed: KnownFlow[] = [];
    for (let place = 0; place < count; place++) {
      const flow = current[place]!;
      flow.place = place;
      if (flow.wanted !== flow.demand && !Number.isNaN(flow.demand)) changed.push(flow);
    }
    const isComplete = count === this.#known.size;
    return { added, removed: isComplete ? [] : this.#forgetUnseen(now), changed };
  }

  #meet(flow: Flow, added: KnownFlow[]): KnownFlow {
    const { paths, linkCapacity } = this.#network;
    const { source, destination } = flow;
    const path = paths(source, destination);
    const isLimited = (link: number): boolean => linkCapacity[link] !== Number.POSITIVE_INFINITY;
    const known = {
      source,
      destination,
      isLocal: this.#isLocal(flow),
      isReachable: path !== undefined,
      links:
        path === undefined ? [] : path.links.every(isLimited) ? path.links : path.links.filter(isLimited),
      weight: path === undefined ? 1 : 1e6 / roundTripMicros(path, paths(destination, source)),
      number: -1,
      demand: Number.NaN,
      seen: 0,
      wanted: Number.NaN,
      place: -1,
      share: undefined,
    };
    this.#known.set(rankOf(flow), known);
    added.push(known);
    return known;
  }

  #forgetUnseen(now: number): KnownFlow[] {
    const removed = [...this.#known.values()].filter(({ seen }) => seen !== now);
    for (const flow of removed) this.#known.delete(rankOf(flow));
    return removed;
  }

  #add(flow: KnownFlow): void {
    this.#number(flow);
    if (!competes(flow)) return;
    insertSorted(this.#numbers, flow.number, this.#filling.byRank);
    this.#groups.add(flow.number);
  }

  /** Gives a new flow its number and its demand. */
  #number(flow: KnownFlow): void {
    const filling = this.#filling;
    if (competes(flow)) {
      flow.number = this.#free.pop() ?? this.#flows.length;
      this.#flows[flow.number] = flow;
      filling.reserve(this.#flows.length);
      filling.rank[flow.number] = rankOf(flow);
      filling.weight[flow.number] = flow.weight;
      filling.rate[flow.number] = Number.NaN;
      filling.pool.set(flow.number, flow.links);
    }
    this.#setDemand(flow);
  }

  #setDemand(flow: KnownFlow): void {
    flow.demand = flow.wanted;
    if (!competes(flow)) {
      flow.share = aloneShare(flow);
      return;
    }
    this.#filling.demand[flow.number] = flow.demand;
    this.#filling.level[flow.number] = flow.demand / flow.weight;
  }

  #changeDemand(flow: KnownFlow): void {
    if (competes(flow)) this.#groups.changeDemand(flow.number, () => this.#setDemand(flow));
    else this.#setDemand(flow);
  }

  /** Gives the links that it crossed. */
  #remove({ number, links }: KnownFlow): readonly number[] {
    removeSorted(this.#numbers, number, this.#filling.byRank);
    this.#groups.remove(number);
    this.#free.push(number);
    return links;
  }

  #regroup({ added, removed, changed }: Changes): Iterable<FlowGroup> {
    const gone = new Set(removed.filter(competes).map(({ number }) => number));
    this.#numbers = this.#numbers.filter((number) => !gone.has(number));
    this.#free.push(...gone);
    for (const flow of changed) this.#setDemand(flow);
    for (const flow of added) {
      this.#number(flow);
      if (competes(flow)) this.#numbers.push(flow.number);
    }
    this.#sortNumbers();
    return this.#groups.regroup(this.#numbers);
  }

  /** Arrays of numbers are sorted without calls of a function. */
  #sortNumbers(): void {
    const ranks = Float64Array.from(this.#numbers, (number) => this.#filling.rank[number]!).sort();
    ranks.forEach((rank, place) => {
      this.#numbers[place] = this.#known.get(rank)!.number;
    });
  }

  /** Shares that did not change stay the same objects. */
  #fill(group: FlowGroup): void {
    if (group.localCount === 0) return;
    const { rate, ceiling, limitedBy } = this.#filling;
    for (const number of this.#filling.run(group)) {
      const flow = this.#flows[number]!;
      flow.share = {
        source: flow.source,
        destination: flow.destination,
        rateBps: rate[number]!,
        ceilingBps: ceiling[number]!,
        limitedBy: limitedBy[number]!,
      };
    }
  }
}

function rankOf({ source, destination }: { source: number; destination: number }): number {
  return source * RANK_FACTOR + destination;
}

function competes({ links }: KnownFlow): boolean {
  return links.length > 0;
}

/** On unlimited links a flow has what it asks for, and could have anything; without a path it has no share. */
function aloneShare({ source, destination, demand, isReachable }: KnownFlow): FlowShare | undefined {
  if (!isReachable) return undefined;
  return {
    source,
    destination,
    rateBps: demand,
    ceilingBps: Number.POSITIVE_INFINITY,
    limitedBy: -1,
  };
}

function demandError({ source, destination, demandBps }: Flow): NetfoldError {
  return new NetfoldError({
    code: 'SHARE_INPUT',
    blame: 'internal',
    message: `shares can't be computed: a demand of ${demandBps} from ${source} to ${destination} makes no sense`,
    remedy: 'report this as a bug of netfold',
  });
}
