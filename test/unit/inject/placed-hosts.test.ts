import { expect, test } from 'vitest';
import { leavesPlacing, placeHosts } from '../../../controller/inject/placed-hosts.ts';
import { readInventory } from '../../../controller/inventory/read.ts';
import { fromMillis, micros, ratio } from '../../../proto/units.ts';
import { loadTopology } from '../../../topology/load.ts';
import { graphAt } from '../../../topology/timeline/graph-at.ts';

const NEAR =
  'services: { a: {}, b: {} }\nlinks: [{ from: a, to: b, latency: 5ms, up: 10Mbps, down: 20Mbps }]';

function placed(
  text: string,
  hosts: string,
  measured: readonly (readonly [string, string, number, number?])[],
  able?: readonly string[],
) {
  const { topology } = loadTopology(text, 'wan.yaml');
  const inventory = readInventory(hosts, 'hosts.yaml');
  const candidates = inventory.hosts
    .filter(({ name }) => able?.includes(name) ?? true)
    .map(({ name }) => ({ name, facts: { cores: 4, memoryBytes: 8e9 } }));
  const ways = measured.map(([one, other, ms, loss]) => ({
    between: [one, other] as const,
    roundTrip: fromMillis(ms),
    ...(loss !== undefined && { loss: ratio(loss) }),
    by: 'ping' as const,
  }));
  return placeHosts({ inventory, topology, graph: graphAt(topology, micros(0)) }, candidates, ways);
}

const hostsOf = ({ placement }: ReturnType<typeof placed>): string[] => placement.map(({ host }) => host);

const THREE = 'hosts: { x: {}, y: {}, z: {} }';
const FAR: readonly (readonly [string, string, number])[] = [
  ['x', 'y', 90],
  ['x', 'z', 80],
  ['y', 'z', 4],
];

test('endpoints are where the network gives what their paths ask for, and the rest is to spare', () => {
  const found = placed(NEAR, THREE, FAR);
  expect(hostsOf(found).toSorted()).toEqual(['y', 'z']);
  expect(found.network.missed).toBe(0);
  const [a, b] = hostsOf(found);
  expect(found.lines).toEqual([
    `${a === 'y' ? 'a.0' : 'b.0'} is y (4 cores)`,
    `${a === 'y' ? 'b.0' : 'a.0'} is z (4 cores)`,
    'to spare: x',
    `a.0 > b.0: 5ms asked for, ${a} > ${b} takes 2ms`,
    'The real network gives all of the 2 paths.',
  ]);
  expect(found.assigned.map(({ host, endpoints }) => [host.name, endpoints.length])).toEqual([
    ['x', 0],
    ['y', 1],
    ['z', 1],
  ]);
});

test('what the network can not give is named', () => {
  const found = placed(NEAR, 'hosts: { x: {}, y: {} }', [['x', 'y', 90]]);
  expect(found.network).toMatchObject({ paths: 2, missed: 2 });
  expect(found.lines.join('\n')).toContain('5ms asked for, the real network takes 45ms');
});

test('a way that loses packets, and one that was not measured, are avoided', () => {
  const lossy = [
    ['x', 'y', 4, 0.2],
    ['x', 'z', 8, 0.2],
    ['y', 'z', 8, 0],
  ] as const;
  expect(hostsOf(placed(NEAR, THREE, lossy)).toSorted()).toEqual(['y', 'z']);
  expect(hostsOf(placed(NEAR, THREE, [['x', 'z', 8]])).toSorted()).toEqual(['x', 'z']);
});

test('wishes hold, and what the inventory says of a host goes before what the host says', () => {
  const pinned = placed(NEAR, `${THREE}\npins: { a: x }`, FAR);
  expect(hostsOf(pinned)).toEqual(['x', 'z']);
  const needs = 'needs: { a: { cores: 6 } }';
  expect(hostsOf(placed(NEAR, `hosts: { x: { cores: 8 }, y: {}, z: {} }\n${needs}`, FAR))[0]).toBe('x');
  expect(() => placed(NEAR, `${THREE}\n${needs}`, FAR)).toThrow(
    expect.objectContaining({
      code: 'PLACEMENT_NO_ROOM',
      message: expect.stringContaining('a.0 needs 6 cores'),
    }),
  );
  const named = placed(NEAR, 'hosts: { x: { shape: eth1 }, y: {} }', []);
  expect(named.assigned[0]!.endpoints[0]).toMatchObject({ shape: { kind: 'interface', value: 'eth1' } });
});

test('a host that can not take part gets nothing; too few are an error', () => {
  expect(hostsOf(placed(NEAR, THREE, FAR, ['x', 'y'])).toSorted()).toEqual(['x', 'y']);
  expect(() => placed(NEAR, THREE, FAR, ['x'])).toThrow(
    expect.objectContaining({ code: 'PLACEMENT_NO_ROOM' }),
  );
});

test('as many endpoints as hosts, with needs that fit in one way only, find it', () => {
  const count = 16;
  const of = (line: (index: number) => string): string =>
    Array.from({ length: count }, (_, index) => line(index)).join(', ');
  const text = `services: { ${of((index) => `s${index}: {}`)} }\nbridges: [b]\nlinks: [${of((index) => `{ from: s${index}, to: b, latency: 5ms, up: 10Mbps, down: 20Mbps }`)}]`;
  // Host h5 has room for s5 and whatever needs less.
  const hosts = `hosts: { ${of((index) => `h${(index * 7) % count}: { cores: ${1 + ((index * 7) % count)} }`)} }\nneeds: { ${of((index) => `s${index}: { cores: ${1 + index} }`)} }`;
  const found = placed(text, hosts, []);
  for (const { endpoint, host } of found.placement) expect(`s${host.slice(1)}.0`).toBe(endpoint);
});

test('is asked for by an inventory that says of no host what it is', () => {
  expect(leavesPlacing(readInventory(THREE, 'hosts.yaml'))).toBe(true);
  expect(leavesPlacing(readInventory('hosts: { x: { is: a }, y: {} }', 'hosts.yaml'))).toBe(false);
});
