/**
 * Flows grouped by the links that they share. Groups do not affect each other, so each is filled by itself.
 *
 * Groups merge when flows are added. When flows are removed, a group may fall apart. This changes no share, only the
 * amount of computation, so it is checked only now and then.
 */
import type { Filling, Part } from './filling.ts';
import { insertSorted, removeSorted } from './sorted-list.ts';

export interface FlowGroup extends Part {
  readonly links: number[];
  readonly flows: number[];
  readonly order: number[];
  /** How many of its flows are local. The shares of a group without local flows are not needed. */
  localCount: number;
}

/** When this many more flows were removed than are left, the groups are formed anew. */
const GONE_BEFORE_REGROUPING = 64;

export class FlowGroups {
  readonly #filling: Filling;
  readonly #isLocal: (flow: number) => boolean;
  /** Per link. */
  readonly #groupOf: (FlowGroup | undefined)[];
  /** Per flow its place in `FlowGroup.flows`. */
  readonly #place: number[] = [];
  #gone = 0;

  constructor(filling: Filling, isLocal: (flow: number) => boolean) {
    this.#filling = filling;
    this.#isLocal = isLocal;
    this.#groupOf = new Array(filling.capacity.length).fill(undefined);
  }

  /** The group of a flow, which has been added and crosses at least one link. */
  of(flow: number): FlowGroup {
    const { links, start } = this.#filling.pool;
    return this.#groupOf[links[start[flow]!]!]!;
  }

  /** The group of a link that a flow crosses or has crossed. */
  ofLink(link: number): FlowGroup | undefined {
    return this.#groupOf[link];
  }

  /** Adds a flow that `filling` knows. */
  add(flow: number): void {
    const { flowsOf, byRank } = this.#filling;
    for (const link of this.#linksOf(flow)) {
      insertSorted(flowsOf[link]!, flow, byRank);
      this.#filling.touch(link);
    }
    const group = this.#join(flow);
    if (Number.isFinite(this.#filling.demand[flow]!)) insertSorted(group.order, flow, this.#filling.byLevel);
  }

  /** Removes a flow. Its demand must be the one with which it was added. */
  remove(flow: number): void {
    const { flowsOf, byRank, byLevel, demand } = this.#filling;
    const group = this.of(flow);
    for (const link of this.#linksOf(flow)) {
      removeSorted(flowsOf[link]!, flow, byRank);
      this.#filling.touch(link);
    }
    if (Number.isFinite(demand[flow]!)) removeSorted(group.order, flow, byLevel);
    const last = group.flows.pop()!;
    if (last !== flow) {
      group.flows[this.#place[flow]!] = last;
      this.#place[last] = this.#place[flow]!;
    }
    if (this.#isLocal(flow)) group.localCount--;
    this.#gone++;
  }

  /** Calls `setDemand` between the removal of the flow from the order by level and its new insertion. */
  changeDemand(flow: number, setDemand: () => void): void {
    const { byLevel, demand } = this.#filling;
    const { order } = this.of(flow);
    if (Number.isFinite(demand[flow]!)) removeSorted(order, flow, byLevel);
    setDemand();
    if (Number.isFinite(demand[flow]!)) insertSorted(order, flow, byLevel);
  }

  /** Whether so many flows were removed that groups may have fallen apart. */
  isWorthRegrouping(flowCount: number): boolean {
    return this.#gone > flowCount + GONE_BEFORE_REGROUPING;
  }

  /** Forms all groups anew, of `flows` in the order of their ranks, and returns them. */
  regroup(flows: readonly number[]): ReadonlySet<FlowGroup> {
    const { flowsOf, demand, byLevel } = this.#filling;
    const { links, start, end } = this.#filling.pool;
    this.#gone = 0;
    this.#groupOf.fill(undefined);
    for (const list of flowsOf) if (list.length > 0) list.length = 0;
    for (const flow of flows) {
      for (let at = start[flow]!; at < end[flow]!; at++) {
        flowsOf[links[at]!]!.push(flow);
        this.#filling.touch(links[at]!);
      }
      this.#join(flow);
    }
    const groups = new Set(flows.map((flow) => this.of(flow)));
    for (const group of groups) {
      for (const flow of group.flows) if (Number.isFinite(demand[flow]!)) group.order.push(flow);
      group.order.sort(byLevel);
    }
    return groups;
  }

  #linksOf(flow: number): Int32Array {
    const { links, start, end } = this.#filling.pool;
    return links.subarray(start[flow]!, end[flow]!);
  }

  /** Puts a flow and its links into the group of these links; several groups become one. */
  #join(flow: number): FlowGroup {
    const { links, start, end } = this.#filling.pool;
    let group: FlowGroup | undefined;
    for (let at = start[flow]!; at < end[flow]!; at++) {
      const other = this.#groupOf[links[at]!];
      if (other && other !== group) group = group ? this.#merge(group, other) : other;
    }
    group ??= { links: [], flows: [], order: [], localCount: 0 };
    for (let at = start[flow]!; at < end[flow]!; at++) {
      const link = links[at]!;
      if (this.#groupOf[link]) continue;
      this.#groupOf[link] = group;
      group.links.push(link);
    }
    this.#place[flow] = group.flows.push(flow) - 1;
    if (this.#isLocal(flow)) group.localCount++;
    return group;
  }

  /** The smaller group is merged into the larger, so that no link moves more than log2(links) times. */
  #merge(a: FlowGroup, b: FlowGroup): FlowGroup {
    const [into, from] = a.links.length >= b.links.length ? [a, b] : [b, a];
    for (const link of from.links) {
      this.#groupOf[link] = into;
      into.links.push(link);
    }
    for (const flow of from.flows) this.#place[flow] = into.flows.push(flow) - 1;
    if (from.order.length > 0) {
      for (const flow of from.order) into.order.push(flow);
      into.order.sort(this.#filling.byLevel);
    }
    into.localCount += from.localCount;
    return into;
  }
}
