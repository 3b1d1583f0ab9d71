/** Links with an MTU: senders discover it as on a real path, and what may be cut is cut. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { namespacePath, within } from '../../../agent/kernel/netns/namespaces.ts';
import { startIperfServer } from '../../../controller/verify/goodput.ts';
import type { Place } from '../../../controller/verify/traffic.ts';
import { place, runIn, startLab, tell } from '../../support/lab/lab.ts';

const TOPOLOGY = `
services: { a: {}, b: {}, c: {} }
bridges: [s]
links:
  - { from: a, to: s, latency: 2ms }
  - { from: s, to: b, mtu: 1400 }
  - { from: s, to: c, bandwidth: 50Mbps, mtu: 1300 }
`;

/** Fragments that have arrived, and packets that were made of them. */
function reassembled({ namespace }: Place): { parts: number; whole: number } {
  const table = within(namespacePath(namespace), () => readFileSync('/proc/thread-self/net/snmp', 'utf8'));
  const [names, values] = table
    .split('\n')
    .filter((line) => line.startsWith('Ip:'))
    .map((line) => line.split(' '));
  const of = (name: string): number => Number(values![names!.indexOf(name)]);
  return { parts: of('ReasmReqds'), whole: of('ReasmOKs') };
}

it('larger packets are cut where they may be, and their senders are told where they may not', async () => {
  const lab = await startLab(TOPOLOGY);
  await lab.run();
  const [a, b, c] = ['a', 'b', 'c'].map((name) => place(lab, name)) as [Place, Place, Place];
  const address6 = (name: string): string =>
    lab.plan.endpoints.find((one) => one.name === `${name}.0`)!.addresses[1]!;
  const ping = async (...args: string[]): Promise<string> => {
    const { out, err } = await runIn(a, 'ping', '-n', '-W', '1', '-i', '0.2', ...args);
    return out + err;
  };

  // Before the MTU is known. 1,428 and 3,028 bytes; of the latter, the sender makes three fragments by itself.
  const before = reassembled(b);
  expect(await ping('-c', '2', '-M', 'dont', '-s', '1400', b.address)).toContain('2 received');
  expect(reassembled(b)).toEqual({ parts: before.parts + 4, whole: before.whole + 2 });
  expect(await ping('-c', '2', '-M', 'dont', '-s', '3000', b.address)).toContain('2 received');
  expect(reassembled(b).whole).toBe(before.whole + 4);
  expect(reassembled(b).parts).toBe(before.parts + 4 + 2 * 5);

  // UDP without DF, whose checksum the sender leaves to the card: 1,468 bytes.
  const server = await startIperfServer(b);
  try {
    await runIn(a, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_no_pmtu_disc');
    const { whole } = reassembled(b);
    const { out } = await runIn(
      a,
      'iperf3',
      '-c',
      b.address,
      '-u',
      '-b',
      '1M',
      '-l',
      '1440',
      '-t',
      '1',
      '-J',
    );
    const { packets, lost_percent: lost } = JSON.parse(out).end.sum;
    expect(packets).toBeGreaterThan(50);
    expect(lost).toBeLessThan(10);
    expect(reassembled(b).whole - whole).toBeGreaterThan(0.8 * packets);
  } finally {
    server.child.kill('SIGKILL');
    await runIn(a, 'sh', '-c', 'echo 0 > /proc/sys/net/ipv4/ip_no_pmtu_disc');
  }

  // 1,400 bytes and 1,401: headers are 28, and 48 with IPv6.
  expect(await ping('-c', '1', '-M', 'do', '-s', '1372', b.address)).toContain('1 received');
  expect(await ping('-c', '1', '-M', 'do', '-s', '1373', b.address)).toMatch(/Frag needed.*mtu ?= ?1400/i);
  expect(await ping('-c', '1', '-M', 'do', '-s', '1352', address6('b'))).toContain('1 received');
  expect(await ping('-c', '1', '-M', 'do', '-s', '1353', address6('b'))).toMatch(/too big.*mtu ?= ?1400/i);
  expect((await runIn(a, 'ip', 'route', 'get', b.address)).out).toContain('mtu 1400');
  expect((await runIn(a, 'ip', 'route', 'get', address6('b'))).out).toContain('mtu 1400');

  // TCP, which begins with larger segments, several in a packet.
  for (const address of [c.address, address6('c')]) {
    const server = await startIperfServer(c);
    try {
      const { out } = await runIn(a, 'iperf3', '-c', address, '-t', '1', '-C', 'cubic', '-J');
      expect(JSON.parse(out).end.sum_received.bits_per_second).toBeGreaterThan(10e6);
    } finally {
      server.child.kill('SIGKILL');
    }
    expect((await runIn(a, 'ip', 'route', 'get', address)).out).toContain('mtu 1300');
  }

  await tell(lab, 'set', 's--b', 'mtu=none');
  await runIn(a, 'ip', '-4', 'route', 'flush', 'cache');
  expect(await ping('-c', '1', '-M', 'do', '-s', '1472', b.address)).toContain('1 received');
});
