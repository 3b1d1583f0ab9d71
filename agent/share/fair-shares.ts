/**
 * Weighted max-min fair shares by progressive filling, over all links at once.
 *
 * A level rises from 0; every flow that is not frozen has the rate weight × level. A flow is frozen when it reaches
 * its demand or when a link that it crosses is full. With weight 1 / RTT this is how long-lived TCP flows divide a
 * network (Kelly 1997, "Charging and rate control for elastic traffic"; Bertsekas and Gallager, "Data Networks",
 * section 6.5.2, for the filling).
 *
 * Pure, and deterministic to the bit: the result depends on the arrays alone. Links and flows that share nothing
 * don't influence each other's bits, so hosts may leave out what doesn't concern them.
 */
import { NetfoldError } from '../../proto/errors.ts';
import { LevelHeap } from './level-heap.ts';

export interface ShareProblem {
  /** Per link, bit/s; `Infinity` is a link that limits nothing. */
  readonly capacity: Float64Array;
  /** Flow f crosses the links linkOf[start[f]] .. linkOf[start[f + 1] - 1]; one more entry than there are flows. */
  readonly start: Int32Array;
  readonly linkOf: Int32Array;
  /** Per flow, 1 / RTT in any one unit of time; `MIN_WEIGHT` to `MAX_WEIGHT`. */
  readonly weight: Float64Array;
  /** Per flow, bit/s; `Infinity` is a greedy flow. */
  readonly demand: Float64Array;
}

export interface Shares {
  /** Per flow, bit/s: the smaller of its demand and its fair share; `Infinity` where nothing limits it. */
  readonly rate: Float64Array;
  /**
   * Per flow, bit/s: what it could take at once if it became greedy now. For a flow with finite demand that is the
   * least over its links of weight × level (on a full link) and of what is left plus its own rate (on others); for a
   * flow that a link limits it is its rate. Never below `rate`.
   */
  readonly ceiling: Float64Array;
  /** Per flow: the link that froze it, or -1 where its own demand did, or nothing. */
  readonly limitedBy: Int32Array;
}

/**
 * Weights further apart than 1e18 would leave the small ones to rounding. In 1/s these are round trips of a nanosecond
 * and of 30 years.
 */
export const MIN_WEIGHT = 1e-9;
export const MAX_WEIGHT = 1e9;

/** O(crossings × log(links + flows)). Throws `NetfoldError` (`SHARE_INPUT`) on arrays that don't fit each other. */
export function fairShares(problem: ShareProblem): Shares {
  check(problem);
  const filling = new Filling(problem);
  filling.run();
  return { rate: filling.rate, ceiling: ceilings(problem, filling), limitedBy: filling.limitedBy };
}

class Filling {
  readonly rate: Float64Array;
  readonly limitedBy: Int32Array;
  /** Per link: the level at which it filled up; -1 while it has not. */
  readonly fullAt: Float64Array;
  /** Per link, bit/s: capacity minus the rates of frozen flows. */
  readonly left: Float64Array;

  readonly #problem: ShareProblem;
  readonly #frozen: Uint8Array;
  /**
   * Per link: the weights of its unfrozen flows, as a sum and its rounding error (Neumaier's summation): after
   * subtracting nearly all of a sum whose terms differ by 1e7, a plain one would be wrong in the ninth digit.
   */
  readonly #weightSum: Float64Array;
  readonly #weightError: Float64Array;
  /** Per link: crossings of unfrozen flows. */
  readonly #active: Int32Array;
  /** The other way round than `start` and `linkOf`: the flows of a link. */
  readonly #flowStart: Int32Array;
  readonly #flowOf: Int32Array;
  /** Ids below the number of flows are flows that reach their demand, the others are links that fill up. */
  readonly #events: LevelHeap;

  constructor(problem: ShareProblem) {
    const links = problem.capacity.length;
    const flows = problem.weight.length;
    this.#problem = problem;
    this.rate = new Float64Array(flows);
    this.limitedBy = new Int32Array(flows).fill(-1);
    this.fullAt = new Float64Array(links).fill(-1);
    this.left = Float64Array.from(problem.capacity);
    this.#frozen = new Uint8Array(flows);
    this.#weightSum = new Float64Array(links);
    this.#weightError = new Float64Array(links);
    this.#active = new Int32Array(links);
    this.#flowStart = new Int32Array(links + 1);
    this.#flowOf = new Int32Array(problem.linkOf.length);
    this.#events = new LevelHeap(links + flows);
    this.#index();
    this.#schedule();
  }

