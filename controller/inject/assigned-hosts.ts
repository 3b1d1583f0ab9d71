/** Which host is which endpoints. Pure. */
import type { Graph, Topology } from '../../topology/model/model.ts';
import { serviceOf } from '../../topology/model/names.ts';
import type { Identity, Inventory, InventoryHost, Shape } from '../inventory/model.ts';
import { wishesOf } from '../placement/wishes.ts';
import { InjectError } from './ssh/errors.ts';

export interface AssignedEndpoint {
  readonly name: string;
  /** Absent: the interface by which SSH comes in. */
  readonly shape?: Shape;
}

export interface AssignedHost {
  readonly host: InventoryHost;
  /** None: the host takes no part. */
  readonly endpoints: readonly AssignedEndpoint[];
}

/**
 * All hosts, in the order of the inventory. An endpoint is one interface of a host: applications that run there already have its
 * addresses. Throws `TopologyError` for names that the topology lacks, `InjectError` (`INVENTORY_ENDPOINTS`).
 */
export function assignHosts(inventory: Inventory, topology: Topology, graph: Graph): AssignedHost[] {
  const { hostsOf } = wishesOf(inventory, topology, graph);
  const namesOf = inventory.hosts.map((): string[] => []);
  const without: string[] = [];
  graph.endpoints.forEach((name, number) => {
    const hosts = hostsOf.get(number) ?? [];
    const [host] = hosts;
    if (host === undefined || hosts.length > 1) without.push(name);
    else namesOf[host]!.push(name);
  });
  const assigned = inventory.hosts.map((host, index) => assign(host, namesOf[index]!));
  if (without.length > 0) {
    const shown = without.slice(0, 5).join(', ');
    throw wrong(
      `no host of ${inventory.file} is ${shown}${without.length > 5 ? `, nor ${without.length - 5} others` : ''}`,
      `write \`is: ${without[0]}\` at a host`,
    );
  }
  return assigned;
}

/** A host that is several has an interface for each of them. */
function assign(host: InventoryHost, names: readonly string[]): AssignedHost {
  const taken = new Map<Identity, string>();
  const endpoints = names.map((name): AssignedEndpoint => {
    const identity = identityOf(host, name);
    const shape = identity?.shape ?? (names.length === 1 ? host.shape : undefined);
    const other = identity && taken.get(identity);
    if (names.length > 1 && (shape === undefined || other !== undefined)) {
      const [one, two] = other === undefined ? names : [other, name];
      throw wrong(
        `the host ${host.name} would be both ${one} and ${two}`,
        `name one replica, such as is: client.0; or the interface of each: is: { ${one}: eth0, ${two}: eth1 }`,
      );
    }
    if (identity) taken.set(identity, name);
    return { name, ...(shape && { shape }) };
  });
  return { host, endpoints };
}

/** What the inventory calls it: by its own name, or that of its service, or of its only tag. */
function identityOf({ is }: InventoryHost, name: string): Identity | undefined {
  const tags = is.filter(({ text }) => text.startsWith('tag:'));
  return (
    is.find(({ text }) => text === name) ??
    is.find(({ text }) => text === serviceOf(name)) ??
    (tags.length === 1 ? tags[0] : undefined)
  );
}

const wrong = (what: string, remedy: string): InjectError =>
  new InjectError('INVENTORY_ENDPOINTS', what, remedy);
