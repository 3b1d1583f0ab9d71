/** Shares of plain arrays, by one run of the filling over all flows and links at once. */
import { Filling } from '../../agent/share/filling.ts';

export interface ShareProblem {
  /** Per link, bit/s; `Infinity` is a link that limits nothing. */
  readonly capacity: Float64Array;
  /** Flow f crosses the links linkOf[start[f]] .. linkOf[start[f + 1] - 1]; one more entry than there are flows. */
  readonly start: Int32Array;
  readonly linkOf: Int32Array;
  /** Per flow, 1 / RTT in any one unit of time. */
  readonly weight: Float64Array;
  /** Per flow, bit/s; `Infinity` is a greedy flow. */
  readonly demand: Float64Array;
}

/** Per flow, as in `Filling`. */
export type Shares = Pick<Filling, 'rate' | 'ceiling' | 'limitedBy'>;

/** All shares from scratch. O(crossings × log(links + flows)). */
export function fairShares({ capacity, start, linkOf, weight, demand }: ShareProblem): Shares {
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
