/**
 * Weighted max-min fair shares by progressive filling, over arrays that are reused: memory is allocated only when
 * there are more flows than ever before.
 *
 * A level rises from 0, and every flow that is not frozen has the rate weight × level. A flow is frozen when it
 * reaches its demand or when a link that it crosses is full. With weight 1 / RTT, this is how long-lived TCP flows
 * share a network (Kelly 1997, "Charging and rate control for elastic traffic"; Bertsekas and Gallager, "Data
 * Networks", section 6.5.2, for the filling).
 *
 * Flows and links are numbers that may be added and removed in any order. The result for a link depends only on the
 * flows that cross it, in the order of their ranks, and on the flows that compete with these in turn. It is the same
 * to the last bit whatever other flows there are.
 */
import { LevelHeap } from './level-heap.ts';
import { LinkPool } from './link-pool.ts';

/** The state of a link: capacity minus the rates of frozen flows in bit/s, weights, crossings of unfrozen flows. */
const [LEFT, WEIGHTS, WEIGHTS_ERROR, ACTIVE, STATE] = [0, 1, 2, 3, 4];
const MIN_ROOM = 64;

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
  /** Per link, the flows that cross it, by rank; a flow is listed once per crossing. Report changes to `touch`. */
  readonly flowsOf: number[][];
  /** Per flow the links that it crosses. */
  readonly pool = new LinkPool();
  /** Per flow: the order of flows with equal level, and the order of sums; the same on every host. */
  rank = new Float64Array(0);
  /**
   * Per flow, 1 / RTT in any one unit of time. If weights differ by more than 1e18, rounding loses the small ones.
   */
  weight = new Float64Array(0);
  /** Per flow, bit/s; `Infinity` is a greedy flow. */
  demand = new Float64Array(0);
  /** Per flow: demand / weight. */
  level = new Float64Array(0);

  /**
   * The result of the last run. Per flow, bit/s: the smaller of its demand and its fair share; `Infinity` where
   * nothing limits it. Set it to NaN to make the next run report the flow as changed.
   */
  rate = new Float64Array(0);
  /**
   * Per flow, bit/s: what it could take at once if it became greedy now. For a flow with finite demand that is the
   * least over its links of weight × level (on a full link) and of what is left plus its own rate (on others); for a
   * flow that a link limits it is its rate. Never below `rate`.
   */
  ceiling = new Float64Array(0);
  /** Per flow: the link that froze it; -1 if its own demand froze it, or nothing. */
  limitedBy = new Int32Array(0);

  /** Of the current run. */
  #frozen = new Uint8Array(0);
  #rate = new Float64Array(0);
  #limitedBy = new Int32Array(0);
  /**
   * Per link, `STATE` numbers side by side, so that a crossing touches one cache line. The weights are those of the
   * link's unfrozen flows, as a sum and its rounding error (Neumaier's summation). With a plain sum, the ninth digit
   * would be wrong after subtracting nearly all of its terms, if these differ by 1e7.
   */
  readonly #state: Float64Array;
  /** The state of each link at the start of a run. Links that were touched have to be summed again. */
  readonly #begin: Float64Array;
  readonly #touched: Uint8Array;
  /** Per link: the level at which it filled up; -1 while it has not. */
  readonly #fullAt: Float64Array;
  /** Per link, after a run: that level if the link is full, what is left if it is not; otherwise infinite. */
  readonly #ends: Float64Array;
  /** Links by the level at which they fill up, as far as known. */
  readonly #levels: LevelHeap;

  constructor(capacity: Float64Array) {
    const links = capacity.length;
    this.capacity = capacity;
    this.flowsOf = Array.from({ length: links }, () => []);
    this.#state = new Float64Array(STATE * links);
    this.#begin = new Float64Array(STATE * links);
    this.#touched = new Uint8Array(links);
    this.#fullAt = new Float64Array(links);
    this.#ends = new Float64Array(2 * links);
    this.#levels = new LevelHeap(links);
  }

  /** Makes room for flows 0 to `count` - 1, and keeps their data. */
  reserve(count: number): void {
    if (count <= this.weight.length) return;
    const room = Math.max(MIN_ROOM, 2 * count);
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

  /** To be called when a flow was added to the link or removed from it. */
  touch(link: number): void {
    this.#touched[link] = 1;
  }

  readonly byRank = (a: number, b: number): number => this.rank[a]! - this.rank[b]!;

  readonly byLevel = (a: number, b: number): number => {
    const [one, other] = [this.level[a]!, this.level[b]!];
    return one === other ? this.rank[a]! - this.rank[b]! : one - other;
  };

  /** Computes the shares of a part. Returns the flows whose result changed. */
  run(part: Part): number[] {
    this.#start(part);
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

  #start({ flows, links }: Part): void {
    for (const flow of flows) {
      this.#frozen[flow] = 0;
      this.#limitedBy[flow] = -1;
    }
    for (const link of links) {
      if (this.#touched[link]) this.#weigh(link);
      for (let at = STATE * link; at < STATE * (link + 1); at++) this.#state[at] = this.#begin[at]!;
      this.#fullAt[link] = -1;
      if (this.flowsOf[link]!.length > 0 && this.capacity[link] !== Number.POSITIVE_INFINITY)
        this.#levels.push(this.#levelOf(link), link);
    }
  }

  #weigh(link: number): void {
    const [at, flows] = [STATE * link, this.flowsOf[link]!];
    this.#begin.fill(0, at, at + STATE);
    for (const flow of flows) addWeight(this.#begin, at, this.weight[flow]!);
    this.#begin[at + LEFT] = this.capacity[link]!;
    this.#begin[at + ACTIVE] = flows.length;
    this.#touched[link] = 0;
  }

  /**
   * Handles the link that is expected to fill up next: it fills up, has no unfrozen flows any more, or fills up later
   * than expected.
   */
  #reachLink(levels: LevelHeap): void {
    const link = levels.topId;
    if (this.#state[STATE * link + ACTIVE] === 0) {
      levels.pop();
      return;
    }
    // Levels of links only grow while flows are frozen. So an outdated level is too low, and its link comes too
    // early.
    const level = this.#levelOf(link);
    if (level > levels.topLevel) {
      levels.raiseTop(level);
      return;
    }
    levels.pop();
    this.#fill(link, level);
  }

  #levelOf(link: number): number {
    const [state, at] = [this.#state, STATE * link];
    return Math.max(0, state[at + LEFT]!) / (state[at + WEIGHTS]! + state[at + WEIGHTS_ERROR]!);
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
    const state = this.#state;
    const lighter = -this.weight[flow]!;
    this.#frozen[flow] = 1;
    this.#rate[flow] = rate;
    const past = end[flow]!;
    for (let hop = start[flow]!; hop < past; hop++) {
      const at = STATE * links[hop]!;
      state[at + LEFT]! -= rate;
      state[at + ACTIVE]!--;
      addWeight(state, at, lighter);
    }
  }

  /** Flows that no event froze have infinite demand and cross unlimited links only. */
  #finish({ flows, links }: Part): number[] {
    this.#noteEnds(links);
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

  /**
   * For a flow that no link limits. Rounding keeps the order, so the minimum may be found before the multiplication.
   */
  #ceilingOf(flow: number, rate: number): number {
    const { links, start, end } = this.pool;
    const ends = this.#ends;
    let level = Number.POSITIVE_INFINITY;
    let left = Number.POSITIVE_INFINITY;
    const past = end[flow]!;
    for (let hop = start[flow]!; hop < past; hop++) {
      const at = 2 * links[hop]!;
      if (ends[at]! < level) level = ends[at]!;
      if (ends[at + 1]! < left) left = ends[at + 1]!;
    }
    return Math.max(Math.min(this.weight[flow]! * level, left + rate), rate);
  }

  /** No flow could use what is left of a full link, and only full links have a level. */
  #noteEnds(links: readonly number[]): void {
    for (const link of links) {
      const isFull = this.#fullAt[link]! >= 0;
      this.#ends[2 * link] = isFull ? this.#fullAt[link]! : Number.POSITIVE_INFINITY;
      const left = Math.max(0, this.#state[STATE * link + LEFT]!);
      this.#ends[2 * link + 1] = isFull ? Number.POSITIVE_INFINITY : left;
    }
  }
}

function addWeight(state: Float64Array, at: number, weight: number): void {
  const old = state[at + WEIGHTS]!;
  const sum = old + weight;
  state[at + WEIGHTS_ERROR]! += Math.abs(old) >= Math.abs(weight) ? old - sum + weight : weight - sum + old;
  state[at + WEIGHTS] = sum;
}

function enlarged(array: Float64Array<ArrayBuffer>, room: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(room);
  larger.set(array);
  return larger;
}
