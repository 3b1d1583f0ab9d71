/** Which host is which endpoint, where the inventory does not say so: by what hosts have, and by the network between them. Pure. */
import { formatMicros, micros } from '../../proto/units.ts';
import { count } from '../../proto/words.ts';
import type { Graph, Topology } from '../../topology/model/model.ts';
import { ControllerError } from '../errors.ts';
import type { Inventory, InventoryHost } from '../inventory/model.ts';
import type { Way } from '../inventory/network.ts';
import { DEFAULT_PLACEMENT, type HostRoom, type Placement, type Wishes } from '../placement/model.ts';
import { RESOURCES, requirePossible } from '../placement/room.ts';
import { placeOnNetwork } from '../placement/wide-area/place.ts';
import { type NetworkReport, networkText } from '../placement/wide-area/report.ts';
import { pathTable, type WayTable, wayTable } from '../placement/wide-area/tables.ts';
import { roomOf, wishesOf } from '../placement/wishes.ts';
import type { AssignedHost } from './assigned-hosts.ts';
import type { HostFacts } from './host-probe.ts';
import type { MeasuredWay } from './measure.ts';

/** A host that can take part, and what it has said. */
export interface Candidate {
  readonly name: string;
  readonly facts: Pick<HostFacts, 'cores' | 'memoryBytes'>;
}

export interface PlacedHosts {
  /** All hosts, in the order of the inventory. */
  readonly assigned: readonly AssignedHost[];
  readonly placement: readonly { readonly endpoint: string; readonly host: string }[];
  /** What the real network can't give there. */
  readonly network: NetworkReport;
  /** Where, and why. */
  readonly lines: readonly string[];
}

/** Of more, the paths to which the real network leaves the least are told. */
const MOST_TOLD = 10;

/** Whether no host says what it is. Where only some do, the others take no part. */
export const leavesPlacing = ({ hosts }: Pick<Inventory, 'hosts'>): boolean =>
  hosts.every(({ is }) => is.length === 0);

/**
 * An endpoint is one interface of a host, so each host gets one at most; those that are not candidates get none. What the inventory
 * says of a host's room goes before what the host says. Throws `PLACEMENT_NO_ROOM`, and `TopologyError` for names in the inventory's
 * wishes that the topology lacks.
 */
export function placeHosts(
  { inventory, topology, graph }: { inventory: Inventory; topology: Topology; graph: Graph },
  candidates: readonly Candidate[],
  measured: readonly MeasuredWay[],
): PlacedHosts {
  const { hosts } = inventory;
  const factsOf = new Map(candidates.map(({ name, facts }) => [name, facts]));
  const rooms = hosts.map((host) => roomFor(host, factsOf.get(host.name)));
  const ways = wayTable(
    measured.flatMap(directions),
    hosts.map(({ name }) => name),
  );
  const wishes = wishesOf(inventory, topology, graph);
  requirePossible(graph, rooms, wishes);
  const first = someMatching(graph, rooms, wishes);
  const { placement, network } = placeOnNetwork(graph, rooms, wishes, DEFAULT_PLACEMENT, ways, first);
  const placed = placement.hosts.map(({ endpoints }) => endpoints.map((one) => graph.endpoints[one]!));
  return {
    assigned: hosts.map((host, index) => ({
      host,
      endpoints: placed[index]!.map((name) => ({ name, ...(host.shape && { shape: host.shape }) })),
    })),
    placement: graph.endpoints.map((endpoint, number) => ({
      endpoint,
      host: hosts[placement.hostOf[number]!]!.name,
    })),
    network,
    lines: [
      ...placedLines(rooms, placed, factsOf),
      ...pathLines(graph, placement, ways),
      ...networkText(network).split('\n'),
    ],
  };
}

