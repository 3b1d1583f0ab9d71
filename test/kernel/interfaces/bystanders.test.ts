/** Traffic that netfold has nothing to say about passes an interface that it shapes as if it was not there. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { delayBackends, probeMachine } from '../../../agent/linux/probe/probe.ts';
import { type Place, ping } from '../../../controller/verify/traffic.ts';
import { type Cable, layCable } from '../../support/kernel/veth-pair.ts';
import { experimentName, run, runIn } from '../../support/lab/lab.ts';
import { LATE_MS } from '../../support/speed.ts';

const NETFOLD = join(import.meta.dirname, '../../../bin/netfold');
const MULTICAST = join(import.meta.dirname, '../../support/traffic/multicast.ts');
const TOPOLOGY = `
services: { a: {}, b: {} }
links:
  - { from: a, to: b, latency: 40ms, up: 800Kbps, down: 5Mbps }
`;

let cable: Cable;
let folder: string;
let name: string;

beforeEach(() => {
  cable = layCable();
  name = experimentName();
  folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
  writeFileSync(join(folder, 'site.yaml'), TOPOLOGY);
});

afterEach(async () => {
  await run(NETFOLD, ['down', name]);
  cable.remove();
  rmSync(folder, { recursive: true });
});

const placeOf = ({ name: node, namespace, addresses }: Cable['a'], family = 0): Place => ({
  name: node,
  namespace: namespace.split('/').at(-1)!,
  address: addresses[family]!,
});

/** How many of 20 datagrams to a group come from `a` to `b`. */
async function multicast(group: string): Promise<string> {
  const isIpv4 = group.includes('.');
  const words = (role: string, end: Cable['a']): string[] => {
    const place = `${group}%${isIpv4 ? end.addresses[0] : 'eth0'}`;
    return [process.execPath, MULTICAST, role, place, '5007', '20'];
  };
  const receive = words('receive', cable.b);
  const receiver = spawn('ip', ['netns', 'exec', placeOf(cable.b).namespace, ...receive]);
  let out = '';
  const ended = new Promise((resolve) => receiver.once('close', resolve));
  const listening = new Promise<void>((resolve) => {
    receiver.stdout.on('data', (text: Buffer) => {
      out += text.toString();
      resolve();
    });
  });
  await Promise.race([listening, ended]);
  await runIn(placeOf(cable.a), ...words('send', cable.a));
  await ended;
  return out.trim().split('\n').at(-1)!;
}

describe.each(delayBackends(probeMachine()))('with %s', (backend) => {
  it('ARP, neighbour discovery, multicast, other addresses and fragments', { retry: 1 }, async () => {
    const at = [cable.a, cable.b].flatMap((end) => ['--at', `${end.name[0]}=eth0@${placeOf(end).namespace}`]);
    const more = ['--name', name, '--delay-backend', backend, '--detach'];
    const up = await run(NETFOLD, ['up', join(folder, 'site.yaml'), ...at, ...more]);
    expect(up).toMatchObject({ code: 0 });
    const [a, b] = [placeOf(cable.a), placeOf(cable.b)];

    // Neither ARP nor its answer waits: the first round trip takes as long as the others.
    await runIn(a, 'ip', 'neigh', 'flush', 'dev', 'eth0');
    await runIn(b, 'ip', 'neigh', 'flush', 'dev', 'eth0');
    const first = await ping(a, b, 1, 100);
    expect(Math.abs(first.meanMs - 80)).toBeLessThan(10 * LATE_MS);
    const first6 = await ping(placeOf(cable.a, 1), placeOf(cable.b, 1), 1, 100);
    expect(Math.abs(first6.meanMs - 80)).toBeLessThan(10 * LATE_MS);

    expect(await multicast('239.1.2.3')).toBe('20');
    expect(await multicast('ff15::7')).toBe('20');

    // The same cable, but addresses that the topology doesn't know.
    await runIn(a, 'ip', 'address', 'add', '10.77.0.1/24', 'dev', 'eth0');
    await runIn(b, 'ip', 'address', 'add', '10.77.0.2/24', 'dev', 'eth0');
    const strangers = await ping(a, { ...b, address: '10.77.0.2' }, 5, 50);
    expect(strangers.received).toBe(5);
    expect(strangers.meanMs).toBeLessThan(20);

    // 8,008 bytes in six frames of 8,212 bytes: 82 ms at 800 kb/s and 13 ms at 5 Mb/s, two frames less for the burst.
    const fragments = (await runIn(a, 'ping', '-c', '3', '-i', '0.5', '-s', '8000', b.address)).out;
    expect(fragments).toContain('3 received');
    for (const [, time] of fragments.matchAll(/time=([\d.]+)/g)) {
      expect(Number(time)).toBeGreaterThan(80 + 52 + 8);
      expect(Number(time)).toBeLessThan(80 + 82 + 13 + 10 * LATE_MS);
    }
  });
});
