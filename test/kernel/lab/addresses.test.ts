/** Labs whose endpoints have one IP version: what is there, what is not, and that names and paths are right. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Experiment } from '../../../controller/experiment/experiment.ts';
import { removeExperiment } from '../../../controller/experiment/teardown.ts';
import type { IpChoice } from '../../../controller/platform/lab/ip-choice.ts';
import { lab as platform } from '../../../controller/platform/lab/lab.ts';
import { ping, pingFrameBytes } from '../../../controller/verify/traffic.ts';
import { loadTopology } from '../../../topology/load.ts';
import { netfold } from '../../support/lab/cli.ts';
import { place, receivedBytes } from '../../support/lab/lab.ts';

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
  expect((await says(ip, 'b', resolved('a'))).split('\n')).toEqual(both);
  expect(await says(ip, 'b', resolved('localhost'))).toBe(ip === '4' ? '127.0.0.1' : '::1');
  const reached = await says(ip, 'a.1', 'ping -c 3 -i 0.05 -W 5 b');
  expect(reached).toContain(`bytes from b.0 (${addressOf(ip, 'b')})`);
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
