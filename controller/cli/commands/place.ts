/** `netfold place`: which endpoint on which host. Needs no root, asks no host, and changes nothing. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { EXIT_CODE } from '../../../proto/errors.ts';
import { formatRatio, parsePercentage } from '../../../proto/units.ts';
import { expandGraph } from '../../../topology/fold/graph.ts';
import { MAX_SEED } from '../../../topology/generate/generate.ts';
import type { Graph } from '../../../topology/model/model.ts';
import { suggest } from '../../../topology/model/names.ts';
import { ControllerError } from '../../errors.ts';
import type { Inventory } from '../../inventory/model.ts';
import { readNetwork, type Way } from '../../inventory/network.ts';
import { readInventory } from '../../inventory/read.ts';
import { DEFAULT_PLACEMENT, type PlacementOptions, type Wishes } from '../../placement/model.ts';
import { keeping, placeEndpoints } from '../../placement/place.ts';
import { PLACEMENT_HEADING, placementReport, placementRows, placementText } from '../../placement/report.ts';
import { type NetworkPlacement, placeOnNetwork } from '../../placement/wide-area/place.ts';
import { networkText } from '../../placement/wide-area/report.ts';
import { wayTable } from '../../placement/wide-area/tables.ts';
import { roomOf, wishesOf } from '../../placement/wishes.ts';
import { addFileOptions, type FileOptions, readText, warnOfFile } from '../options/files.ts';
import { openToRead } from '../options/read-topology.ts';
import { print, printJson, table } from '../terminal/output.ts';

interface PlaceOptions extends PlacementOptions, FileOptions {
  readonly inventory: string;
  readonly network?: string;
  readonly without: readonly string[];
  readonly placement?: string;
  readonly json?: boolean;
}

export function addPlaceCommand(program: Command): void {
  addFileOptions(program.command('place <file>'))
    .description('which endpoint on which host, so that little traffic crosses between hosts')
    .requiredOption(
      '--inventory <file>',
      'the hosts, in YAML: netfold’s own (docs/placement.md) or Ansible’s',
    )
    .option(
      '--network <file>',
      'the real network between the hosts, as netfold inject … measure prints it: paths that it can’t give are avoided, and named',
    )
    .addOption(
      new Option(
        '--without <host>',
        'a lost host: place its endpoints anew, and leave all others; several may be named',
      )
        .default([], 'none')
        .argParser((text: string, before: readonly string[]) => [...before, text]),
    )
    .option(
      '--placement <file>',
      'with --without: where endpoints are, as --json prints it (default: as it would be placed)',
    )
    .addOption(
      new Option('--balance <percentage>', 'how much more than its part of the endpoints a host may get')
        .default(DEFAULT_PLACEMENT.balance, formatRatio(DEFAULT_PLACEMENT.balance))
        .argParser(parsePercentage),
    )
    .addOption(
      new Option('--seed <number>', 'of the search: the same gives the same placement')
        .default(DEFAULT_PLACEMENT.seed)
        .argParser(parseSeed),
    )
    .option('--json', 'print JSON')
    .action(place);
}

function parseSeed(text: string): number {
  if (/^\d{1,10}$/.test(text) && Number(text) <= MAX_SEED) return Number(text);
  throw new InvalidArgumentError(`write a whole number from 0 to ${MAX_SEED}`);
}

async function place(file: string, options: PlaceOptions): Promise<void> {
  const { topology, warnings } = await openToRead(file, options);
  if (!options.json) warnOfFile(warnings);
  const graph = expandGraph(topology);
  const inventory = readInventory(readText(options.inventory, 'an inventory of hosts'), options.inventory);
  if (options.placement !== undefined && options.without.length === 0)
    throw new ControllerError(
      'PLACEMENT_FILE',
      '--placement needs --without: else all are placed',
      'name the lost host',
    );
  const names = inventory.hosts.map(({ name }) => name);
  const ways =
    options.network === undefined
      ? undefined
      : readNetwork(readText(options.network, 'a network of hosts'), options.network, names);
  const placing: Placing = { graph, options, ways };
  const wishes = wishesOf(inventory, topology, graph);
  const { hosts, left, moved } = afterLoss(placing, inventory, wishes);
  const { placement, network } = placeOn(placing, hosts, left);
  // What there is was printed; it is not what the topology asks for.
  if (network && network.missed > 0) process.exitCode = EXIT_CODE.machine;
  if (options.json) {
    printJson({ ...placementReport(graph, placement, moved), ...(network && { network }) });
    return;
  }
  print(table(PLACEMENT_HEADING, placementRows(placement, hosts.map(roomOf)), [1, 2, 3, 4, 5]));
  print('');
  print(placementText(graph, placement));
  if (network) print(`\n${networkText(network)}`);
  if (moved) print(`\nplaced anew: ${moved.join(' ') || 'nothing'}`);
}

interface Placing {
  readonly graph: Graph;
  readonly options: PlaceOptions;
  /** Absent: the real network is not considered. */
  readonly ways: readonly Way[] | undefined;
}

