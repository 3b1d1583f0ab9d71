/** What the delay line does with packets of every sort, between two namespaces and without the rest of netfold. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ImpairedPath } from '../../../agent/enforce/ports.ts';
import { NETLINK_NETFILTER, NetlinkSocket } from '../../../agent/kernel/netlink/netlink-socket.ts';
import { namespacePath, within } from '../../../agent/kernel/netns/namespaces.ts';
import { DelayLine } from '../../../agent/linux/delay-line/delay-line.ts';
import { removeTable } from '../../../agent/linux/objects/arrival-table.ts';
import { loadPrograms, type Programs } from '../../../agent/linux/programs/programs.ts';
import type { LocalEndpoint } from '../../../proto/bootstrap.ts';
import { packetImpairment } from '../../../proto/impairment.ts';
import { fromMillis, ratio } from '../../../proto/units.ts';
import { run, until } from '../../support/lab/lab.ts';

const FROM = `netfold-packets-a-${process.pid}`;
const TO = `netfold-packets-b-${process.pid}`;
const SOURCES = ['10.9.0.1', 'fd09::1'];
const PORT = 5009;
const NUMBERED = join(import.meta.dirname, '../../support/traffic/numbered.ts');

let programs: Programs;
let line: DelayLine;
let endpoint: LocalEndpoint;
let children: ChildProcess[] = [];

async function command(namespace: string, ...words: string[]): Promise<string> {
  const { code, out, err } = await run('ip', ['netns', 'exec', namespace, ...words]);
  if (code !== 0) throw new Error(`${words.join(' ')}: exit ${code}: ${err}${out}`);
  return out;
}

beforeEach(async () => {
  for (const name of [FROM, TO]) await run('ip', ['netns', 'add', name]);
  await run('ip', ['-n', FROM, 'link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v0', 'netns', TO]);
  for (const [name, host] of [
    [FROM, 1],
    [TO, 2],
  ] as const) {
    await command(name, 'ip', 'addr', 'add', `10.9.0.${host}/24`, 'brd', '10.9.0.255', 'dev', 'v0');
    await command(name, 'ip', 'addr', 'add', `fd09::${host}/64`, 'dev', 'v0', 'nodad');
    await command(name, 'ip', 'link', 'set', 'v0', 'up');
    // Copies of packets arrive there.
    await command(name, 'ip', 'link', 'set', 'lo', 'up');
  }
  const ifindex = Number(/^(\d+):/.exec(await command(TO, 'ip', '-o', 'link', 'show', 'v0'))![1]);
  endpoint = {
    number: 3,
    name: 'b.0',
    namespace: namespacePath(TO),
    ifname: 'v0',
    ifindex,
    addresses: ['10.9.0.2', 'fd09::2'],
  };
  programs = loadPrograms(1);
  line = new DelayLine({ seed: 1, arrivalFd: programs.arrivalFd });
  await line.attach(endpoint, false);
});

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  children = [];
  if (line.failure === undefined) await line.stop();
  await programs.close();
  for (const name of [FROM, TO]) await run('ip', ['netns', 'del', name]);
});

function delayed(byMs: number, changes: Partial<ImpairedPath> = {}): ImpairedPath {
  return {
    source: SOURCES,
    destination: endpoint.addresses,
    ...packetImpairment({ latency: fromMillis(byMs) }),
    ...changes,
  };
}

/** Round trips of pings, in milliseconds. */
async function pings(to: string, ...options: string[]): Promise<number[]> {
  const out = await command(FROM, 'ping', '-n', '-i', '0.3', '-c', '3', ...options, to);
  return [...out.matchAll(/time=([\d.]+) ms/g)].map((match) => Number(match[1]));
}

function expectAll(values: readonly number[], count: number, least: number, most: number): void {
  expect(values).toHaveLength(count);
  for (const value of values) {
    expect(value).toBeGreaterThan(least);
    expect(value).toBeLessThan(most);
  }
}

