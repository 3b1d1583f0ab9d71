/** How much of a topology's traffic can cross between hosts, for any placement of its endpoints. */
import { SeededRandom } from '../../topology/model/random.ts';
import { type LinkGraph, undirected } from './link-graph.ts';
import { Assignment } from './partition/assignment.ts';
import { grown } from './partition/initial.ts';
import { NO_GROUPS, type Problem } from './partition/problem.ts';
import { isBetter, refine } from './partition/refine.ts';

export interface CrossTraffic {
  /** bit/s, both directions together. */
  readonly totalBps: number;
  /** Per host: what can leave it and what can arrive, in bit/s. */
  readonly leavingBps: Float64Array;
  readonly arrivingBps: Float64Array;
  /** Directed edges between hosts. */
  readonly dividedEdges: number;
}

/** The rates of the links between hosts; `hostOf`: of every node. */
export function trafficBetween(links: LinkGraph, hostOf: Int32Array, hosts: number): CrossTraffic {
  const leavingBps = new Float64Array(hosts);
  const arrivingBps = new Float64Array(hosts);
  let totalBps = 0;
  let dividedEdges = 0;
  links.rate.forEach((rate, edge) => {
    const [from, to] = [hostOf[links.from[edge]!]!, hostOf[links.to[edge]!]!];
    if (from === to) return;
    dividedEdges++;
    totalBps += rate;
    leavingBps[from]! += rate;
    arrivingBps[to]! += rate;
  });
  return { totalBps, leavingBps, arrivingBps, dividedEdges };
}

/** So many hosts are tried as the one that has all bridges. */
const MOST_CENTRES = 16;

/**
 * The host of each node for given hosts of the endpoints. Bridges run nowhere: each counts where least crosses between
 * hosts. Then no more than the rates of the links between hosts can cross, whatever the applications send. The least of
 * several attempts; finding the least of all is NP-hard for more than two hosts.
 */
export function withBridges(
  links: LinkGraph,
  hostOfEndpoint: ArrayLike<number>,
  hosts: number,
  known?: Int32Array,
): Int32Array {
  const problem = bridgeProblem(links, hostOfEndpoint, hosts);
  const first = grown(problem, new SeededRandom(1));
  let best = improved(problem, first);
  const consider = (part: Int32Array): void => {
    const next = improved(problem, part);
    if (isBetter(next, best)) best = next;
  };
  if (known) consider(known.slice());
  for (const host of centres(links, hostOfEndpoint, hosts))
    consider(first.map((_, node) => (node < hostOfEndpoint.length ? hostOfEndpoint[node]! : host)));
  return best.part;
}

function improved(problem: Problem, part: Int32Array): Assignment {
  const assignment = new Assignment(problem, part);
  refine(assignment);
  return assignment;
}

/** Hosts whose endpoints have the most links. */
function centres(links: LinkGraph, hostOfEndpoint: ArrayLike<number>, hosts: number): number[] {
  const rates = new Float64Array(hosts);
  links.rate.forEach((rate, edge) => {
    for (const end of [links.from[edge]!, links.to[edge]!])
      if (end < hostOfEndpoint.length) rates[hostOfEndpoint[end]!]! += rate;
  });
  const byRate = [...Array(hosts).keys()].sort((a, b) => rates[b]! - rates[a]!);
  return byRate.slice(0, MOST_CENTRES);
}

/** Endpoints stay, bridges may be anywhere, and nothing bounds a part. */
function bridgeProblem(links: LinkGraph, hostOfEndpoint: ArrayLike<number>, hosts: number): Problem {
  const domain = new Int32Array(links.size).fill(-1);
  for (let endpoint = 0; endpoint < hostOfEndpoint.length; endpoint++)
    domain[endpoint] = hostOfEndpoint[endpoint]!;
  return {
    graph: undirected(links, 'rate'),
    parts: hosts,
    mass: new Float64Array(links.size).fill(1),
    resources: 1,
    needs: new Float64Array(links.size),
    limits: new Float64Array(hosts).fill(Number.POSITIVE_INFINITY),
    severity: new Float64Array(1),
    cutLimits: new Float64Array(hosts).fill(Number.POSITIVE_INFINITY),
    domain,
    domains: Array.from({ length: hosts }, (_, host) => {
      const only = new Uint8Array(hosts);
      only[host] = 1;
      return only;
    }),
    groups: 0,
    groupsOf: Array<readonly number[]>(links.size).fill(NO_GROUPS),
  };
}
