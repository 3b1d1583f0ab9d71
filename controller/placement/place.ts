/** Endpoints → hosts: pure, from a topology's graph and what hosts have room for. */
import type { Graph } from '../../topology/model/model.ts';
import { ControllerError } from '../errors.ts';
import { trafficBetween, withBridges } from './cross-traffic.ts';
import { type LinkGraph, linkGraph, undirected } from './link-graph.ts';
import type { HostRoom, PlacedHost, Placement, PlacementOptions, Wishes } from './model.ts';
import { partition } from './partition/multilevel.ts';
import { NO_GROUPS, type Problem } from './partition/problem.ts';
import { RESOURCES, requireFits, requirePossible } from './room.ts';

/** Memory for the connections of every node to every host: some 270 MB. */
const MOST_CONNECTIONS = 2 ** 25;
/** What exceeds the even part of a host is a matter of taste; what exceeds its room does not fit. */
const SEVERITY = [1, ...RESOURCES.map(() => 100)];

/** Nothing but the number of endpoints counts. */
export function noWishes({ endpoints }: Graph): Wishes {
  const nothing = new Float64Array(endpoints.length);
  return { cores: nothing, memoryBytes: nothing, hostsOf: new Map(), apart: [] };
}

/**
 * Places all endpoints so that as little traffic as possible can cross between hosts, within what hosts have. Throws
 * `PLACEMENT_NO_ROOM`. The same arguments give the same placement.
 */
export function placeEndpoints(
  graph: Graph,
  hosts: readonly HostRoom[],
  wishes: Wishes,
  options: PlacementOptions,
): Placement {
  requireSize(graph, hosts);
  requirePossible(graph, hosts, wishes);
  const links = linkGraph(graph);
  const problem = placementProblem(graph, links, hosts, wishes, options.balance);
  const part = partition(problem, options.seed);
  const placement = describePlacement(graph, links, hosts, wishes, part);
  requireFits(graph, hosts, wishes, placement.hosts);
  return placement;
}

/** The wishes of a placement in which all endpoints but those of some hosts stay where they are. */
export function keeping(hostOf: ReadonlyMap<number, number>, wishes: Wishes): Wishes {
  const stay = [...hostOf].map(([endpoint, host]) => [endpoint, [host]] as const);
  return { ...wishes, hostsOf: new Map([...wishes.hostsOf, ...stay]) };
}

/** In turn, as a lab does it by default. */
export function inTurn({ endpoints }: Graph, hosts: number): Int32Array {
  return Int32Array.from(endpoints, (_, number) => number % hosts);
}

/** Of a host for every endpoint (and perhaps for bridges), what hosts then have. */
export function describePlacement(
  graph: Graph,
  links: LinkGraph,
  hosts: readonly HostRoom[],
  wishes: Wishes,
  part: Int32Array,
): Placement {
  const { length } = graph.endpoints;
  const hostOf = part.slice(0, length);
  const known = part.length === graph.nodes.length ? part : undefined;
  const between = trafficBetween(links, withBridges(links, hostOf, hosts.length, known), hosts.length);
  const turns = withBridges(links, inTurn(graph, hosts.length), hosts.length);
  const placed = hosts.map(({ name }, index): PlacedHost => {
    const endpoints = [...hostOf.keys()].filter((endpoint) => hostOf[endpoint] === index);
    const sum = (of: Float64Array): number => endpoints.reduce((total, endpoint) => total + of[endpoint]!, 0);
    return {
      name,
      endpoints,
      cores: sum(wishes.cores),
      memoryBytes: sum(wishes.memoryBytes),
      leavingBps: between.leavingBps[index]!,
      arrivingBps: between.arrivingBps[index]!,
    };
  });
  return {
    hostOf,
    hosts: placed,
    crossTrafficBps: between.totalBps,
    roundRobinBps: trafficBetween(links, turns, hosts.length).totalBps,
    dividedLinks: between.dividedEdges,
    links: graph.edges.length,
  };
}

function requireSize(graph: Graph, hosts: readonly HostRoom[]): void {
  if (hosts.length === 0)
    throw new ControllerError('PLACEMENT_NO_ROOM', 'there is no host to place endpoints on', 'add hosts');
  if (graph.nodes.length * hosts.length <= MOST_CONNECTIONS) return;
  throw new ControllerError(
    'PLACEMENT_NO_ROOM',
    `${graph.nodes.length} nodes on ${hosts.length} hosts are too many to place`,
    `use at most ${Math.floor(MOST_CONNECTIONS / graph.nodes.length)} hosts`,
  );
}

