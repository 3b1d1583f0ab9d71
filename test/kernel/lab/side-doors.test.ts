/**
 * An application that is root in its endpoint, and has raw sockets, tries to send past its path: by priorities, addresses,
 * tags and headers. Whatever arrives has its path's rate; what has somebody else's address does not arrive.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { OWN_MAJOR } from '../../../agent/enforce/interface-state.ts';
import type { Experiment } from '../../../controller/experiment/experiment.ts';
import { type Place, ping } from '../../../controller/verify/traffic.ts';
import { place, receivedBytes, runIn, startLab } from '../../support/lab/lab.ts';
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
my ($what, $priority, $seconds, $bps) = @ARGV;
my ($socket, $to, $data);
if ($what =~ /^\\d+\\./) {
  socket($socket, PF_INET, SOCK_DGRAM, 0) or die; $to = pack_sockaddr_in(9, inet_aton($what)); $data = "x" x 1200;
} else {
  socket($socket, 17, SOCK_RAW, 0) or die $!; $data = pack("H*", $what);
  my ($index) = \`cat /sys/class/net/eth0/ifindex 2>/dev/null || echo 2\` =~ /(\\d+)/;
  $to = pack("SnlSCCa8", 17, 0, $index, 0, 0, 0, "");
}
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
}

/** Bits per second that arrive at `to` while `from` sends. */
async function arrives(from: Place, to: Place, { what, priority = 0 }: Try): Promise<number> {
  await quiet(to);
  const before = receivedBytes(to);
  const start = performance.now();
  const words = [typeof what === 'string' ? what : what.toString('hex'), priority, SECONDS, SENT_BPS];
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

async function attempts(lab: Experiment): Promise<{ shaped: [string, Try][]; dropped: [string, Try][] }> {
  const macs = await macsOf(place(lab, 'a'));
  const [a, b, c] = ['a.0', 'b.0', 'c.0'].map((name) => {
    const [four, six] = lab.plan.endpoints.find((one) => one.name === name)!.addresses;
    return { four: four!, six: six! };
  }) as [Record<'four' | 'six', string>, Record<'four' | 'six', string>, Record<'four' | 'six', string>];
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

it('has its path’s rate, whatever its packets look like, and nobody else’s address', async () => {
  const lab = await startLab(TOPOLOGY);
  const [a, b] = [place(lab, 'a'), place(lab, 'b')];
  const { shaped, dropped } = await attempts(lab);
  const rates: Record<string, string> = {};
  const verdict = (bps: number): string => {
    if (bps < PATH_BPS / 20) return 'dropped';
    return bps < 2 * PATH_BPS ? 'shaped' : `${Math.round(bps / 1e6)} Mb/s`;
  };
  for (const [name, one] of [...shaped, ...dropped]) rates[name] = verdict(await arrives(a, b, one));
  expect(rates).toEqual({
    ...Object.fromEntries(shaped.map(([name]) => [name, 'shaped'])),
    ...Object.fromEntries(dropped.map(([name]) => [name, 'dropped'])),
  });
  expect((await ping(a, b, 5, 20)).received).toBe(5);
  expect((await lab.statuses()).flatMap(({ degraded }) => degraded)).toEqual([]);
});
