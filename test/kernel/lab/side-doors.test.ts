/**
 * An application that is root in its endpoint, and has raw sockets, tries to send past its path: by priorities, addresses,
 * tags and headers, and past its queue. Whatever arrives has its path's rate; what has somebody else's address does not arrive.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { OWN_MAJOR } from '../../../agent/enforce/interface-state.ts';
import type { Experiment } from '../../../controller/experiment/experiment.ts';
import { type Place, ping } from '../../../controller/verify/traffic.ts';
import { netfold } from '../../support/lab/cli.ts';
import { experimentName, place, receivedBytes, runIn, startLab, until } from '../../support/lab/lab.ts';
import { connectMachines } from '../../support/lab/machines.ts';
import { expectSuccess } from '../../support/lab/succeeds.ts';
import {
  ETHERTYPE,
  extended,
  frame,
  longMessage,
  PROTOCOL,
  packet4,
  packet6,
} from '../../support/traffic/frames.ts';

const TOPOLOGY = `
services: { a: {}, b: {}, c: {} }
bridges: [s]
links:
  - { from: a, to: s, latency: 5ms, bandwidth: 8Mbps }
  - { from: b, to: s, latency: 1ms, bandwidth: 1Gbps }
  - { from: c, to: s, latency: 1ms, bandwidth: 1Gbps }
`;
const PATH_BPS = 8e6;
const SECONDS = 0.3;
/** Far more than the path has, however busy the machine is. */
const SENT_BPS = 60e6;

/** Sends this frame, or datagrams of 1,200 bytes to this address with this priority, at SENT_BPS; says how many were sent. */
const SEND = `
use Socket; use Time::HiRes qw(time sleep);
my ($what, $priority, $seconds, $bps, $bypass) = @ARGV;
my ($socket, $to, $data);
if ($what =~ /^\\d+\\./) {
  socket($socket, PF_INET, SOCK_DGRAM, 0) or die; $to = pack_sockaddr_in(9, inet_aton($what)); $data = "x" x 1200;
} else {
  socket($socket, 17, SOCK_RAW, 0) or die $!; $data = pack("H*", $what);
  my ($index) = \`cat /sys/class/net/eth0/ifindex 2>/dev/null || echo 2\` =~ /(\\d+)/;
  $to = pack("SnlSCCa8", 17, 0, $index, 0, 0, 0, "");
}
if ($bypass) { setsockopt($socket, 263, 20, pack("l", 1)) or die $!; }
if ($priority) { setsockopt($socket, SOL_SOCKET, 12, pack("l", $priority)) or die $!; }
my ($start, $sent) = (time, 0);
while ((my $now = time) < $start + $seconds) {
  my $due = ($now - $start) * $bps / 8 / length $data;
  for (; $sent < $due; $sent++) { send($socket, $data, 0, $to); }
  sleep 0.002;
}
print $sent;
`;

interface Try {
  readonly what: string | Buffer;
  readonly priority?: number;
  /** PACKET_QDISC_BYPASS. */
  readonly bypass?: boolean;
}

/** Bits per second that arrive at `to` while `from` sends. */
async function arrives(from: Place, to: Place, { what, priority = 0, bypass = false }: Try): Promise<number> {
  await quiet(to);
  const before = receivedBytes(to);
  const start = performance.now();
  const words = [
    typeof what === 'string' ? what : what.toString('hex'),
    priority,
    SECONDS,
    SENT_BPS,
    Number(bypass),
  ];
  const { code, out, err } = await runIn(from, 'perl', '-e', SEND, ...words.map(String));
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(Number(out)).toBeGreaterThan(500);
  return ((receivedBytes(to) - before) * 8) / ((performance.now() - start) / 1000);
}

/** Until what has been queued has left. */
async function quiet(at: Place): Promise<void> {
  for (let before = -1; before !== receivedBytes(at); await sleep(60)) before = receivedBytes(at);
}

