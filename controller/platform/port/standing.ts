/** The plan of a running experiment, from the bootstraps of its agents. */

import { isIPv4 } from 'node:net';
import { namespaceName } from '../../../agent/kernel/netns/namespace-files.ts';
import type { Bootstrap, LocalEndpoint } from '../../../proto/bootstrap.ts';
import type { Plan, PlannedEndpoint, PlannedHost } from './plan.ts';
import type { Standing, Wanted } from './platform.ts';

export const isStanding = (wanted: Wanted | Standing): wanted is Standing => 'standing' in wanted;

/** For endpoints in named namespaces. `namespaceOf`: the namespace of a host, which bootstraps don't contain. */
export function standingPlan(
  { experiment, standing }: Standing,
  namespaceOf: (host: string) => string,
): Pick<Plan, 'experiment' | 'hosts' | 'endpoints' | 'settings'> {
  const all = [...standing.values()].map((bootstrap, index) => {
    const host = hostOf(bootstrap, index, namespaceOf(bootstrap.host));
    return { host, endpoints: bootstrap.endpoints.map((endpoint) => endpointOf(endpoint, host)) };
  });
  const endpoints = all.flatMap((one) => one.endpoints).sort((a, b) => a.number - b.number);
  return { experiment, hosts: all.map(({ host }) => host), endpoints, settings: {} };
}

function hostOf({ host: name, mesh }: Bootstrap, index: number, namespace: string): PlannedHost {
  const [, , address = '', , port = '0'] = (mesh.listen[0] ?? '').split('/');
  return { index, name, namespace, address, meshPort: Number(port) };
}

function endpointOf(endpoint: LocalEndpoint, host: PlannedHost): PlannedEndpoint {
  const { number, name, namespace, ifname, ifindex, addresses } = endpoint;
  return {
    ...{ number, name, addresses, host },
    namespace: namespaceName(namespace),
    interface: { name: ifname, index: ifindex },
    address: preferIpv4(addresses),
  };
}

/** The address for messages; there is at least one. */
export const preferIpv4 = (addresses: readonly string[]): string =>
  addresses.find((one) => isIPv4(one)) ?? addresses[0]!;
