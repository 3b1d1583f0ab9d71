/** Labs whose endpoints have one IP version: what is there, what is not, that paths are right, and names, by file and DNS. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { namespacePath } from '../../../agent/kernel/netns/namespaces.ts';
import { NameServers } from '../../../agent/names/name-servers.ts';
import { pointerName } from '../../../agent/names/name-table.ts';
import { Experiment } from '../../../controller/experiment/experiment.ts';
import { removeExperiment } from '../../../controller/experiment/teardown.ts';
import { processesIn } from '../../../controller/machine/processes.ts';
import type { IpChoice } from '../../../controller/platform/lab/ip-choice.ts';
import { lab as platform } from '../../../controller/platform/lab/lab.ts';
import { ping, pingFrameBytes } from '../../../controller/verify/traffic.ts';
import { loadTopology } from '../../../topology/load.ts';
import { killIfThere } from '../../support/kernel/kill.ts';
import { netfold } from '../../support/lab/cli.ts';
import { place, receivedBytes, runIn, until } from '../../support/lab/lab.ts';
import { expectSuccess } from '../../support/lab/succeeds.ts';

/** At 200 kb/s a header of IPv6 takes 0.8 ms longer than one of IPv4. */
const TOPOLOGY = `
services: { a: { replicas: 2 }, b: {}, c: {}, d: {} }
links:
  - { from: a, to: b, latency: 10ms, up: 200kbps, down: 400kbps }
  - { from: c, to: d, latency: 2ms, loss: 5% }
`;

const nameOf = (ip: IpChoice): string => `test-${process.pid}-ip${ip}`;
const labs = new Map<IpChoice, Experiment>();

beforeAll(async () => {
  const source = { file: 'addresses.yaml', text: TOPOLOGY };
  const { topology } = loadTopology(source.text, source.file);
  for (const ip of ['4', '6'] as const) {
    const where = { name: nameOf(ip), platform, placement: { hosts: 2, ip } };
    labs.set(ip, await Experiment.start({ ...where, source, topology }));
  }
});

afterAll(async () => {
  for (const ip of ['4', '6'] as const) await removeExperiment(nameOf(ip));
});

/** What a shell in an endpoint prints. */
async function says(ip: IpChoice, node: string, line: string): Promise<string> {
  const { code, stdout, stderr } = await netfold('exec', node, '--name', nameOf(ip), '--', 'sh', '-c', line);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.trim();
}

const ADDRESSES = 'ip -o address | grep -o "inet.*/[0-9]*"';
/** Addresses that a name has for an application. */
const resolved = (name: string): string => `getent ahosts ${name} | awk '{ print $1 }' | sort -u`;

const addressOf = (ip: IpChoice, node: string): string => place(labs.get(ip)!, node).address;

it('has no IPv6 at all with --ip 4, on loopback neither', async () => {
  const own = addressOf('4', 'b');
  expect(own).toMatch(/^10\./);
  expect(await says('4', 'b', `${ADDRESSES}; cat /proc/net/if_inet6; ip -6 route`)).toBe(
    `inet 127.0.0.1/8\ninet ${own}/32`,
  );
  expect(await says('4', 'b', 'echo "$NETFOLD_ADDRESS,$NETFOLD_ADDRESS6"')).toBe(`${own},`);
  // Nothing asks for routers, or joins groups.
  expect(receivedBytes(place(labs.get('4')!, 'd'))).toBe(0);
});

it('has no IPv4 address but that of loopback with --ip 6', async () => {
  const own = addressOf('6', 'b');
  expect(own).toMatch(/^fd6e:/);
  expect(await says('6', 'b', `${ADDRESSES}; ip -4 route`)).toBe(
    `inet 127.0.0.1/8\ninet6 ::1/128\ninet6 ${own}/128`,
  );
  expect(await says('6', 'b', 'echo "$NETFOLD_ADDRESS,$NETFOLD_ADDRESS6"')).toBe(`,${own}`);
});

it.each(['4', '6'] as const)('resolves names to what there is with --ip %s, and reaches them', async (ip) => {
  const both = ['a.0', 'a.1'].map((node) => addressOf(ip, node)).sort();
  const local = ip === '4' ? '127.0.0.1' : '::1';
  const lines = `${resolved('a')}; ${resolved('localhost')}; getent hosts nobody.example || echo none`;
  expect((await says(ip, 'b', lines)).split('\n')).toEqual([...both, local, 'none']);
  const reached = await says(ip, 'a.1', 'ping -c 3 -i 0.05 -W 5 b');
  expect(reached).toContain(`bytes from b.0 (${addressOf(ip, 'b')})`);
});

it('reaches all on the segment without IPv4', async () => {
  const said = await says('6', 'a.1', 'ping -c 5 -i 0.2 -W 5 ff02::1%eth0');
  expect(said).toContain(`from ${addressOf('6', 'b')}`);
  expect(said).not.toContain(`from ${addressOf('6', 'c')}`);
});

it('gives a path its delay and its loss in both', async () => {
  const checked = [...labs.values()].map(async (lab) => {
    const [a, b, c, d] = [place(lab, 'a.1'), place(lab, 'b'), place(lab, 'c'), place(lab, 'd')];
    const shaped = await ping(a, b, 20, 20);
    expect(shaped.received).toBe(20);
    // Latency both ways, and the transmission of each frame: a busy machine adds to it, and nothing takes from it.
    const bits = 8 * pingFrameBytes(b);
    expect(shaped.meanMs).toBeGreaterThan(20 + bits / 200 + bits / 400 - 0.3);
    // All of 150 arrive once in three million runs.
    expect((await ping(c, d, 150, 5)).received).toBeLessThan(150);
  });
  await Promise.all(checked);
});

