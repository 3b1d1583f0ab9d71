/** Endpoints → hosts that are far apart: pure, from a topology's graph, what hosts have room for, and the network between them. */

import type { Graph } from '../../../topology/model/model.ts';
import { SeededRandom } from '../../../topology/model/random.ts';
import { ControllerError } from '../../errors.ts';
import { linkGraph } from '../link-graph.ts';
import type { HostRoom, Placement, PlacementOptions, Wishes } from '../model.ts';
import { describePlacement, placeEndpoints, placementProblem } from '../place.ts';
import { requireFits } from '../room.ts';
import type { MatchProblem } from './assigned.ts';
import { type NetworkReport, networkReport } from './report.ts';
import { greedy, search } from './search.ts';
import { totalShortfall } from './shortfall.ts';
import { pathTable, type WayTable } from './tables.ts';

/** Searches: one from the placement with the least traffic between hosts, the others from nothing. */
const SEARCHES = 4;
/** Sums of shortfalls that differ by less are the same. */
const SAME = 1e-9;

export interface NetworkPlacement {
  readonly placement: Placement;
  /** What the network can't give there. */
  readonly network: NetworkReport;
}

/**
 * Places all endpoints so that the network between hosts gives what their paths ask for, as far as it can; and of such placements,
 * so that little traffic can cross. `first`: the host of each endpoint, from which it is sought (default: that with the least traffic
 * between hosts). Throws `PLACEMENT_NO_ROOM`, `PLACEMENT_TOO_LARGE`. The same arguments give the same placement.
 */
export function placeOnNetwork(
  graph: Graph,
  hosts: readonly HostRoom[],
  wishes: Wishes,
  options: PlacementOptions,
  ways: WayTable,
  first?: Int32Array,
): NetworkPlacement {
  const paths = pathTable(graph);
  const told = (placement: Placement): NetworkPlacement => ({
    placement,
    network: networkReport(graph, placement, paths, ways),
  });
  const links = linkGraph(graph);
  const least = first
    ? describePlacement(graph, links, hosts, wishes, first)
    : placeEndpoints(graph, hosts, wishes, options);
  const fits = doesFit(graph, hosts, wishes, least);
  if (fits && totalShortfall(paths, ways, least.hostOf) === 0) return told(least);
  const problem = { room: placementProblem(graph, links, hosts, wishes, options.balance), paths, ways };
  const found = matched(problem, least.hostOf, options.seed)
    .map((hostOf) => describePlacement(graph, links, hosts, wishes, hostOf))
    .filter((placement) => doesFit(graph, hosts, wishes, placement));
  const misses = (one: Placement): number => totalShortfall(paths, ways, one.hostOf);
  const [start, ...others] = fits ? [least, ...found] : found;
  if (!start) requireFits(graph, hosts, wishes, least.hosts);
  const best = others.reduce((before, next) => {
    const less = misses(next) - misses(before);
    if (Math.abs(less) > SAME) return less < 0 ? next : before;
    return next.crossTrafficBps < before.crossTrafficBps ? next : before;
  }, start ?? least);
  return told(best);
}

/** The best of each search. */
export function matched(problem: MatchProblem, first: Int32Array, seed: number): Int32Array[] {
  const random = new SeededRandom(seed);
  const starts = [first, ...Array.from({ length: SEARCHES - 1 }, () => greedy(problem, random))];
  return starts.flatMap((start) => (start ? [search(problem, start, random, SEARCHES).hostOf] : []));
}

/** The bandwidths of hosts are known of a whole placement only. */
function doesFit(
  graph: Graph,
  hosts: readonly HostRoom[],
  wishes: Wishes,
  { hosts: placed }: Placement,
): boolean {
  try {
    requireFits(graph, hosts, wishes, placed);
    return true;
  } catch (error) {
    if (error instanceof ControllerError) return false;
    throw error;
  }
}