/** Endpoints and bridges as vertices; bridges need nothing and may be anywhere. */
export function placementProblem(
  graph: Graph,
  links: LinkGraph,
  hosts: readonly HostRoom[],
  wishes: Wishes,
  balance: number,
): Problem {
  const { length } = graph.endpoints;
  const resources = SEVERITY.length;
  const needs = new Float64Array(graph.nodes.length * resources);
  for (let endpoint = 0; endpoint < length; endpoint++) {
    needs[endpoint * resources] = 1;
    RESOURCES.forEach(({ needOf }, r) => {
      needs[endpoint * resources + r + 1] = needOf(wishes, endpoint);
    });
  }
  const even = evenParts(length, hosts, pinnedTo(hosts.length, wishes));
  const limits = hosts.flatMap((host, index) => [
    Math.ceil(even[index]! * (1 + balance)),
    ...RESOURCES.map(({ roomOf }) => roomOf(host)),
  ]);
  return {
    graph: undirected(links, 'cost'),
    parts: hosts.length,
    mass: new Float64Array(graph.nodes.length).fill(1),
    resources,
    needs,
    limits: Float64Array.from(limits),
    severity: Float64Array.from(SEVERITY),
    // Costs are of both directions, the bandwidth of a host is of each.
    cutLimits: Float64Array.from(hosts, ({ bandwidth = Number.POSITIVE_INFINITY }) => 2 * bandwidth),
    ...domainsOf(graph.nodes.length, hosts.length, wishes),
    ...groupsOf(graph.nodes.length, wishes),
  };
}

/** How many endpoints can be only there, per host. */
function pinnedTo(hosts: number, { hostsOf }: Wishes): Int32Array {
  const pinned = new Int32Array(hosts);
  for (const [host, ...others] of hostsOf.values())
    if (host !== undefined && others.length === 0) pinned[host]!++;
  return pinned;
}

/**
 * The part of each host: as many endpoints as its part of all cores, if all hosts say how many they have, or else the same
 * number; no more than it takes, and no fewer than are pinned to it.
 */
function evenParts(endpoints: number, hosts: readonly HostRoom[], pinned: Int32Array): Float64Array {
  const byCores = hosts.every(({ cores }) => cores !== undefined);
  const size = hosts.map(({ cores }) => (byCores ? cores! : 1));
  const parts = new Float64Array(hosts.length);
  const open = new Set(hosts.keys());
  let left = endpoints;
  for (let settled = true; settled && open.size > 0; ) {
    settled = false;
    const all = [...open].reduce((sum, host) => sum + size[host]!, 0);
    const perSize = left / all;
    for (const host of open) {
      const most = hosts[host]!.endpoints ?? Number.POSITIVE_INFINITY;
      const part = perSize * size[host]!;
      const bound = Math.min(Math.max(part, pinned[host]!), most);
      parts[host] = bound;
      if (bound === part) continue;
      open.delete(host);
      left = Math.max(0, left - bound);
      settled = true;
      break;
    }
  }
  return parts;
}

function domainsOf(nodes: number, hosts: number, { hostsOf }: Wishes): Pick<Problem, 'domain' | 'domains'> {
  const domain = new Int32Array(nodes).fill(-1);
  const domains: Uint8Array[] = [];
  const known = new Map<string, number>();
  for (const [endpoint, allowed] of hostsOf) {
    const key = allowed.toSorted((a, b) => a - b).join();
    let index = known.get(key);
    if (index === undefined) {
      const mask = new Uint8Array(hosts);
      for (const host of allowed) mask[host] = 1;
      index = domains.push(mask) - 1;
      known.set(key, index);
    }
    domain[endpoint] = index;
  }
  return { domain, domains };
}

function groupsOf(nodes: number, { apart }: Wishes): Pick<Problem, 'groups' | 'groupsOf'> {
  const of = Array<readonly number[]>(nodes).fill(NO_GROUPS);
  apart.forEach(({ endpoints }, group) => {
    for (const endpoint of endpoints) of[endpoint] = [...of[endpoint]!, group];
  });
  return { groups: apart.length, groupsOf: of };
}
