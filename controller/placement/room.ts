/** What does not fit: found before the search where it can be known, and after it otherwise. */
import { formatMemory, formatRate } from '../../proto/units.ts';
import { count } from '../../proto/words.ts';
import type { Graph } from '../../topology/model/model.ts';
import { ControllerError } from '../errors.ts';
import type { HostRoom, PlacedHost, Wishes } from './model.ts';

/** A resource of which hosts say how much they have. */
interface Resource {
  readonly name: string;
  readonly needOf: (wishes: Wishes, endpoint: number) => number;
  readonly roomOf: (host: HostRoom) => number;
  readonly format: (amount: number) => string;
}

export const RESOURCES: readonly Resource[] = [
  {
    name: 'endpoints',
    needOf: () => 1,
    roomOf: ({ endpoints = Number.POSITIVE_INFINITY }) => endpoints,
    format: (amount) => count(amount, 'endpoint'),
  },
  {
    name: 'cores',
    needOf: ({ cores }, endpoint) => cores[endpoint]!,
    roomOf: ({ cores = Number.POSITIVE_INFINITY }) => cores,
    format: (amount) => count(Number(amount.toPrecision(6)), 'core'),
  },
  {
    name: 'memory',
    needOf: ({ memoryBytes }, endpoint) => memoryBytes[endpoint]!,
    roomOf: ({ memoryBytes = Number.POSITIVE_INFINITY }) => memoryBytes,
    format: (amount) => `${formatMemory(amount)} of memory`,
  },
];

/** Sums of fractions are off by less. */
const NOISE = 1e-9;

/** Throws `PLACEMENT_NO_ROOM` for what no placement can satisfy. */
export function requirePossible(graph: Graph, hosts: readonly HostRoom[], wishes: Wishes): void {
  for (const resource of RESOURCES) {
    requireTotal(resource, graph, hosts, wishes);
    requireEach(resource, graph, hosts, wishes);
    requirePinned(resource, graph, hosts, wishes);
  }
  for (const { text, endpoints } of wishes.apart) requireApart(text, endpoints, hosts, wishes);
}

function requireTotal(
  resource: Resource,
  { endpoints }: Graph,
  hosts: readonly HostRoom[],
  wishes: Wishes,
): void {
  const { name, needOf, roomOf, format } = resource;
  const need = endpoints.reduce((sum, _, endpoint) => sum + needOf(wishes, endpoint), 0);
  const room = hosts.reduce((sum, host) => sum + roomOf(host), 0);
  if (need <= room + NOISE) return;
  const all =
    hosts.length === 1 ? `the host ${hosts[0]!.name} has` : `all ${hosts.length} hosts together have`;
  throw noRoom(
    `the endpoints need ${format(need)}, and ${all} ${format(room)}`,
    `add a host, or give a host more ${name} in the inventory; ${format(need - room)} are missing`,
  );
}

function requireEach(resource: Resource, graph: Graph, hosts: readonly HostRoom[], wishes: Wishes): void {
  const { name, needOf, roomOf, format } = resource;
  graph.endpoints.forEach((endpoint, number) => {
    const need = needOf(wishes, number);
    const allowed = wishes.hostsOf.get(number);
    const possible = allowed ? allowed.map((host) => hosts[host]!) : hosts;
    const most = possible.reduce((best, host) => (roomOf(host) > roomOf(best) ? host : best));
    if (need <= roomOf(most) + NOISE) return;
    throw noRoom(
      `${endpoint} needs ${format(need)}, and ${most.name}, which has the most ${allowed ? 'of the hosts that it is pinned to' : 'of all hosts'}, has ${format(roomOf(most))}`,
      `give ${endpoint} less under needs, or a host more ${name}`,
    );
  });
}