  run(): void {
    const events = this.#events;
    const { weight, demand } = this.#problem;
    const flows = weight.length;
    while (events.size > 0) {
      const id = events.topId;
      if (id < flows) {
        events.pop();
        if (!this.#frozen[id]) this.#freeze(id, demand[id]!);
        continue;
      }
      const link = id - flows;
      if (this.#active[link] === 0) {
        events.pop();
        continue;
      }
      // Levels of links only grow while flows are frozen, so a stale level is too low and its link comes too early.
      const level = this.#levelOf(link);
      if (level > events.topLevel) {
        events.raiseTop(level);
        continue;
      }
      events.pop();
      this.#fill(link, level);
    }
    // What no event froze has infinite demand and crosses unlimited links only.
    for (let flow = 0; flow < flows; flow++) {
      if (!this.#frozen[flow]) this.rate[flow] = Number.POSITIVE_INFINITY;
    }
  }

  #index(): void {
    const { start, linkOf, weight, capacity } = this.#problem;
    for (const link of linkOf) this.#flowStart[link + 1]!++;
    for (let link = 0; link < capacity.length; link++) this.#flowStart[link + 1]! += this.#flowStart[link]!;
    for (let flow = 0; flow < weight.length; flow++) {
      for (let at = start[flow]!; at < start[flow + 1]!; at++) {
        const link = linkOf[at]!;
        this.#flowOf[this.#flowStart[link]! + this.#active[link]!] = flow;
        this.#active[link]!++;
        this.#addWeight(link, weight[flow]!);
      }
    }
  }

  #schedule(): void {
    const { capacity, weight, demand } = this.#problem;
    for (let flow = 0; flow < weight.length; flow++) {
      if (demand[flow] !== Number.POSITIVE_INFINITY) this.#events.push(demand[flow]! / weight[flow]!, flow);
    }
    for (let link = 0; link < capacity.length; link++) {
      if (this.#active[link]! > 0 && capacity[link] !== Number.POSITIVE_INFINITY) {
        this.#events.push(this.#levelOf(link), weight.length + link);
      }
    }
  }

  #levelOf(link: number): number {
    return Math.max(0, this.left[link]!) / (this.#weightSum[link]! + this.#weightError[link]!);
  }

  #fill(link: number, level: number): void {
    this.fullAt[link] = level;
    for (let at = this.#flowStart[link]!; at < this.#flowStart[link + 1]!; at++) {
      const flow = this.#flowOf[at]!;
      if (this.#frozen[flow]) continue;
      this.limitedBy[flow] = link;
      this.#freeze(flow, Math.min(this.#problem.weight[flow]! * level, this.#problem.demand[flow]!));
    }
  }

  #freeze(flow: number, rate: number): void {
    const { start, linkOf, weight } = this.#problem;
    this.#frozen[flow] = 1;
    this.rate[flow] = rate;
    for (let at = start[flow]!; at < start[flow + 1]!; at++) {
      const link = linkOf[at]!;
      this.left[link]! -= rate;
      this.#active[link]!--;
      this.#addWeight(link, -weight[flow]!);
    }
  }

  #addWeight(link: number, weight: number): void {
    const old = this.#weightSum[link]!;
    const sum = old + weight;
    this.#weightError[link]! += Math.abs(old) >= Math.abs(weight) ? old - sum + weight : weight - sum + old;
    this.#weightSum[link] = sum;
  }
}

function ceilings(problem: ShareProblem, { rate, limitedBy, fullAt, left }: Filling): Float64Array {
  const { start, linkOf, weight } = problem;
  const ceiling = new Float64Array(rate.length);
  for (let flow = 0; flow < rate.length; flow++) {
    let least = limitedBy[flow] === -1 ? Number.POSITIVE_INFINITY : rate[flow]!;
    for (let at = start[flow]!; limitedBy[flow] === -1 && at < start[flow + 1]!; at++) {
      const link = linkOf[at]!;
      const full = fullAt[link]! >= 0;
      least = Math.min(least, full ? weight[flow]! * fullAt[link]! : Math.max(0, left[link]!) + rate[flow]!);
    }
    ceiling[flow] = Math.max(least, rate[flow]!);
  }
  return ceiling;
}

function check({ capacity, start, linkOf, weight, demand }: ShareProblem): void {
  const flows = weight.length;
  if (
    demand.length !== flows ||
    start.length !== flows + 1 ||
    start[0] !== 0 ||
    start[flows] !== linkOf.length
  ) {
    throw inputError(
      `${flows} weights, ${demand.length} demands and ${start.length} starts for ${linkOf.length} crossings`,
    );
  }
  for (let flow = 0; flow < flows; flow++) {
    if (!(weight[flow]! >= MIN_WEIGHT && weight[flow]! <= MAX_WEIGHT)) {
      throw inputError(`weight ${weight[flow]} of flow ${flow}`);
    }
    if (!(demand[flow]! >= 0)) throw inputError(`demand ${demand[flow]} of flow ${flow}`);
    if (start[flow]! > start[flow + 1]!) throw inputError(`start ${start[flow + 1]} of flow ${flow + 1}`);
  }
  for (let link = 0; link < capacity.length; link++) {
    if (!(capacity[link]! >= 0)) throw inputError(`capacity ${capacity[link]} of link ${link}`);
  }
  for (const link of linkOf) {
    if (!(link >= 0 && link < capacity.length)) throw inputError(`link ${link} of ${capacity.length}`);
  }
}

function inputError(what: string): NetfoldError {
  return new NetfoldError({
    code: 'SHARE_INPUT',
    blame: 'internal',
    message: `shares can't be computed: ${what} makes no sense`,
    remedy: 'report this as a bug of netfold',
  });
}