async function numbered(
  namespace: string,
  ...args: string[]
): Promise<{ child: ChildProcess; lines: string[] }> {
  const all = ['netns', 'exec', namespace, process.execPath, NUMBERED, ...args];
  const child = spawn('ip', all, { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const lines: string[] = [];
  child.stdout!.on('data', (text: Buffer) => lines.push(...text.toString().trim().split('\n')));
  await until(() => lines.includes('ready'), `${args[0]} is ready`);
  return { child, lines };
}

async function startNumbered(): Promise<{ send(...words: number[]): Promise<void>; received(): number[] }> {
  const receiver = await numbered(TO, 'receive', String(PORT));
  const sender = await numbered(FROM, 'send', '10.9.0.2', String(PORT));
  return {
    send: async (first, count, gapMs) => {
      sender.child.stdin!.write(`${first} ${count} ${gapMs}\n`);
      await until(() => sender.lines.includes(String(first! + count!)), 'all are sent');
    },
    received: () => receiver.lines.slice(1).map(Number),
  };
}

function hadTable(): boolean {
  const socket = within(namespacePath(TO), () => new NetlinkSocket(NETLINK_NETFILTER));
  try {
    return removeTable(socket);
  } finally {
    socket.close();
  }
}

const count = (first: number, length: number): number[] =>
  Array.from({ length }, (_, index) => first + index);

describe.each([
  ['IPv4', '10.9.0.2', 'iptables'],
  ['IPv6', 'fd09::2', 'ip6tables'],
])('fragments of %s', (_, address, tables) => {
  it.each(['without', 'with'])('are held one by one, and once, %s connection tracking', async (tracking) => {
    if (tracking === 'with') {
      // Connection tracking puts fragments together before any rule of the usual priorities sees them.
      await command(TO, tables, '-A', 'INPUT', '-m', 'conntrack', '--ctstate', 'INVALID', '-j', 'DROP');
    }
    // Neighbours know each other; and nothing is lost with 5,000 bytes in four frames.
    await pings(address, '-s', '5000');
    await line.set(endpoint, [delayed(200)]);
    const before = line.counters().packets;
    expectAll(await pings(address, '-s', '5000'), 3, 199, 300);
    expect(line.counters().packets - before).toBeGreaterThanOrEqual(12);
    expect(line.counters().packets - before).toBeLessThan(18);
  });
});

it('lets multicast and broadcast pass as they are, and delays what is sent to the endpoint alone', async () => {
  await command(TO, 'sysctl', '-qw', 'net.ipv4.icmp_echo_ignore_broadcasts=0');
  await line.set(endpoint, [delayed(200)]);
  expectAll(await pings('10.9.0.2'), 3, 199, 300);
  expectAll(await pings('fd09::2'), 3, 199, 300);
  expectAll(await pings('10.9.0.255', '-b'), 3, 0, 100);
  expectAll(await pings('224.0.0.1', '-I', 'v0'), 3, 0, 100);
  const group = await pings('ff02::1%v0', '-I', 'fd09::1');
  expectAll(group, group.length, 0, 100);
  expect(group.length).toBeGreaterThanOrEqual(3);
});

describe('packets that are held', () => {
  it('are released at once and in order when the line is stopped, and none is lost', async () => {
    await line.set(endpoint, [delayed(60_000)]);
    const { send, received } = await startNumbered();
    // As many as find room in a socket's receive buffer, since they arrive all at once.
    await send(1, 150, 0);
    await until(() => line.counters().held >= 150, 'all are held');
    expect(received()).toEqual([]);
    await line.stop();
    await until(() => received().length >= 150, 'all have arrived');
    expect(received()).toEqual(count(1, 150));
    expect(hadTable()).toBe(false);
    await send(151, 3, 0);
    await until(() => received().length >= 153, 'those sent later have arrived');
  });

  it('are not lost in a stream that goes on while the line is stopped or detached', async () => {
    const { send, received } = await startNumbered();
    for (const [first, end] of [
      [1, () => line.detach(endpoint)],
      [10_001, () => line.stop()],
    ] as const) {
      await line.attach(endpoint, false);
      await line.set(endpoint, [delayed(300)]);
      const sent = send(first, 400, 1);
      await until(() => line.counters().held > 50, 'some are held');
      await end();
      await sent;
      await until(() => received().length % 400 === 0 && received().length > 0, 'all have arrived');
      expect(
        received()
          .slice(-400)
          .toSorted((a, b) => a - b),
      ).toEqual(count(first, 400));
    }
  });

  it('are not overtaken when the path becomes faster, by any amount', async () => {
    await line.set(endpoint, [delayed(900)]);
    const { send, received } = await startNumbered();
    await send(1, 5, 0);
    await until(() => line.counters().held >= 5, 'all are held');
    await line.set(endpoint, [delayed(0)]);
    await send(6, 5, 0);
    await until(() => received().length >= 10, 'all have arrived');
    expect(received()).toEqual(count(1, 10));
  });

  it('arrive when their path is gone; what follows them is lost, and what comes after them passes', async () => {
    await line.set(endpoint, [delayed(1500)]);
    const { send, received } = await startNumbered();
    await send(1, 5, 0);
    await until(() => line.counters().held >= 5, 'all are held');
    await line.set(endpoint, []);
    await send(100, 5, 0);
    await until(() => line.counters().lost >= 5, 'what follows is lost');
    await until(() => received().length >= 5, 'those that were held have arrived');
    await send(200, 5, 0);
    await until(() => received().length >= 10, 'what comes later passes');
    expect(received()).toEqual([...count(1, 5), ...count(200, 5)]);
  });
});

it('delays the paths of the last set and no others', async () => {
  const other = { source: ['10.9.0.77', 'fd09::77'] };
  await line.set(endpoint, [delayed(200), delayed(500, other)]);
  expectAll(await pings('10.9.0.2'), 3, 199, 300);
  await line.set(endpoint, [delayed(500, other)]);
  expectAll(await pings('10.9.0.2'), 3, 0, 100);
  await line.set(endpoint, [delayed(200), delayed(500, other)]);
  expectAll(await pings('fd09::2'), 3, 199, 300);
});

it('changes paths one by one, also the first that needs the queue, and one that is gone and comes back', async () => {
  await line.attach(endpoint, false);
  await line.set(endpoint, [delayed(0)]);
  expect(hadTable()).toBe(false);
  const change = (byMs?: number): Promise<void> =>
    line.change([
      {
        ...{ source: 1, destination: endpoint.number, addresses: SOURCES },
        ...(byMs !== undefined && { path: packetImpairment({ latency: fromMillis(byMs) }) }),
      },
    ]);
  // The second is sent while the queue is being made for the first.
  await Promise.all([change(500), change(200)]);
  expectAll(await pings('10.9.0.2'), 3, 199, 300);
  await change();
  await line.change([]);
  expect(await run('ip', ['netns', 'exec', FROM, 'ping', '-c', '1', '-W', '1', '10.9.0.2'])).toMatchObject({
    code: 1,
  });
  await change(100);
  expectAll(await pings('fd09::2'), 3, 99, 190);
  await line.set(endpoint, [delayed(200)]);
  expectAll(await pings('10.9.0.2'), 3, 199, 300);
});

it('takes GSO packets apart where packets get lost, so that each frame is lost by itself', async () => {
  const received = async (): Promise<number> =>
    Number(await command(TO, 'cat', '/sys/class/net/v0/statistics/rx_bytes'));
  const bytesPerPacket = async (loss: number): Promise<number> => {
    await line.set(endpoint, [delayed(1, { loss: ratio(loss) })]);
    const before = { bytes: await received(), packets: line.counters().packets };
    const server = run('ip', ['netns', 'exec', TO, 'iperf3', '-s', '-1', '-p', String(PORT)]);
    const transfer = ['iperf3', '-c', '10.9.0.2', '-p', String(PORT), '-n', '5M'];
    await until(async () => (await run('ip', ['netns', 'exec', FROM, ...transfer])).code === 0, 'it is sent');
    await server;
    return ((await received()) - before.bytes) / (line.counters().packets - before.packets);
  };
  expect(await bytesPerPacket(0)).toBeGreaterThan(3 * 1514);
  const apart = await bytesPerPacket(1e-9);
  expect(apart).toBeGreaterThan(0.8 * 1514);
  expect(apart).toBeLessThan(1514);
});

describe('single packets', () => {
  it('are lost and reordered exactly as the path says', async () => {
    const { send, received } = await startNumbered();
    await line.set(endpoint, [delayed(5, { lossModel: 'every 5 packets' })]);
    await send(1, 50, 1);
    await until(() => line.counters().lost === 10, 'every fifth is lost');
    await until(() => received().length >= 40, 'the others have arrived');
    expect(received()).toEqual(count(1, 50).filter((number) => number % 5 !== 0));
    await line.set(endpoint, [delayed(20, { reorder: ratio(1), reorderDistance: 2 })]);
    await send(101, 30, 1);
    await until(() => received().length >= 70, 'all have arrived');
    const threes = Array.from({ length: 10 }, (_, group) => 101 + 3 * group);
    expect(received().slice(40)).toEqual(threes.flatMap((first) => [first + 1, first + 2, first]));
  });

  it('arrive twice, also with IPv6', async () => {
    const { send, received } = await startNumbered();
    await line.set(endpoint, [delayed(20, { duplicate: ratio(1) })]);
    await send(1, 30, 2);
    await until(() => received().length >= 60, 'all have arrived twice');
    expect(received().toSorted((a, b) => a - b)).toEqual(count(1, 30).flatMap((number) => [number, number]));
    const out = await command(FROM, 'ping', '-n', '-i', '0.3', '-c', '3', 'fd09::2');
    expect([...out.matchAll(/DUP!/g)].length).toBeGreaterThanOrEqual(2);
    // What is copied no more is not.
    await line.set(endpoint, [delayed(20)]);
    await send(101, 5, 2);
    await until(() => received().length >= 65, 'those sent later have arrived');
    expect(received().slice(60)).toEqual(count(101, 5));
  });

  it('are corrupted, and checksums see it', async () => {
    const { send, received } = await startNumbered();
    const errors = async (): Promise<number> => {
      const [names, values] = (await command(TO, 'cat', '/proc/net/snmp'))
        .split('\n')
        .filter((one) => /^Udp:/.test(one));
      return Number(values!.split(' ')[names!.split(' ').indexOf('InErrors')]);
    };
    await line.set(endpoint, [delayed(5, { corrupt: ratio(1) })]);
    await send(1, 100, 1);
    await until(async () => (await errors()) + line.counters().lost >= 100, 'all are refused');
    expect(await errors()).toBeGreaterThan(10);
    expect(received()).toEqual([]);
    await line.set(endpoint, [delayed(5)]);
    await send(101, 5, 1);
    await until(() => received().length >= 5, 'those sent later have arrived');
    expect(received()).toEqual(count(101, 5));
  });
});