/** The address at which the endpoint's packets leave the link, and its own. */
async function macsOf(at: Place): Promise<{ to: string; from: string }> {
  const { out } = await runIn(at, 'sh', '-c', 'ip neigh show dev eth0; ip link show eth0');
  return { to: /lladdr (\S+)/.exec(out)![1]!, from: /link\/ether (\S+)/.exec(out)![1]! };
}

interface Addresses {
  readonly four: string;
  readonly six: string;
}

const inLab = ({ plan }: Experiment, name: string): Addresses => {
  const [four, six] = plan.endpoints.find((one) => one.name === `${name}.0`)!.addresses;
  return { four: four!, six: six! };
};

/** From `a` to `b`: what its path shapes, and what a lab drops. */
function attempts(
  macs: Awaited<ReturnType<typeof macsOf>>,
  [a, b, c]: readonly [Addresses, Addresses, Addresses],
): { shaped: [string, Try][]; dropped: [string, Try][] } {
  const four = { from: a.four, to: b.four };
  const six = { from: a.six, to: b.six };
  const v4 = (packet: Buffer, tags: [number, number][] = []): Try => ({
    what: frame(macs, ETHERTYPE.ipv4, packet, tags),
  });
  const v6 = (packet: Buffer): Try => ({ what: frame(macs, ETHERTYPE.ipv6, packet) });
  return {
    shaped: [
      ['a priority that names the root', { what: b.four, priority: OWN_MAJOR * 0x10000 }],
      ['a priority that names a class', { what: b.four, priority: OWN_MAJOR * 0x10000 + 2 }],
      ['fragments', v4(packet4(four, undefined, { fragment: 100 }))],
      ['a tunnel', v4(packet4(four, packet4({ from: c.four, to: b.four }), { protocol: PROTOCOL.ipip }))],
      ['a tag of a priority', v4(packet4(four), [[ETHERTYPE.vlan, 0]])],
      [
        'two of them',
        v4(packet4(four), [
          [ETHERTYPE.stacked, 0],
          [ETHERTYPE.vlan, 0],
        ]),
      ],
      [
        'an extension header',
        v6(packet6(six, extended([0, 1, 4, 0, 0, 0, 0]), { protocol: PROTOCOL.options6 })),
      ],
      [
        'fragments of IPv6',
        v6(packet6(six, extended([0, 0, 8, 0, 0, 0, 5]), { protocol: PROTOCOL.fragment6 })),
      ],
      [
        'what calls itself neighbour discovery',
        v6(packet6(six, longMessage(136), { protocol: PROTOCOL.icmp6, hops: 255 })),
      ],
    ],
    dropped: [
      ["another endpoint's address", v4(packet4({ ...four, from: c.four }))],
      ["nobody's address", v4(packet4({ ...four, from: '192.0.2.9' }))],
      ["another endpoint's IPv6 address", v6(packet6({ ...six, from: c.six }))],
      ["nobody's IPv6 address", v6(packet6({ ...six, from: '2001:db8::9' }))],
      ['a tag of a VLAN', v4(packet4(four), [[ETHERTYPE.vlan, 5]])],
    ],
  };
}

const verdict = (bps: number): string => {
  if (bps < PATH_BPS / 20) return 'dropped';
  return bps < 2 * PATH_BPS ? 'shaped' : 'unshaped';
};

