/**
 * Progressive filling over arrays that are kept from one run to the next: nothing is allocated but when there are more
 * flows than ever before.
 *
 * Flows and links are numbers that may come and go in any order. What a run does to a link depends on the flows that
 * cross it, in the order of their ranks, and on theirs in turn: to the last bit the same whatever else there is.
 */
import { LevelHeap } from './level-heap.ts';
import { LinkPool } from './link-pool.ts';

/** Flows and links that share nothing with others. */
export interface Part {
  readonly links: readonly number[];
  readonly flows: readonly number[];
  /** Its flows with finite demand, by level, then by rank. */
  readonly order: readonly number[];
}

export class Filling {
  /** Per link, bit/s. */
  readonly capacity: Float64Array;
  /** Per link the flows that cross it, by rank; a flow is there as often as it crosses. Tell `touch` of changes. */
  readonly flowsOf: number[][];
  /** Per flow the links that it crosses. */
  readonly pool = new LinkPool();
  /** Per flow: what orders flows of equal level, and sums; the same on every host. */
  rank = new Float64Array(0);
  /** Per flow, as in `ShareProblem`. */
  weight = new Float64Array(0);
  demand = new Float64Array(0);
  /** Per flow: demand / weight. */
  level = new Float64Array(0);

  /** The result of the last run, as in `Shares`. NaN is no result: what follows is another one. */
  rate = new Float64Array(0);
  ceiling = new Float64Array(0);
  limitedBy = new Int32Array(0);

  /** Of the run that is going on. */
  #frozen = new Uint8Array(0);
  #rate = new Float64Array(0);
  #limitedBy = new Int32Array(0);
  /** Per link: the level at which it filled up; -1 while it has not. */
  readonly #fullAt: Float64Array;
  /** Per link, bit/s: capacity minus the rates of frozen flows. */
  readonly #left: Float64Array;
  /**
   * Per link: the weights of its unfrozen flows, as a sum and its rounding error (Neumaier's summation): after
   * subtracting nearly all of a sum whose terms differ by 1e7, a plain one would be wrong in the ninth digit.
   */
  readonly #weightSum: Float64Array;
  readonly #weightError: Float64Array;
  /** The same of all its flows, as each run begins; to be summed again after a touch. */
  readonly #allWeights: Float64Array;
  readonly #allErrors: Float64Array;
  readonly #touched: Uint8Array;
  /** Per link: crossings of unfrozen flows. */
  readonly #active: Int32Array;
  /** Links by the level at which they fill up, as far as is known. */
  readonly #levels: LevelHeap;

  constructor(capacity: Float64Array) {
    const links = capacity.length;
    this.capacity = capacity;
    this.flowsOf = Array.from({ length: links }, () => []);
    this.#fullAt = new Float64Array(links);
    this.#left = new Float64Array(links);
    this.#weightSum = new Float64Array(links);
    this.#weightError = new Float64Array(links);
    this.#allWeights = new Float64Array(links);
    this.#allErrors = new Float64Array(links);
    this.#touched = new Uint8Array(links);
    this.#active = new Int32Array(links);
    this.#levels = new LevelHeap(links);
  }

  /** Makes room for flows 0 to `count` - 1; what is known of them stays. */
  reserve(count: number): void {
    if (count <= this.weight.length) return;
    const room = Math.ceil(1.5 * count);
    this.rank = enlarged(this.rank, room);
    this.weight = enlarged(this.weight, room);
    this.demand = enlarged(this.demand, room);
    this.level = enlarged(this.level, room);
    this.rate = enlarged(this.rate, room);
    this.ceiling = enlarged(this.ceiling, room);
    const limitedBy = new Int32Array(room);
    limitedBy.set(this.limitedBy);
    this.limitedBy = limitedBy;
    this.pool.reserve(room);
    this.#frozen = new Uint8Array(room);
    this.#rate = new Float64Array(room);
    this.#limitedBy = new Int32Array(room);
  }

  /** Other flows cross the link than before. */
  touch(link: number): void {
    this.#touched[link] = 1;
  }

  readonly byRank = (a: number, b: number): number => this.rank[a]! - this.rank[b]!;

  readonly byLevel = (a: number, b: number): number => {
    const [one, other] = [this.level[a]!, this.level[b]!];
    return one === other ? this.rank[a]! - this.rank[b]! : one - other;
  };

