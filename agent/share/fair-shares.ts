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
import { Filling } from './filling.ts';

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
  const { capacity, start, linkOf, weight, demand } = problem;
  const flows = [...weight.keys()];
  const filling = new Filling(capacity);
  filling.reserve(flows.length);
  filling.weight.set(weight);
  filling.demand.set(demand);
  for (const flow of flows) {
    filling.rank[flow] = flow;
    filling.level[flow] = demand[flow]! / weight[flow]!;
    const crossed = [...linkOf.subarray(start[flow]!, start[flow + 1]!)];
    filling.pool.set(flow, crossed);
    for (const link of crossed) filling.flowsOf[link]!.push(flow);
  }
  const links = [...capacity.keys()];
  for (const link of links) filling.touch(link);
  const order = flows.filter((flow) => demand[flow] !== Number.POSITIVE_INFINITY).sort(filling.byLevel);
  filling.run({ flows, links, order });
  return {
    rate: filling.rate.slice(0, flows.length),
    ceiling: filling.ceiling.slice(0, flows.length),
    limitedBy: filling.limitedBy.slice(0, flows.length),
  };
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
