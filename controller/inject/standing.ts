/** What runs on hosts, by their own state: no file of the machine from which it was started is needed. */
import { count } from '../../proto/words.ts';
import type { Inventory, InventoryHost } from '../inventory/model.ts';
import { readInventory } from '../inventory/read.ts';
import { failed, onEachHost, requireAll } from './each-host.ts';
import { hostsScript, NAMES_SCRIPT } from './host-scripts.ts';
import type { Connections } from './ssh/connections.ts';
import { InjectError } from './ssh/errors.ts';

/** As `requireName` takes them. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/;

/**
 * The name of the one injection that hosts have, whichever of them have it. Throws `INJECTION_UNKNOWN` if there is none, and
 * `INJECTIONS_SEVERAL`; `HOSTS_FAILED` if none is found, and some could not be asked.
 */
export async function findInjection(
  connections: Connections,
  hosts: readonly InventoryHost[],
): Promise<string> {
  const outcomes = await onEachHost(hosts, async (host) => {
    const said = await (await connections.to(host)).run(NAMES_SCRIPT, { doing: 'looking for injections' });
    return said.split('\n').filter((line) => NAME.test(line));
  });
  const hostsOf = new Map<string, string[]>();
  for (const { host, value = [] } of outcomes)
    for (const name of value) hostsOf.set(name, [...(hostsOf.get(name) ?? []), host]);
  const [first, ...others] = [...hostsOf].sort(([a], [b]) => (a < b ? -1 : 1));
  if (!first) {
    if (failed(outcomes).length > 0)
      requireAll(outcomes, 'looking for injections', 'none is known of the others');
    throw new InjectError(
      'INJECTION_UNKNOWN',
      hosts.length === 1
        ? `${hosts[0]!.name}: nothing runs there`
        : `nothing runs on the ${hosts.length} hosts`,
      'netfold inject FILE --inventory HOSTS start',
    );
  }
  if (others.length === 0) return first[0];
  const shown = [first, ...others].map(([name, on]) => `${name} (${count(on.length, 'host')})`);
  throw new InjectError(
    'INJECTIONS_SEVERAL',
    `several injections run on these hosts: ${shown.join(', ')}`,
    `say which is meant: --name ${first[0]}`,
  );
}

/**
 * The hosts of an injection, of which one is known: it has the inventory of all. The known one is reached as it was given, since
 * the machine that has started it may have reached it by another address. An injection of an older version leads to no other host.
 * Throws `InjectError`, `TopologyError` for an inventory that is none.
 */
export async function inventoryThrough(
  connections: Connections,
  host: InventoryHost,
  experiment: string,
): Promise<Inventory> {
  const connection = await connections.to(host);
  const said = await connection.run(hostsScript(experiment), { doing: 'asking for the other hosts' });
  const [name = '', ...lines] = said.split('\n');
  if (name === '') return alone(host);
  const inventory = readInventory(lines.join('\n'), `the inventory on ${host.address}`);
  const hosts = inventory.hosts.map((one) => (one.name === name ? { ...host, name, is: one.is } : one));
  // What asks for it by its name in the inventory gets the connection that there is.
  connections.adopt(name, host);
  return { ...inventory, hosts };
}

/**
 * The inventory, of which no host says what it is, with what the hosts have of it: whichever of them answers first. As it was where
 * none takes part.
 */
export async function withPlaces(
  connections: Connections,
  inventory: Inventory,
  experiment: string,
): Promise<Inventory> {
  const asked = inventory.hosts.map(async (host) => {
    const said = await (await connections.to(host)).run(hostsScript(experiment), {
      doing: 'asking what it is',
    });
    const [, ...lines] = said.split('\n');
    return readInventory(lines.join('\n'), `the inventory on ${host.address}`);
  });
  const known = await Promise.any(asked).catch(() => undefined);
  if (!known) return inventory;
  const isOf = new Map(known.hosts.map(({ name, is }) => [name, is]));
  return { ...inventory, hosts: inventory.hosts.map((host) => ({ ...host, is: isOf.get(host.name) ?? [] })) };
}

export const alone = (host: InventoryHost): Inventory => ({
  ...{ file: host.address, hosts: [host] },
  ...{ needs: [], pins: [], apart: [] },
});

/** The inventory of those that take part, in the form that `readInventory` reads. */
export function inventoryText(
  hosts: readonly { readonly host: InventoryHost; readonly endpoints: readonly string[] }[],
): string {
  const entries = hosts.map(({ host: { name, address, user, port, jump }, endpoints }) => [
    name,
    {
      address,
      ...(user !== undefined && { user }),
      ...(port !== undefined && { port }),
      ...(jump !== undefined && { jump }),
      is: endpoints,
    },
  ]);
  return `${JSON.stringify({ hosts: Object.fromEntries(entries) })}\n`;
}

const HOST =
  /^(?:ssh:\/\/)?(?:([^@\s]{1,64})@)?(?:\[([0-9A-Fa-f:.]{2,45})\]|([^\s:@[\]]{1,253})|([0-9A-Fa-f:]{2,45}))(?::(\d{1,5}))?$/;

/** `[USER@]ADDRESS[:PORT]`, as a host. Throws `INJECT_USAGE`, `TopologyError`. */
export function parseHost(text: string): InventoryHost {
  const [, user, bracketed, plain, bare, port] = HOST.exec(text) ?? [];
  const address = bracketed ?? plain ?? bare;
  if (address === undefined)
    throw new InjectError(
      'INJECT_USAGE',
      `--host ${text}: this is no host`,
      'write [USER@]ADDRESS[:PORT], e.g. --host root@192.0.2.7',
    );
  const settings = {
    address,
    ...(user !== undefined && { user }),
    ...(port !== undefined && { port: Number(port) }),
  };
  // The name of a host has no colons.
  const name = address.replaceAll(':', '-').replace(/^-+/, '');
  return readInventory(JSON.stringify({ hosts: { [name]: settings } }), `--host ${text}`).hosts[0]!;
}
