/**
 * Queues that are managed before they are full, beside one that is not. RED: of a source that is limited by nothing, what is dropped is
 * its excess, so the average queue is where RED drops just that. Marks are evenly apart, so with the probability p at the average, every
 * (1/p + 1)/2-th packet is dropped on average (Floyd and Jacobson 1993, section 5).
 */
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { Interruption } from '../../../bench/lab.ts';
import { type Filled, type Flooded, fill, flood } from '../../../bench/queue/loads.ts';
import { type LinkSettings, withRouter } from '../../../bench/queue/router.ts';
import type { Flow } from '../../../controller/verify/traffic.ts';
import { bps } from '../../../proto/units.ts';
import { place, run, runIn, startLab } from '../../support/lab/lab.ts';

const MIN = 20;
const MAX = 60;
const RATE = 10e6;
const LOAD = 1.1;

/** Milliseconds that an average queue of RED takes which drops so much of what comes: full frames at the link's rate. */
function equilibrium(load: number, probability: number): number {
  const dropped = 1 - 1 / load;
  const atAverage = dropped / (2 - dropped);
  const packets = MIN + ((MAX - MIN) * atAverage) / probability;
  return (packets * 1514 * 8) / (RATE / 1000);
}

it('keep the queue that RED and CoDel promise, and mark instead of dropping', async () => {
  const lab =
    await startLab(`services: { red: {}, tail: {}, codel: {}, sink: { replicas: 3 }, ecn: {}, marked: {} }
links:
  - { from: red, to: sink.0, bandwidth: 10Mbps, queue: { kind: red, limit: 400 packets, min: 20 packets, max: 60 packets } }
  - { from: tail, to: sink.1, bandwidth: 10Mbps, queue: 200 packets }
  - { from: codel, to: sink.2, latency: 10ms, bandwidth: 10Mbps, queue: { kind: codel, limit: 200 packets } }
  - { from: ecn, to: marked, latency: 10ms, bandwidth: 10Mbps, queue: { kind: red, limit: 1000 packets, ecn: true } }
traffic:
  - { from: red, to: sink.0, name: managed, rate: 11Mbps, size: 1472B }
  - { from: tail, to: sink.1, name: unmanaged, rate: 11Mbps, size: 1472B }
`);
  for (const name of ['ecn', 'marked']) await runIn(place(lab, name), 'sysctl', '-qw', 'net.ipv4.tcp_ecn=1');
  await lab.run();
  const pings = async (from: string, to: string, seconds: number): Promise<number[]> => {
    const count = String(Math.round(seconds / 0.05));
    const { out } = await runIn(
      place(lab, from),
      'ping',
      '-n',
      '-c',
      count,
      '-i',
      '0.05',
      place(lab, to).address,
    );
    return [...out.matchAll(/time=([\d.]+)/g)].map(([, time]) => Number(time));
  };
  const flow = async (from: string, to: string): Promise<{ retransmits: number; rate: number }> => {
    const { namespace } = place(lab, to);
    const server = run('ip', ['netns', 'exec', namespace, 'timeout', '20', 'iperf3', '-s', '-1']);
    const client = ['iperf3', '-C', 'cubic', '-J', '-t', '6', '-c', place(lab, to).address];
    let out = '';
    // The server may not listen yet.
    for (let tries = 0; !out.includes('"sum_received"') && tries < 20; tries++)
      ({ out } = await runIn(place(lab, from), ...client));
    await server;
    const { end } = JSON.parse(out);
    return { retransmits: end.sum_sent.retransmits, rate: end.sum_received.bits_per_second };
  };
  const mean = (all: readonly number[]): number => all.reduce((sum, one) => sum + one, 0) / all.length;
  const median = (all: readonly number[]): number => all.toSorted((a, b) => a - b)[all.length >> 1]!;

  const [red, tail, toCodel, codel, toMarked, ecn] = await Promise.all([
    pings('red', 'sink.0', 6),
    pings('tail', 'sink.1', 6),
    flow('codel', 'sink.2'),
    pings('codel', 'sink.2', 6),
    flow('ecn', 'marked'),
    pings('ecn', 'marked', 6),
  ]);
  // The first second is that in which the average follows: some 2 / 0.002 packets.
  const settled = red.slice(Math.floor(red.length / 3));
  const expected = equilibrium(LOAD, 0.1);
  expect(mean(settled)).toBeGreaterThan(0.7 * expected);
  expect(mean(settled)).toBeLessThan(1.4 * expected);
  // 200 packets take 242 ms.
  expect(median(tail.slice(Math.floor(tail.length / 3)))).toBeGreaterThan(180);
  expect(median(codel)).toBeLessThan(60);
  expect(toCodel.rate).toBeGreaterThan(6e6);
  // What would have been dropped is marked.
  expect(median(ecn)).toBeLessThan(80);
  expect(toMarked.rate).toBeGreaterThan(6e6);
  expect(toMarked.retransmits).toBeLessThan(10);
}, 60_000);

/**
 * Whether this kernel has RED of its own: Debian's does, in the machines of test/vm; the one that tests run on by themselves may not, and
 * then there is nothing to compare with.
 */
const hasRed = spawnSync('modprobe', ['--quiet', 'sch_red']).status === 0;
const FRAME = 1514;
/** tc makes a weight of the burst: of 130 packets, 2^-9, as 0.002 is here (tc_red_eval_ewma of iproute2). */
const LINK: LinkSettings = {
  ...{ rateBps: bps(RATE), packets: 400 },
  qdisc: `red limit ${400 * FRAME} min ${MIN * FRAME} max ${MAX * FRAME} avpkt ${FRAME} burst 130 probability 0.1 bandwidth 10Mbit`,
};

if (hasRed)
  it("RED does beside the kernel's own what that does on a router", async () => {
    const measure = async (flow: Flow): Promise<{ tcp: Filled; udp: Flooded }> => ({
      tcp: await fill(flow, LINK),
      udp: await flood(flow, LINK, LOAD),
    });
    const router = await withRouter(LINK, new Interruption([]), measure);
    const lab = await startLab(`services: { a: {}, b: {} }
links: [{ from: a, to: b, bandwidth: 10Mbps, queue: { kind: red, limit: 400 packets, min: 20 packets, max: 60 packets } }]
`);
    const ours = await measure({ from: place(lab, 'a'), to: place(lab, 'b') });
    const within = (part: number, mine: number, its: number): void => {
      expect(mine).toBeGreaterThan((1 - part) * its);
      expect(mine).toBeLessThan((1 + part) * its);
    };
    // Of datagrams, what is dropped is the excess; how long the queue is then is RED's own.
    within(0.1, ours.udp.lost, router.udp.lost);
    within(0.15, ours.udp.roundTripMs, router.udp.roundTripMs);
    // Drops are drawn: of one connection, they come at other times in each run.
    within(0.05, ours.tcp.goodputBps, router.tcp.goodputBps);
    within(0.3, ours.tcp.roundTripMs, router.tcp.roundTripMs);
  }, 120_000);