it('has its path’s rate, whatever its packets look like, and nobody else’s address', async () => {
  const lab = await startLab(TOPOLOGY);
  const [a, b] = [place(lab, 'a'), place(lab, 'b')];
  const macs = await macsOf(a);
  const { shaped, dropped } = attempts(macs, [inLab(lab, 'a'), inLab(lab, 'b'), inLab(lab, 'c')]);
  const rates: Record<string, string> = {};
  for (const [name, one] of [...shaped, ...dropped]) rates[name] = verdict(await arrives(a, b, one));
  expect(rates).toEqual({
    ...Object.fromEntries(shaped.map(([name]) => [name, 'shaped'])),
    ...Object.fromEntries(dropped.map(([name]) => [name, 'dropped'])),
  });
  expect((await ping(a, b, 5, 20)).received).toBe(5);
  expect((await lab.statuses()).flatMap(({ degraded }) => degraded)).toEqual([]);
  // What does not pass netfold's queue is dropped where the link ends, and told of.
  const [, whole] = shaped[3]!;
  expect(verdict(await arrives(a, b, { ...whole, bypass: true }))).toBe('dropped');
  await runIn(a, ...'tc qdisc replace dev eth0 root handle 9: pfifo limit 77'.split(' '));
  expect(verdict(await arrives(a, b, whole))).toBe('dropped');
  await runIn(a, ...'tc qdisc delete dev eth0 root'.split(' '));
  const degraded = async (): Promise<readonly string[]> => (await lab.statuses())[0]!.degraded;
  const isTold = /^a\.0: \d+ packets of the last 5 s had not passed the endpoint's queue/;
  await until(async () => (await degraded()).some((one) => isTold.test(one)), 'status says so');
  await until(async () => (await degraded()).length === 0, 'nothing is dropped any more', 20_000);
  expect(verdict(await arrives(a, b, whole))).toBe('shaped');
});

/** On interfaces that netfold has not made, the rest of the network is to be as it was; docs/security.md says what follows. */
it('on existing interfaces, tags of VLANs and what goes past the queue pass; all of the paths is shaped', async () => {
  const name = experimentName();
  const folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
  const network = connectMachines(3);
  try {
    const file = join(folder, 'doors.yaml');
    writeFileSync(file, TOPOLOGY);
    const [a, b] = network.machines as unknown as readonly [Place, Place];
    const addresses = network.machines.map(({ address }, index) => ({
      four: address,
      six: `fd09::${index + 1}`,
    }));
    for (const [index, machine] of network.machines.entries())
      await runIn(machine, 'ip', 'address', 'add', `${addresses[index]!.six}/64`, 'dev', 'eth0', 'nodad');
    const at = network.machines.flatMap(({ namespace }, index) => [
      '--at',
      `${'abc'[index]}=eth0@${namespace}`,
    ]);
    expectSuccess(await netfold('up', file, '--name', name, '--detach', ...at));
    expect((await ping(a, b, 5, 20)).received).toBe(5);
    const macs = await macsOf(a);
    const ends = addresses as [Addresses, Addresses, Addresses];
    const { shaped, dropped } = attempts(macs, ends);
    const rates: Record<string, string> = {};
    for (const [what, one] of [...shaped, ...dropped]) rates[what] = verdict(await arrives(a, b, one));
    const [, whole] = shaped[3]!;
    rates['past the queue'] = verdict(await arrives(a, b, { ...whole, bypass: true }));
    const other = (to: string, mac: string): Try => ({
      what: frame({ ...macs, to: mac }, ETHERTYPE.ipv4, packet4({ from: ends[0].four, to })),
    });
    rates['no endpoint’s address'] = verdict(await arrives(a, b, other('10.9.0.77', macs.to)));
    rates.broadcast = verdict(await arrives(a, b, other('10.9.0.255', 'ff:ff:ff:ff:ff:ff')));
    expect(rates).toEqual({
      ...Object.fromEntries(shaped.map(([what]) => [what, 'shaped'])),
      "another endpoint's address": 'shaped',
      "nobody's address": 'unshaped',
      "another endpoint's IPv6 address": 'shaped',
      "nobody's IPv6 address": 'unshaped',
      'a tag of a VLAN': 'unshaped',
      'past the queue': 'unshaped',
      'no endpoint’s address': 'unshaped',
      broadcast: 'unshaped',
    });
  } finally {
    await netfold('down', name);
    network.remove();
    rmSync(folder, { recursive: true });
  }
});