type Hosts = Inventory['hosts'];

type Placed = Pick<NetworkPlacement, 'placement'> & Partial<NetworkPlacement>;

function placeOn({ graph, options, ways }: Placing, hosts: Hosts, wishes: Wishes): Placed {
  const rooms = hosts.map(roomOf);
  if (!ways) return { placement: placeEndpoints(graph, rooms, wishes, options) };
  const names = hosts.map(({ name }) => name);
  return placeOnNetwork(graph, rooms, wishes, options, wayTable(ways, names));
}

interface AfterLoss {
  readonly hosts: Hosts;
  readonly left: Wishes;
  readonly moved?: readonly string[];
}

/** Without lost hosts; endpoints of the others stay where they are. */
function afterLoss(placing: Placing, inventory: Inventory, wishes: Wishes): AfterLoss {
  const { graph, options } = placing;
  const { hosts } = inventory;
  if (options.without.length === 0) return { hosts, left: wishes };
  const names = hosts.map(({ name }) => name);
  for (const lost of options.without) {
    if (names.includes(lost)) continue;
    const remedy = suggest(lost, names, `hosts: ${names.join(', ')}`);
    throw new ControllerError('HOST_UNKNOWN', `there is no host ${lost} in ${inventory.file}`, remedy);
  }
  const before = options.placement === undefined ? undefined : readPlacement(options.placement, graph, names);
  const hostOf = before ?? placeOn(placing, hosts, wishes).placement.hostOf;
  const staying = hosts.filter(({ name }) => !options.without.includes(name));
  const newIndex = new Map(staying.map(({ name }, index) => [names.indexOf(name), index]));
  const stay = new Map<number, number>();
  const moved: string[] = [];
  hostOf.forEach((host, endpoint) => {
    const index = newIndex.get(host);
    if (index === undefined) moved.push(graph.endpoints[endpoint]!);
    else stay.set(endpoint, index);
  });
  return { hosts: staying, left: keeping(stay, withoutHosts(graph, wishes, newIndex)), moved };
}

/** Wishes about the hosts that are left. Throws `PLACEMENT_NO_ROOM` for an endpoint that is pinned to lost ones. */
function withoutHosts(graph: Graph, wishes: Wishes, newIndex: ReadonlyMap<number, number>): Wishes {
  const hostsOf = new Map<number, number[]>();
  for (const [endpoint, hosts] of wishes.hostsOf) {
    const left = hosts.flatMap((host) => newIndex.get(host) ?? []);
    if (left.length === 0)
      throw new ControllerError(
        'PLACEMENT_NO_ROOM',
        `${graph.endpoints[endpoint]!} is pinned to a lost host`,
        'pin it to another one in the inventory',
      );
    hostsOf.set(endpoint, left);
  }
  return { ...wishes, hostsOf };
}

const placementSchema = z.object({
  placement: z.array(z.object({ endpoint: z.string(), host: z.string() })),
});

/** Throws `PLACEMENT_FILE` for what is not the placement of these endpoints on these hosts. */
function readPlacement(file: string, { endpoints }: Graph, hosts: readonly string[]): Int32Array {
  const wrong = (what: string): ControllerError =>
    new ControllerError(
      'PLACEMENT_FILE',
      `${file}: ${what}`,
      'give what `netfold place FILE --inventory HOSTS --json` printed',
    );
  let value: unknown;
  try {
    value = JSON.parse(readText(file, 'a placement'));
  } catch (error) {
    if (error instanceof ControllerError) throw error;
    throw wrong('this is no JSON');
  }
  const read = placementSchema.safeParse(value);
  if (!read.success) throw wrong('this is no placement');
  const indexOf = new Map(hosts.map((name, index) => [name, index]));
  const hostOf = new Map(read.data.placement.map(({ endpoint, host }) => [endpoint, host]));
  return Int32Array.from(endpoints, (endpoint) => {
    const host = hostOf.get(endpoint);
    if (host === undefined) throw wrong(`${endpoint} has no host`);
    const index = indexOf.get(host);
    if (index === undefined) throw wrong(`${endpoint} is on ${host}, which the inventory does not have`);
    return index;
  });
}
