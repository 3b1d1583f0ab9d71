/** An application sends more than anything has room for: the agent lives, others keep their rates, and status says so. */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { numbersByAddress } from '../../../agent/linux/objects/endpoint-numbers.ts';
import { loadPrograms } from '../../../agent/linux/programs/programs.ts';
import type { Place } from '../../../controller/verify/traffic.ts';
import { layCable } from '../../support/kernel/veth-pair.ts';
import { arrivalRates, type Finished, place, runIn, startLab, until } from '../../support/lab/lab.ts';

const TOPOLOGY = `
services: { a: {}, b: {}, c: {}, d: {} }
bridges: [s]
links:
  - { from: a, to: s, latency: 20ms, bandwidth: 1Gbps }
  - { from: b, to: s, latency: 8s, bandwidth: 1Gbps }
  - { from: c, to: s, latency: 2ms, bandwidth: 20Mbps }
  - { from: d, to: s, latency: 2ms, bandwidth: 20Mbps }
`;

/** Sends small datagrams as nobody, as fast as it can: to random addresses of the endpoint's network, or to one. */
const FLOOD = `
use Socket;
socket(my $socket, PF_INET, SOCK_DGRAM, 0);
my ($to, $seconds, $range) = @ARGV;
my $end = time + $seconds;
my @network = split /\\./, $to;
until (time > $end) {
  for (1..500) {
    my $host = $to =~ /x/ ? join ".", @network[0..1], int(rand($range)), int(rand(256)) : $to;
    send($socket, "x" x 64, 0, pack_sockaddr_in(9, inet_aton($host)));
  }
  select(undef, undef, undef, 0.005) if $to =~ /x/;
}
`;

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function spawnIn({ namespace }: Place, ...words: string[]): ChildProcess {
  const child = spawn('ip', ['netns', 'exec', namespace, ...words], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  children.push(child);
  return child;
}

function flood(from: Place, to: string, seconds: number, range = 256): Promise<void> {
  const words = [
    'setpriv',
    '--reuid=nobody',
    '--clear-groups',
    'perl',
    '-e',
    FLOOD,
    to,
    `${seconds}`,
    `${range}`,
  ];
  const child = spawnIn(from, ...words);
  return new Promise((resolve) => child.on('close', () => resolve()));
}

/** A flow of one connection from one place to the other, for so many seconds. */
async function bulk(from: Place, to: Place, seconds: number): Promise<{ readonly ended: Promise<unknown> }> {
  spawnIn(to, 'iperf3', '-s');
  const client = (duration: number): Promise<Finished> =>
    runIn(from, 'iperf3', '-c', to.address, '-t', `${duration}`);
  await until(async () => (await client(1)).code === 0, 'the server listens');
  return { ended: client(seconds) };
}

it('destinations that are no endpoints fill nothing: the agent lives, and a flow of others keeps its rate', async () => {
  const lab = await startLab(TOPOLOGY);
  const [a, c, d] = [place(lab, 'a'), place(lab, 'c'), place(lab, 'd')];
  const { ended: bulkEnded } = await bulk(c, d, 5);
  await sleep(1000);
  const [before] = await arrivalRates([d], 1.5);
  const floodEnded = flood(a, `${a.address.split('.').slice(0, 2).join('.')}.x.x`, 2);
  await sleep(500);
  const [meanwhile] = await arrivalRates([d], 1.5);
  await Promise.all([floodEnded, bulkEnded]);
  expect(meanwhile! / before!).toBeGreaterThan(0.8);
  const [status] = await lab.statuses();
  expect(status!.state).toBe('ready');
  expect(status!.degraded).toEqual([]);
});

it('pairs of endpoints that find no room are told of, and the others are counted', async () => {
  const cable = layCable();
  const programs = loadPrograms(1, 4096);
  try {
    const { a } = cable;
    const at = { name: a.name, namespace: a.namespace.split('/').at(-1)!, address: a.addresses[0]! };
    await runIn(at, 'ip', 'link', 'set', 'eth0', 'arp', 'off');
    await runIn(at, 'ip', 'route', 'add', '10.99.0.0/16', 'dev', 'eth0');
    const others = Array.from({ length: 4096 }, (_, n) => `10.99.${n >> 8}.${n & 0xff}`);
    programs.usage.setEndpoints(
      numbersByAddress([at.address, ...others].map((address, number) => ({ number, addresses: [address] }))),
    );
    programs.countTraffic(a);
    await flood(at, '10.99.x.x', 1, 16);
    let rows = 0;
    // What one reading has no room for is read by the next.
    for (let reading = 0; reading < 3; reading++) rows += programs.usage.read().count;
    expect(rows).toBeGreaterThanOrEqual(1024);
    expect(programs.usage.uncounted()).toBeGreaterThan(0);
    expect(programs.usage.read().count).toBe(0);
  } finally {
    await programs.close();
    cable.remove();
  }
});

it('what finds no room in the delay queue is dropped and told of, and nothing arrives before its time', async () => {
  const lab = await startLab(TOPOLOGY, { delayBackend: 'delay-line' });
  const [a, b] = [place(lab, 'a'), place(lab, 'b')];
  await flood(a, b.address, 2);
  await until(async () => ((await lab.statuses())[0]!.delay.overflowed ?? 0) > 0, 'drops are counted');
  const { out } = await runIn(b, 'cat', '/proc/net/snmp');
  const [, received, noPorts] = /^Udp: (\d+) (\d+)/m.exec(out)!;
  expect([received, noPorts]).toEqual(['0', '0']);
  await until(async () => (await lab.statuses())[0]!.degraded.length > 0, 'status says so');
  expect((await lab.statuses())[0]!.degraded.join()).toMatch(
    /\d+ packets of the last 5 s were dropped: they found no room/,
  );
});
