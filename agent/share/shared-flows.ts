/**
 * Flows and their shares, kept from tick to tick: what has not changed is not routed, sorted or filled again. Shares
 * are the same to the bit as those of the same flows computed from scratch.
 */
import { NetfoldError } from '../../proto/errors.ts';
import { perSecond } from '../../proto/units.ts';
import { Filling } from './filling.ts';
import { type FlowGroup, FlowGroups } from './flow-groups.ts';
import { FlowList } from './flow-list.ts';
import type { Flow, FlowShare, ShareNetwork } from './model.ts';
import { roundTripMicros } from './round-trip.ts';
import { insertSorted, removeSorted } from './sorted-list.ts';

/** Greater than the number of nodes can be (topology/model/limits.ts). */
const RANK_FACTOR = 2 ** 17;
/** Less than 1 by more than the greatest index (topology/model/traffic.ts); a rank has 52 bits then. */
const INDEX_PART = 2 ** -18;
/**
 * Up to this many added and removed flows are inserted into and taken out of the lists one by one; for more, all
 * groups are formed anew.
 */
const FEW = 64;

interface KnownFlow {
  readonly source: number;
  readonly destination: number;
  readonly index: number;
  readonly isLocal: boolean;
  readonly isReachable: boolean;
  /** Indices of the limited links that it crosses. */
  readonly links: readonly number[];
  readonly weight: number;
  /** Its number in the filling while it crosses limited links; else -1. */
  number: number;
  demand: number;
  /** The demand in the last update, and how often the update named the flow. */
  wanted: number;
  uses: number;
  share: FlowShare | undefined;
}

/** The difference between an update and the one before. */
interface Changes {
  readonly added: readonly KnownFlow[];
  readonly removed: readonly KnownFlow[];
  /** Known flows with a new demand. */
  readonly changed: readonly KnownFlow[];
}

export class SharedFlows {
  readonly #network: ShareNetwork;
  readonly #isLocal: (flow: Flow) => boolean;
  /** By rank. */
  readonly #known = new Map<number, KnownFlow>();
  /** The last update, and the known flows in it, in its order. */
  readonly #list = new FlowList();
  #last: KnownFlow[] = [];
  readonly #filling: Filling;
  readonly #groups: FlowGroups;
  /** Numbers of the flows that cross limited links, by rank; the flows by number; free numbers. */
  #numbers: number[] = [];
  readonly #flows: KnownFlow[] = [];
  readonly #free: number[] = [];
  /** The local flows that have shares, by rank; and the last result of `local`, until it changes. */
  #local: KnownFlow[] = [];
  #localShares: readonly FlowShare[] | undefined;

  /** `isLocal` depends on the nodes and the index of a flow alone. */
  constructor(network: ShareNetwork, isLocal: (flow: Flow) => boolean = () => true) {
    this.#network = network;
    this.#isLocal = isLocal;
    this.#filling = new Filling(network.linkCapacity);
    this.#groups = new FlowGroups(this.#filling, (number) => this.#flows[number]!.isLocal);
  }

