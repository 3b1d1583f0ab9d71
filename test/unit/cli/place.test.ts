import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { netfold } from '../../support/lab/cli.ts';

vi.setConfig({ testTimeout: 60_000 });

const TOPOLOGY = `services:
  client: { replicas: 6, tags: [edge] }
  web: { replicas: 4 }
  db: { replicas: 3 }
bridges: [s1, s2]
links:
  - { from: client, to: s1, latency: 5ms, bandwidth: 100Mbps }
  - { from: s1, to: s2, latency: 10ms, bandwidth: 60Mbps }
  - { from: web, to: s2, latency: 1ms, up: 100Mbps, down: 40Mbps }
  - { from: db, to: s2, latency: 1ms, bandwidth: 200Mbps }
`;
const HOSTS = `hosts:
  host1: { address: 192.0.2.1, cores: 8, memory: 16GB, labels: [rack1] }
  host2: { address: 192.0.2.2, cores: 8, memory: 16GB, labels: [rack2] }
  host3: { address: 192.0.2.3, cores: 8, memory: 16GB, labels: [rack2], is: web.0 }
  host4: { address: 192.0.2.4, cores: 8, memory: 16GB, labels: [rack1] }
needs: { db: { cores: 1.5, memory: 4GB } }
pins: { tag:edge: label:rack1 }
apart: [db]
`;

let folder: string;
const at = (name: string): string => join(folder, name);
const write = (name: string, text: string): string => {
  writeFileSync(at(name), text);
  return at(name);
};
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-place-'));
  write('t.yaml', TOPOLOGY);
  write('hosts.yaml', HOSTS);
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Placed {
  readonly placement: readonly { endpoint: string; host: string }[];
  readonly crossTrafficBps: number;
  readonly roundRobinBps: number;
  readonly hosts: readonly { host: string; endpoints: number; cores: number }[];
  readonly moved?: readonly string[];
}
const place = async (...words: string[]): Promise<Placed> => {
  const { code, stdout, stderr } = await netfold(
    'place',
    at('t.yaml'),
    '--inventory',
    at('hosts.yaml'),
    '--json',
    ...words,
  );
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout) as Placed;
};
const hostOf = ({ placement }: Placed) => new Map(placement.map(({ endpoint, host }) => [endpoint, host]));

test('a placement as JSON keeps pins, needs and groups, and is the same each time', async () => {
  const placed = await place();
  const hosts = hostOf(placed);
  expect(hosts.size).toBe(13);
  expect(hosts.get('web.0')).toBe('host3');
  for (let client = 0; client < 6; client++)
    expect(['host1', 'host4']).toContain(hosts.get(`client.${client}`));
  expect(new Set(['db.0', 'db.1', 'db.2'].map((db) => hosts.get(db))).size).toBe(3);
  expect(placed.crossTrafficBps).toBeLessThan(placed.roundRobinBps);
  expect(placed.hosts.reduce((sum, { endpoints }) => sum + endpoints, 0)).toBe(13);
  expect(placed.hosts.reduce((sum, { cores }) => sum + cores, 0)).toBe(4.5);
  expect(await place()).toEqual(placed);
});

test('without a lost host, only its endpoints are placed anew', async () => {
  const before = await place();
  const [first, after] = [hostOf(before), await place('--without', 'host4')];
  const lost = [...first].filter(([, host]) => host === 'host4').map(([endpoint]) => endpoint);
  expect(lost.length).toBeGreaterThan(0);
  expect(after.moved).toEqual(lost);
  for (const [endpoint, host] of hostOf(after)) {
    if (lost.includes(endpoint)) expect(host).not.toBe('host4');
    else expect(host).toBe(first.get(endpoint));
  }
});

test('a placement that was given is what the others keep', async () => {
  const other = await place('--seed', '5');
  const swapped = other.placement.map(({ endpoint, host }) => {
    // No search would place so.
    return { endpoint, host: endpoint === 'web.1' ? 'host1' : endpoint === 'web.2' ? 'host4' : host };
  });
  const file = write('placed.json', JSON.stringify({ placement: swapped }));
  const after = await place('--without', 'host2', '--placement', file);
  for (const { endpoint, host } of swapped)
    if (host !== 'host2') expect(hostOf(after).get(endpoint)).toBe(host);
});

