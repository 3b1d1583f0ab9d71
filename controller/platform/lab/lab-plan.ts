/**
 * The plan of a local lab: pure, from the endpoints' names and the number of emulated hosts.
 *
 *   endpoint ── veth ── host namespace ── veth ── fabric namespace ── veth ── host namespace ── veth ── endpoint
 *
 * Hosts and fabric route /32 and /128 addresses and bridge nothing: a Linux bridge has at most 1,024 ports and floods
 * ARP. Neighbours are permanent entries, so no packet ever waits for ARP or neighbour discovery.
 */
import { NetfoldError } from '../../../proto/errors.ts';
import { count } from '../../../proto/words.ts';
import { serviceOf } from '../../../topology/model/names.ts';
import { MAX_ENDPOINTS_PER_HOST } from '../../machine/capacity.ts';
import { hostName, MESH_PORT } from '../../names.ts';
import type { Plan, PlannedEndpoint, PlannedHost } from '../port/plan.ts';
import { endpointNamespace, hostNamespace, hostsFile } from './lab-names.ts';

/** Name of this platform. */
export const LAB = 'lab';

export const MAX_HOSTS = 254;
/**
 * The next hops of endpoints and hosts; no interface has this address, it only names the other end of the veth pair.
 */
export const GATEWAY = '169.254.1.1';
export const GATEWAY6 = 'fe80::1';
/**
 * A prefix for unique local addresses (RFC 4193) that reads "netfo" and is the same in every lab: labs are not
 * connected, so addresses can't collide, and a script may rely on it.
 */
const PREFIX6 = 'fd6e:6574:666f';

export const ENDPOINT_INTERFACE = { name: 'eth0', index: 2 } as const;
/** No host is number 255, so no endpoint has it; an address of 32 bits has no broadcast address of its own. */
export const BROADCAST = '10.255.255.255';
/** Interface indices in hosts and fabric are chosen, so that no look-up is needed. */
export const FIRST_PORT = 10;
export const FABRIC_INTERFACE = { name: 'fabric0', index: 2 } as const;

/** Its `address` is of RFC 6598 space, which applications don't expect to own. */
export interface LabHost extends PlannedHost {
  /** Of its endpoints, one per family; the fabric has one route for each. */
  readonly networks: readonly LabNetwork[];
}

export interface LabNetwork {
  readonly prefix: string;
  readonly length: number;
  /** The next hop at the fabric's end. */
  readonly gateway: string;
}

/** `addresses`: 10.H.x.y, H being the host's index + 1; then fd6e:6574:666f:H::P, P being the number that x.y is. */
export interface LabEndpoint extends PlannedEndpoint {
  readonly host: LabHost;
}

/** What endpoints have addresses of: at least one of the two. Hosts have IPv4, where their agents meet. */
export interface LabFamilies {
  readonly ipv4: boolean;
  readonly ipv6: boolean;
}

export interface LabPlan extends Plan, LabFamilies {
  readonly hosts: readonly LabHost[];
  readonly endpoints: readonly LabEndpoint[];
}

export interface LabChoices extends LabFamilies {
  /** Per endpoint the index of its host; absent: in turn. */
  readonly hostOf: ArrayLike<number>;
}

/**
 * Spreads the endpoints over the hosts in turn, or as it is given. An endpoint's address of a family is the same whether it has one of the
 * other family or not.
 */
export function planLab(
  experiment: string,
  endpointNames: readonly string[],
  hostCount: number,
  { ipv4 = true, ipv6 = true, hostOf }: Partial<LabChoices> = {},
): LabPlan {
  if (!Number.isInteger(hostCount) || hostCount < 1 || hostCount > MAX_HOSTS) {
    throw limit(`--hosts ${hostCount}: a lab has 1 to ${MAX_HOSTS} hosts`, 'give a number in this range');
  }
  if (endpointNames.length > hostCount * MAX_ENDPOINTS_PER_HOST) {
    const fitting = hostCount * MAX_ENDPOINTS_PER_HOST;
    throw limit(
      `${endpointNames.length} endpoints don't fit ${hostCount} hosts`,
      `use at most ${fitting} endpoints, or more hosts`,
    );
  }
  const hosts = Array.from({ length: hostCount }, (_, index): LabHost => {
    const name = hostName(index);
    const address = `100.64.0.${index + 1}`;
    const networks = [
      ...(ipv4 ? [{ prefix: `10.${index + 1}.0.0`, length: 16, gateway: address }] : []),
      ...(ipv6 ? [{ prefix: `${prefix6(index)}::`, length: 64, gateway: GATEWAY6 }] : []),
    ];
    const namespace = hostNamespace(experiment, name);
    return { index, name, namespace, address, meshPort: MESH_PORT, networks };
  });
  const places = new Int32Array(hostCount);
  const endpoints = endpointNames.map((name, number): LabEndpoint => {
    const host = hosts[hostOf?.[number] ?? number % hostCount]!;
    const place = ++places[host.index]!;
    const addresses = [
      ...(ipv4 ? [`10.${host.index + 1}.${place >> 8}.${place & 0xff}`] : []),
      ...(ipv6 ? [`${prefix6(host.index)}::${place.toString(16)}`] : []),
    ];
    const namespace = endpointNamespace(experiment, name);
    const address = addresses[0]!;
    return { number, name, namespace, interface: ENDPOINT_INTERFACE, address, addresses, host };
  });
  return {
    ...{ platform: LAB, experiment, place: count(hostCount, 'host'), outlivesAgent: false },
    settings: {
      names: { hostsFile: hostsFile(experiment), listen: nameServers({ ipv4 }) },
      segments: { firstPort: FIRST_PORT },
    },
    ...{ ipv4, ipv6, hosts, endpoints },
  };
}

/**
 * Where each endpoint's DNS server listens, on its own loopback. The address is that of systemd-resolved, so applications that
 * serve DNS themselves have 127.0.0.1 and eth0. Without IPv4 there is ::1 as well, for resolvers that know IPv6 only.
 */
export const nameServers = ({ ipv4 }: Pick<LabFamilies, 'ipv4'>): string[] =>
  ipv4 ? ['127.0.0.53'] : ['::1', '127.0.0.53'];

/** A host's 64 bits of the addresses of its endpoints. */
function prefix6(hostIndex: number): string {
  return `${PREFIX6}:${(hostIndex + 1).toString(16)}`;
}

function limit(message: string, remedy: string): NetfoldError {
  return new NetfoldError({ code: 'LAB_LIMIT', blame: 'input', message, remedy });
}

/** Locally administered; the kind distinguishes the two ends of a pair. */
export function macOf(kind: 'endpoint' | 'host' | 'fabric', number: number): Uint8Array {
  const kinds = { endpoint: 0x10, host: 0x20, fabric: 0x30 };
  return new Uint8Array([0x02, kinds[kind], 0, (number >> 16) & 0xff, (number >> 8) & 0xff, number & 0xff]);
}

/**
 * The lines of /etc/hosts in every endpoint: each endpoint by all its addresses, and each service as the name of all its
 * replicas. `localhost` is ::1 only where loopback has it: an application that tries it first would fail.
 */
export function hostsFileText(plan: LabPlan): string {
  const local = ['127.0.0.1\tlocalhost', ...(plan.ipv6 ? ['::1\tlocalhost ip6-localhost ip6-loopback'] : [])];
  const lines = plan.endpoints.flatMap(({ name, addresses }) =>
    addresses.map((address) => `${address}\t${name} ${serviceOf(name)}`),
  );
  return `${[...local, ...lines].join('\n')}\n`;
}