  /**
   * Replaces the flows, in any order, and computes the shares of those that may compete with local ones. If a flow is
   * named twice, the greater demand counts. O(flows), and O(crossings × log) of the groups of flows that changed.
   * Throws `NetfoldError` (`SHARE_INPUT`) if a demand is no number.
   */
  update(flows: readonly Flow[]): void {
    const changes = this.#look(flows);
    const { added, removed, changed } = changes;
    if (added.length + removed.length + changed.length === 0) return;
    this.#localShares = undefined;
    if (added.length + removed.length > FEW || this.#groups.isWorthRegrouping(this.#numbers.length)) {
      for (const group of this.#regroup(changes)) this.#fill(group);
      this.#local = this.#sharing(isListed);
      return;
    }
    const touched: number[] = [];
    for (const flow of removed) {
      if (isListed(flow)) removeSorted(this.#local, flow, inOrder);
      if (competes(flow)) touched.push(...this.#remove(flow));
    }
    for (const flow of changed) this.#changeDemand(flow);
    for (const flow of added) {
      if (isListed(flow)) insertSorted(this.#local, flow, inOrder);
      this.#add(flow);
    }
    const groups = new Set(
      [...added, ...changed].filter(competes).map(({ number }) => this.#groups.of(number)),
    );
    for (const link of touched) groups.add(this.#groups.ofLink(link)!);
    for (const group of groups) this.#fill(group);
  }

  /** The shares of local flows, by source and destination. Flows without a path have none. */
  local(): readonly FlowShare[] {
    if (this.#localShares) return this.#localShares;
    // `map` took 0.2 ms with 10,000 flows, in each tick in which one of them changed.
    const shares = new Array<FlowShare>(this.#local.length);
    for (let at = 0; at < shares.length; at++) shares[at] = this.#local[at]!.share!;
    this.#localShares = shares;
    return shares;
  }

  /** The share of a flow of the last update; `undefined` if it has no path, or was not computed. */
  of(flow: Omit<Flow, 'demandBps'>): FlowShare | undefined {
    return this.#known.get(rankOf(flow))?.share;
  }

  /**
   * All computed shares: those of flows that compete with local ones, directly or through others, and of some that
   * did so before other flows ended.
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
    return flows.sort(inOrder);
  }

  #look(flows: readonly Flow[]): Changes {
    for (const flow of flows) if (!(flow.demandBps >= 0)) throw demandError(flow);
    const head = this.#list.sameHead(flows);
    const tail = this.#list.sameTail(flows, head);
    const [oldEnd, end] = [this.#last.length - tail, flows.length - tail];
    const wasPlain = this.#last.length === this.#known.size;
    const added: KnownFlow[] = [];
    const middle: KnownFlow[] = [];
    for (let at = head; at < end; at++) {
      const known = this.#known.get(rankOf(flows[at]!)) ?? this.#meet(flows[at]!, added);
      known.uses++;
      middle.push(known);
    }
    const removed = this.#forget(head, oldEnd);
    if (middle.length > FEW) this.#last = this.#last.slice(0, head).concat(middle, this.#last.slice(oldEnd));
    else this.#last.splice(head, oldEnd - head, ...middle);
    const places = this.#list.replace(flows, head, tail);
    for (let at = head; at < end; at++) places.push(at);
    const isPlain = wasPlain && this.#last.length === this.#known.size;
    const changed = isPlain ? this.#changedAt(places, flows) : this.#changedAnywhere(flows);
    return { added, removed, changed };
  }

  /** Returns the flows that only this part of the last update named. */
  #forget(begin: number, end: number): KnownFlow[] {
    const removed: KnownFlow[] = [];
    for (let at = begin; at < end; at++) {
      const known = this.#last[at]!;
      if (--known.uses > 0) continue;
      this.#known.delete(rankOf(known));
      removed.push(known);
    }
    return removed;
  }

  /** Each flow is named once, and only the demands at these places may have changed. */
  #changedAt(places: readonly number[], flows: readonly Flow[]): KnownFlow[] {
    for (const at of places) this.#last[at]!.wanted = flows[at]!.demandBps;
    return places.map((at) => this.#last[at]!).filter(isChanged);
  }

  #changedAnywhere(flows: readonly Flow[]): KnownFlow[] {
    for (const known of this.#last) known.wanted = 0;
    flows.forEach(({ demandBps }, at) => {
      const known = this.#last[at]!;
      known.wanted = Math.max(known.wanted, demandBps);
    });
    return [...this.#known.values()].filter(isChanged);
  }

  #meet(flow: Flow, added: KnownFlow[]): KnownFlow {
    const { paths, linkCapacity } = this.#network;
    const { source, destination, index = 0 } = flow;
    const path = paths(source, destination, index);
    const isLimited = (link: number): boolean => linkCapacity[link] !== Number.POSITIVE_INFINITY;
    const known = {
      source,
      destination,
      index,
      isLocal: this.#isLocal(flow),
      isReachable: path !== undefined,
      links:
        path === undefined ? [] : path.links.every(isLimited) ? path.links : path.links.filter(isLimited),
      weight: path === undefined ? 1 : perSecond(roundTripMicros(path, paths(destination, source, index))),
      number: -1,
      demand: Number.NaN,
      wanted: Number.NaN,
      uses: 0,
      share: undefined,
    };
    this.#known.set(rankOf(flow), known);
    added.push(known);
    return known;
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

  /** Returns the links that it crossed. */
  #remove({ number, links }: KnownFlow): readonly number[] {
    removeSorted(this.#numbers, number, this.#filling.byRank);
    this.#groups.remove(number);
    this.#free.push(number);
    return links;
  }

  /** Numbers all flows by rank, so that the flows of a link have consecutive numbers, and forms all groups anew. */
  #regroup({ added, changed }: Changes): Iterable<FlowGroup> {
    for (const flow of [...added, ...changed]) if (!competes(flow)) this.#setDemand(flow);
    const competing = [...this.#known.values()].filter(competes);
    this.#flows.length = 0;
    this.#free.length = 0;
    // Arrays of numbers are sorted without calls of a function.
    for (const rank of Float64Array.from(competing, rankOf).sort()) this.#number(this.#known.get(rank)!);
    this.#numbers = this.#flows.map(({ number }) => number);
    return this.#groups.regroup(this.#numbers);
  }

  /** Shares that did not change stay the same objects. */
  #fill(group: FlowGroup): void {
    if (group.localCount === 0) return;
    const { rate, ceiling, limitedBy } = this.#filling;
    for (const number of this.#filling.run(group)) {
      const flow = this.#flows[number]!;
      flow.share = {
        ...nodesOf(flow),
        rateBps: rate[number]!,
        ceilingBps: ceiling[number]!,
        limitedBy: limitedBy[number]!,
      };
    }
  }
}

function rankOf({ source, destination, index = 0 }: Omit<Flow, 'demandBps'>): number {
  return source * RANK_FACTOR + destination + index * INDEX_PART;
}

function nodesOf({
  source,
  destination,
  index,
}: KnownFlow): Pick<FlowShare, 'source' | 'destination' | 'index'> {
  return index === 0 ? { source, destination } : { source, destination, index };
}

function inOrder(a: KnownFlow, b: KnownFlow): number {
  return rankOf(a) - rankOf(b);
}

function isListed({ isLocal, isReachable }: KnownFlow): boolean {
  return isLocal && isReachable;
}

/** For a flow that was known before. */
function isChanged({ wanted, demand }: KnownFlow): boolean {
  return wanted !== demand && !Number.isNaN(demand);
}

function competes({ links }: KnownFlow): boolean {
  return links.length > 0;
}

/** On unlimited links, a flow gets its demand and could get any rate. Without a path it has no share. */
function aloneShare(flow: KnownFlow): FlowShare | undefined {
  if (!flow.isReachable) return undefined;
  return {
    ...nodesOf(flow),
    rateBps: flow.demand,
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
