/** Which host is which endpoint. Pure. */
import type { Graph, Topology } from '../../topology/model/model.ts';
import type { Inventory, InventoryHost } from '../inventory/model.ts';
import { wishesOf } from '../placement/wishes.ts';
import { InjectError } from './ssh/errors.ts';

export interface AssignedHost {
  readonly host: InventoryHost;
  /** Absent: the host takes no part. */
  readonly endpoint?: string;
}

/**
 * All hosts, in the order of the inventory. A host is one endpoint: applications that run there already have its addresses.
 * Throws `TopologyError` for names that the topology lacks, `InjectError` (`INVENTORY_ENDPOINTS`).
 */
export function assignHosts(inventory: Inventory, topology: Topology, graph: Graph): AssignedHost[] {
  const { hostsOf } = wishesOf(inventory, topology, graph);
  const endpointOf = new Map<number, string>();
  const without: string[] = [];
  graph.endpoints.forEach((name, number) => {
    const hosts = hostsOf.get(number) ?? [];
    const [host] = hosts;
    if (host === undefined || hosts.length > 1) {
      without.push(name);
      return;
    }
    const other = endpointOf.get(host);
    if (other !== undefined)
      throw wrong(
        `the host ${inventory.hosts[host]!.name} would be both ${other} and ${name}`,
        'a host is one endpoint: name one replica, such as is: client.0',
      );
    endpointOf.set(host, name);
  });
  if (without.length > 0) {
    const shown = without.slice(0, 5).join(', ');
    throw wrong(
      `no host of ${inventory.file} is ${shown}${without.length > 5 ? `, nor ${without.length - 5} others` : ''}`,
      `write \`is: ${without[0]}\` at a host`,
    );
  }
  return inventory.hosts.map((host, index) => {
    const endpoint = endpointOf.get(index);
    return { host, ...(endpoint !== undefined && { endpoint }) };
  });
}

const wrong = (what: string, remedy: string): InjectError =>
  new InjectError('INVENTORY_ENDPOINTS', what, remedy);
