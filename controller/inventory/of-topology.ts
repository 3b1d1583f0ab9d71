/** The inventory that a topology brings with it: Kollaps' attributes of machines. Pure. */
import type { Service, Topology } from '../../topology/model/model.ts';
import type { Inventory } from './model.ts';
import { readInventory } from './read.ts';
import { HOST_PATTERN } from './schema.ts';

/**
 * `machinename` is where SSH leads, and `ip` the address whose interface is shaped; one of them alone is both. Services with one
 * `machinename` are interfaces of one host. `undefined`: no service has either. Throws `TopologyError` for what SSH does not take.
 */
export function inventoryOf({ services }: Topology, file: string): Inventory | undefined {
  const hosts = new Map<string, Service[]>();
  for (const service of services) {
    const { host, address } = service.machine ?? {};
    const at = host ?? address;
    if (at !== undefined) hosts.set(at, [...(hosts.get(at) ?? []), service]);
  }
  if (hosts.size === 0) return undefined;
  const entries = [...hosts].map(([address, own]) => {
    const name = HOST_PATTERN.test(address) ? address : own[0]!.name;
    return [name, { address, is: identitiesOf(own) }];
  });
  return readInventory(JSON.stringify({ hosts: Object.fromEntries(entries) }), `the machines of ${file}`);
}

/** With the address of each, where all have one. */
function identitiesOf(services: readonly Service[]) {
  const addresses = services.flatMap(({ name, machine }) =>
    machine?.address === undefined ? [] : [[name, machine.address]],
  );
  return addresses.length === services.length
    ? Object.fromEntries(addresses)
    : services.map(({ name }) => name);
}