function requirePinned(resource: Resource, graph: Graph, hosts: readonly HostRoom[], wishes: Wishes): void {
  const { name, needOf, roomOf, format } = resource;
  const pinned = hosts.map((): number[] => []);
  for (const [endpoint, [host, ...others]] of wishes.hostsOf)
    if (host !== undefined && others.length === 0) pinned[host]!.push(endpoint);
  hosts.forEach((host, index) => {
    const endpoints = pinned[index]!;
    const need = endpoints.reduce((sum, endpoint) => sum + needOf(wishes, endpoint), 0);
    if (need <= roomOf(host) + NOISE) return;
    throw noRoom(
      `${host.name} has ${format(roomOf(host))}, and what is pinned to it needs ${format(need)}: ${someOf(endpoints, graph)}`,
      `pin less to ${host.name}, or give it more ${name}`,
    );
  });
}

function requireApart(
  text: string,
  endpoints: readonly number[],
  hosts: readonly HostRoom[],
  wishes: Wishes,
): void {
  const possible = new Set<number>();
  for (const endpoint of endpoints)
    for (const host of wishes.hostsOf.get(endpoint) ?? hosts.keys()) possible.add(host);
  if (endpoints.length <= possible.size) return;
  throw noRoom(
    `the ${count(endpoints.length, 'endpoint')} of ${text} have to be apart, and there are ${count(possible.size, 'host')} for them`,
    `add ${count(endpoints.length - possible.size, 'host')}, or take ${text} out of apart`,
  );
}

/** Throws `PLACEMENT_NO_ROOM` where a found placement exceeds what hosts have. */
export function requireFits(
  graph: Graph,
  hosts: readonly HostRoom[],
  wishes: Wishes,
  placed: readonly PlacedHost[],
): void {
  for (const resource of RESOURCES) requireRoomOf(resource, hosts, wishes, placed);
  for (const { text, endpoints } of wishes.apart) {
    for (const host of placed) {
      const together = endpoints.filter((endpoint) => host.endpoints.includes(endpoint));
      if (together.length < 2) continue;
      throw noRoom(
        `no placement was found that keeps ${text} apart: ${someOf(together, graph)} would be on ${host.name}`,
        'add a host, pin less, or take groups out of apart',
      );
    }
  }
  requireNetwork(hosts, placed);
}

function requireRoomOf(
  { name, needOf, roomOf, format }: Resource,
  hosts: readonly HostRoom[],
  wishes: Wishes,
  placed: readonly PlacedHost[],
): void {
  placed.forEach(({ endpoints }, index) => {
    const host = hosts[index]!;
    const need = endpoints.reduce((sum, endpoint) => sum + needOf(wishes, endpoint), 0);
    if (need <= roomOf(host) + NOISE) return;
    throw noRoom(
      `no placement was found in which everything fits: the best needs ${format(need)} on ${host.name}, which has ${format(roomOf(host))}`,
      `give ${host.name} more ${name}, add a host, or pin less`,
    );
  });
}

function requireNetwork(hosts: readonly HostRoom[], placed: readonly PlacedHost[]): void {
  placed.forEach(({ name, leavingBps, arrivingBps }, index) => {
    const { bandwidth = Number.POSITIVE_INFINITY } = hosts[index]!;
    const most = Math.max(leavingBps, arrivingBps);
    if (most <= bandwidth + NOISE) return;
    const way = leavingBps >= arrivingBps ? 'can leave' : 'can arrive at';
    throw noRoom(
      `no placement was found for the bandwidth of ${name}: ${formatRate(most)} ${way} it, and it has ${formatRate(bandwidth)}`,
      `give ${name} more bandwidth, or none in the inventory if applications send less than their links allow; or use fewer hosts`,
    );
  });
}

const SHOWN = 5;

function someOf(endpoints: readonly number[], graph: Graph): string {
  const names = endpoints.slice(0, SHOWN).map((endpoint) => graph.endpoints[endpoint]!);
  return endpoints.length > SHOWN
    ? `${names.join(', ')} and ${endpoints.length - SHOWN} more`
    : names.join(', ');
}

function noRoom(message: string, remedy: string): ControllerError {
  return new ControllerError('PLACEMENT_NO_ROOM', message, remedy);
}