/** What c-ares, Node's resolver, gets from a server: it does not read /etc/hosts for this. */
async function asked(ip: IpChoice, node: string, server = ''): Promise<unknown> {
  const script = `
    const { Resolver } = require('node:dns').promises;
    const resolver = new Resolver();
    if (${JSON.stringify(server)}) resolver.setServers([${JSON.stringify(server)}]);
    const tried = (promise) => promise.catch(({ code }) => code);
    Promise.all([
      ...['a', 'b', 'B.0', 'nobody.example', 'a.2'].flatMap((name) =>
        [resolver.resolve4(name), resolver.resolve6(name)]).map(tried),
      tried(resolver.resolvePtr(${JSON.stringify(pointerName(addressOf(ip, 'b')))})),
    ]).then((all) => console.log(JSON.stringify(all)));`;
  const { out, err } = await runIn(place(labs.get(ip)!, node), process.execPath, '-e', script);
  expect(err).toBe('');
  return JSON.parse(out);
}

function expected(ip: IpChoice): unknown {
  const addresses = (...nodes: string[]): string[] => nodes.map((node) => addressOf(ip, node));
  const of = (...nodes: string[]): unknown[] =>
    ip === '4' ? [addresses(...nodes), 'ENODATA'] : ['ENODATA', addresses(...nodes)];
  const unknown = ['ENOTFOUND', 'ENOTFOUND'];
  return [...of('a.0', 'a.1'), ...of('b.0'), ...of('b.0'), ...unknown, ...unknown, ['b.0']];
}

it.each([
  ['4', ''],
  ['6', ''],
  ['6', '[::1]:53'],
  ['6', '127.0.0.53'],
] as const)(
  'answers resolvers that skip the hosts file, with --ip %s at its server %s',
  async (ip, server) => {
    expect(await asked(ip, 'b', server)).toEqual(expected(ip));
  },
);

it('answers over TCP, several questions of one connection', async () => {
  const script = `
    const { streamDecode, streamEncode } = require('dns-packet');
    const ask = (name) => streamEncode({ type: 'query', questions: [{ type: 'A', name }] });
    const socket = require('node:net').connect(53, '127.0.0.53');
    socket.write(Buffer.concat([ask('b'), ask('nobody'), ask('d')]));
    let read = Buffer.alloc(0);
    socket.on('data', (data) => {
      read = Buffer.concat([read, data]);
      while (read.length > 2 && read.length >= 2 + read.readUInt16BE(0)) {
        const { rcode, answers } = streamDecode(read);
        console.log(rcode, ...answers.map(({ data }) => data));
        read = read.subarray(2 + read.readUInt16BE(0));
        asked++;
      }
      if (asked === 3) socket.destroy();
    });
    let asked = 0;`;
  const { out, err } = await runIn(place(labs.get('4')!, 'c'), process.execPath, '-e', script);
  expect(err).toBe('');
  expect(out).toBe(`NOERROR ${addressOf('4', 'b')}\nNXDOMAIN\nNOERROR ${addressOf('4', 'd')}\n`);
});

/** Of names that no file has. */
const BY_DNS = 'umount /etc/hosts && getent ahosts b | cut -d" " -f1 | sort -u';

it('can be made to fail in one endpoint, as docs/topology-file.md says', async () => {
  const [d, c] = [place(labs.get('4')!, 'd'), place(labs.get('4')!, 'c')];
  const own = { code: 0, out: `${addressOf('4', 'b')}\n` };
  expect(await runIn(d, 'sh', '-c', BY_DNS)).toMatchObject(own);
  const rules = `nft 'add table inet nodns
    add chain inet nodns out { type filter hook output priority 0; }
    add rule inet nodns out th dport 53 reject'`;
  expect(await runIn(d, 'sh', '-c', rules)).toMatchObject({ code: 0, err: '' });
  expect(await runIn(d, 'sh', '-c', BY_DNS)).toMatchObject({ out: '' });
  expect(await runIn(c, 'sh', '-c', BY_DNS)).toMatchObject(own);
  expectSuccess(await runIn(d, 'nft', 'delete', 'table', 'inet', 'nodns'));
  expect(await runIn(d, 'sh', '-c', BY_DNS)).toMatchObject(own);
});

it('tells where something else listens, and goes on', async () => {
  const { settings, endpoints } = labs.get('4')!.plan;
  const problems: string[] = [];
  const others = new NameServers({ names: settings.names! }, (problem) => problems.push(problem));
  try {
    const { number, name, namespace, addresses } = endpoints.find((one) => one.name.startsWith('c'))!;
    const taken = { number, name, namespace: namespacePath(namespace), addresses };
    await others.attach([taken, { ...taken, number: 99, namespace: '/run/netns/nowhere' }]);
  } finally {
    await others.stop();
  }
  expect(problems).toEqual([
    expect.stringMatching(/^names don't resolve by DNS in c\.0: .*EADDRINUSE/),
    expect.stringMatching(/^names don't resolve by DNS in c\.0: there is no network namespace at/),
  ]);
  expect(await asked('4', 'c')).toEqual(expected('4'));
});

it('serves again after its agent was killed; meanwhile names fail at once', async () => {
  const lab = labs.get('6')!;
  const at = place(lab, 'b');
  const { host } = lab.plan.endpoints.find(({ name }) => name === at.name)!;
  for (const pid of processesIn([host.namespace])) killIfThere(pid);
  await until(async () => (await runIn(at, 'ss', '-Hln', 'sport', '=', ':53')).out === '', 'it is gone');
  expect(await asked('6', 'b')).toContain('ECONNREFUSED');
  await (await lab.startAgent(host)).waitUntilReady(60_000, () => {});
  expect(await asked('6', 'b')).toEqual(expected('6'));
});