  /** Computes the shares of a part; gives the flows with another result than before. */
  run(part: Part): number[] {
    this.#begin(part);
    const { order } = part;
    const levels = this.#levels;
    let next = 0;
    while (next < order.length || levels.size > 0) {
      if (next < order.length) {
        const flow = order[next]!;
        if (levels.size === 0 || this.level[flow]! <= levels.topLevel) {
          next++;
          if (!this.#frozen[flow]) this.#freeze(flow, this.demand[flow]!);
          continue;
        }
      }
      this.#reachLink(levels);
    }
    return this.#finish(part);
  }

  #begin({ flows, links }: Part): void {
    for (const flow of flows) {
      this.#frozen[flow] = 0;
      this.#limitedBy[flow] = -1;
    }
    for (const link of links) {
      if (this.#touched[link]) this.#weigh(link);
      this.#fullAt[link] = -1;
      this.#left[link] = this.capacity[link]!;
      this.#weightSum[link] = this.#allWeights[link]!;
      this.#weightError[link] = this.#allErrors[link]!;
      this.#active[link] = this.flowsOf[link]!.length;
      if (this.#active[link]! > 0 && this.capacity[link] !== Number.POSITIVE_INFINITY)
        this.#levels.push(this.#levelOf(link), link);
    }
  }

  #weigh(link: number): void {
    this.#weightSum[link] = 0;
    this.#weightError[link] = 0;
    for (const flow of this.flowsOf[link]!) this.#addWeight(link, this.weight[flow]!);
    this.#allWeights[link] = this.#weightSum[link]!;
    this.#allErrors[link] = this.#weightError[link]!;
    this.#touched[link] = 0;
  }

  /** The link that is thought to fill up next: it does, or is left alone, or fills up later than thought. */
  #reachLink(levels: LevelHeap): void {
    const link = levels.topId;
    if (this.#active[link] === 0) {
      levels.pop();
      return;
    }
    // Levels of links only grow while flows are frozen, so a stale level is too low and its link comes too early.
    const level = this.#levelOf(link);
    if (level > levels.topLevel) {
      levels.raiseTop(level);
      return;
    }
    levels.pop();
    this.#fill(link, level);
  }

  #levelOf(link: number): number {
    return Math.max(0, this.#left[link]!) / (this.#weightSum[link]! + this.#weightError[link]!);
  }

  #fill(link: number, level: number): void {
    this.#fullAt[link] = level;
    for (const flow of this.flowsOf[link]!) {
      if (this.#frozen[flow]) continue;
      this.#limitedBy[flow] = link;
      this.#freeze(flow, Math.min(this.weight[flow]! * level, this.demand[flow]!));
    }
  }

  #freeze(flow: number, rate: number): void {
    const { links, start, end } = this.pool;
    const lighter = -this.weight[flow]!;
    this.#frozen[flow] = 1;
    this.#rate[flow] = rate;
    const past = end[flow]!;
    for (let at = start[flow]!; at < past; at++) {
      const link = links[at]!;
      this.#left[link]! -= rate;
      this.#active[link]!--;
      this.#addWeight(link, lighter);
    }
  }

  #addWeight(link: number, weight: number): void {
    const old = this.#weightSum[link]!;
    const sum = old + weight;
    this.#weightError[link]! += Math.abs(old) >= Math.abs(weight) ? old - sum + weight : weight - sum + old;
    this.#weightSum[link] = sum;
  }

  /** What no event froze has infinite demand and crosses unlimited links only. */
  #finish({ flows }: Part): number[] {
    const moved: number[] = [];
    for (const flow of flows) {
      const rate = this.#frozen[flow] ? this.#rate[flow]! : Number.POSITIVE_INFINITY;
      const link = this.#limitedBy[flow]!;
      const ceiling = link === -1 ? this.#ceilingOf(flow, rate) : rate;
      if (rate === this.rate[flow] && ceiling === this.ceiling[flow] && link === this.limitedBy[flow])
        continue;
      this.rate[flow] = rate;
      this.ceiling[flow] = ceiling;
      this.limitedBy[flow] = link;
      moved.push(flow);
    }
    return moved;
  }

  /** Of a flow that no link limits. */
  #ceilingOf(flow: number, rate: number): number {
    const { links, start, end } = this.pool;
    const weight = this.weight[flow]!;
    let least = Number.POSITIVE_INFINITY;
    for (let at = start[flow]!; at < end[flow]!; at++) {
      const link = links[at]!;
      const fullAt = this.#fullAt[link]!;
      const most = fullAt >= 0 ? weight * fullAt : Math.max(0, this.#left[link]!) + rate;
      if (most < least) least = most;
    }
    return Math.max(least, rate);
  }
}

function enlarged(array: Float64Array<ArrayBuffer>, room: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(room);
  larger.set(array);
  return larger;
}