test('people see per host what it got, how much crosses, and where everything is', async () => {
  const { code, stdout } = await netfold('place', at('t.yaml'), '--inventory', at('hosts.yaml'));
  expect(code).toBe(0);
  expect(stdout).toMatch(/^host +endpoints +cores +memory +can leave +can arrive$/m);
  expect(stdout).toMatch(/^host1 +\d+ +(0|1\.5) of 8 +(0B|4GB) of 16GB/m);
  expect(stdout).toMatch(/^At most .*bps can cross between hosts, over \d+ of 28 directed links\.$/m);
  expect(stdout).toMatch(/^Spread in turn, it would be .*bps, [\d.]+ times as much\.$/m);
  expect(stdout).toMatch(/^host3: .*web\.0/m);
});

test('paths that the real network can’t give are named, as text and as JSON; the exit code says so', async () => {
  const hosts = ['host1', 'host2', 'host3', 'host4'];
  const ways = hosts.flatMap((one, index) =>
    hosts.slice(index + 1).map((other) => `  - { between: [${one}, ${other}], roundTrip: 24ms }\n`),
  );
  // Between db and web are 2 ms, and db is apart.
  write('ways.yaml', `ways:\n${ways.join('')}`);
  const words = ['place', at('t.yaml'), '--inventory', at('hosts.yaml'), '--network', at('ways.yaml')];
  const { code, stdout } = await netfold(...words);
  expect(code).toBe(3);
  expect(stdout).toMatch(/^The real network can't give \d+ of 156 paths:$/m);
  expect(stdout).toMatch(
    /^ {2}(db|web)\.\d > (db|web)\.\d \(host\d > host\d\): 2ms asked for, the real network takes 12ms$/m,
  );
  const json = await netfold(...words, '--json');
  expect(json.code).toBe(3);
  const { network } = JSON.parse(json.stdout) as { network: { missed: number; worst: unknown[] } };
  expect(network.worst).toHaveLength(network.missed);
  expect(network.worst[0]).toMatchObject({ latencyMs: 2, realLatencyMs: 12, realLoss: 0 });
  write('near.yaml', `ways:\n${ways.join('').replaceAll('24ms', '1ms')}`);
  const near = await netfold(...words.slice(0, -1), at('near.yaml'));
  expect(near, near.stderr).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('The real network gives all of the 156 paths.'),
  });
});

test.each<[string, string[], number, string[]]>([
  [
    'a network of other hosts',
    ['t.yaml', '--inventory', 'hosts.yaml', '--network', 'others.yaml'],
    1,
    ['others.yaml:1:', 'no host "host9"'],
  ],
  ['no inventory', ['t.yaml'], 2, ['--inventory']],
  [
    'an unknown host',
    ['t.yaml', '--inventory', 'hosts.yaml', '--without', 'host9'],
    1,
    ['no host host9', 'did you mean "host1"?'],
  ],
  [
    'a pin to the lost host',
    ['t.yaml', '--inventory', 'hosts.yaml', '--without', 'host3'],
    1,
    ['web.0 is pinned to a lost host'],
  ],
  ['no loss', ['t.yaml', '--inventory', 'hosts.yaml', '--placement', 'hosts.yaml'], 1, ['--without']],
  [
    'no placement',
    ['t.yaml', '--inventory', 'hosts.yaml', '--without', 'host2', '--placement', 't.yaml'],
    1,
    ['no JSON'],
  ],
  [
    'an unknown service',
    ['t.yaml', '--inventory', 'unknown.yaml'],
    1,
    ['unknown.yaml:2:', 'no service "wep"', 'did you mean "web"?'],
  ],
  [
    'no room',
    ['t.yaml', '--inventory', 'small.yaml'],
    1,
    ['the endpoints need 13 endpoints, and all 2 hosts together have 8 endpoints'],
  ],
  ['INI', ['t.yaml', '--inventory', 'hosts.ini'], 1, ['hosts.ini:1:1', 'INI']],
  ['a missing file', ['t.yaml', '--inventory', 'missing.yaml'], 1, ["can't be read", 'inventory']],
  ['a seed that is none', ['t.yaml', '--inventory', 'hosts.yaml', '--seed', 'x'], 2, ['whole number']],
])('%s is an error that says what to do', async (_, words, code, texts) => {
  write('unknown.yaml', 'hosts: { a: {} }\npins: { wep: a }\n');
  write('small.yaml', 'hosts: { a: { endpoints: 4 }, b: { endpoints: 4 } }\n');
  write('hosts.ini', '[web]\nhost1\n');
  write('others.yaml', 'ways: [{ between: [host1, host9], roundTrip: 9ms }]\n');
  const paths = words.map((word) => (/\.(yaml|ini)$/.test(word) ? at(word) : word));
  const ran = await netfold('place', ...paths);
  expect(ran.code, ran.stderr).toBe(code);
  for (const text of texts) expect(ran.stderr).toContain(text);
});