function roomFor(host: InventoryHost, facts: Candidate['facts'] | undefined): HostRoom {
  const { cores, memoryBytes } = facts ?? {};
  return {
    ...(cores !== undefined && !Number.isNaN(cores) && { cores }),
    ...(memoryBytes !== undefined && !Number.isNaN(memoryBytes) && { memoryBytes }),
    ...roomOf(host),
    endpoints: facts ? Math.min(1, host.endpoints ?? 1) : 0,
  };
}

/** A host of its own for each endpoint, with room for it: augmenting paths (Kuhn 1955). Throws `PLACEMENT_NO_ROOM`. */
function someMatching({ endpoints }: Graph, rooms: readonly HostRoom[], wishes: Wishes): Int32Array {
  const endpointOf = new Int32Array(rooms.length).fill(-1);
  const hostOf = new Int32Array(endpoints.length).fill(-1);
  const suits = (endpoint: number, host: number): boolean =>
    (wishes.hostsOf.get(endpoint)?.includes(host) ?? true) &&
    RESOURCES.every(({ needOf, roomOf: has }) => needOf(wishes, endpoint) <= has(rooms[host]!));
  const settle = (endpoint: number, tried: Set<number>): boolean => {
    for (const host of rooms.keys()) {
      if (tried.has(host) || !suits(endpoint, host)) continue;
      tried.add(host);
      const other = endpointOf[host]!;
      if (other !== -1 && !settle(other, tried)) continue;
      endpointOf[host] = endpoint;
      hostOf[endpoint] = host;
      return true;
    }
    return false;
  };
  endpoints.forEach((name, endpoint) => {
    if (settle(endpoint, new Set())) return;
    throw new ControllerError(
      'PLACEMENT_NO_ROOM',
      `no host with room for ${name} is left: each can be one endpoint`,
      'add a host, give a host more room in the inventory, or endpoints less under needs',
    );
  });
  return hostOf;
}

function directions({ between: [one, other], roundTrip, loss }: MeasuredWay): Way[] {
  const gives = { latency: micros(roundTrip / 2), ...(loss !== undefined && { loss }) };
  return [
    { from: one, to: other, ...gives },
    { from: other, to: one, ...gives },
  ];
}

function placedLines(
  rooms: readonly HostRoom[],
  placed: readonly (readonly string[])[],
  factsOf: ReadonlyMap<string, unknown>,
): string[] {
  const taking = rooms.flatMap(({ name, cores }, index) =>
    placed[index]!.map(
      (endpoint) => `${endpoint} is ${name}${cores === undefined ? '' : ` (${count(cores, 'core')})`}`,
    ),
  );
  const spare = rooms.filter(({ name }, index) => placed[index]!.length === 0 && factsOf.has(name));
  return spare.length === 0 ? taking : [...taking, `to spare: ${spare.map(({ name }) => name).join(', ')}`];
}

/** Paths beside the ways that they take, those with the least room first. */
function pathLines(graph: Graph, { hostOf, hosts }: Placement, ways: WayTable): string[] {
  const paths = pathTable(graph);
  const found: { readonly text: string; readonly spare: number }[] = [];
  for (let from = 0; from < paths.size; from++) {
    for (let to = from + 1; to < paths.size; to++) {
      const asked = paths.latency[from * paths.size + to]!;
      const real = ways.latency[hostOf[from]! * ways.size + hostOf[to]!]!;
      if (Number.isNaN(asked) || Number.isNaN(real)) continue;
      const ends = `${graph.endpoints[from]} > ${graph.endpoints[to]}`;
      const way = `${hosts[hostOf[from]!]!.name} > ${hosts[hostOf[to]!]!.name}`;
      const text = `${ends}: ${formatMicros(micros(asked))} asked for, ${way} takes ${formatMicros(micros(real))}`;
      found.push({ text, spare: asked - real });
    }
  }
  found.sort((one, other) => one.spare - other.spare);
  const shown = found.slice(0, MOST_TOLD).map(({ text }) => text);
  return found.length > shown.length
    ? [...shown, `and ${count(found.length - shown.length, 'path')} with more room`]
    : shown;
}
