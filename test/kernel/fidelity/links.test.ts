/** A link as packets meet it: the time that they take to be transmitted, and the queue in front of it. */
import { describe, expect, it } from 'vitest';
import { delayBackends, probeMachine } from '../../../agent/linux/probe/probe.ts';
import type { Experiment } from '../../../controller/experiment/experiment.ts';
import { startIperfServer } from '../../../controller/verify/goodput.ts';
import { PING_FRAME_BYTES, type Place, ping } from '../../../controller/verify/traffic.ts';
import { place, runIn, startLab } from '../../support/lab/lab.ts';

/** The host has other work at times; what is wrong fails twice. */
const MEASURED = { retry: 1 };

/** What the machine adds to a round trip; how little it is shows in `bench -- accuracy`. Transmission takes 24 to 360 ms here. */
const MACHINE_MS = 3;

const LINK = { bps: 12e6, queue: 100 };
const FRAME_BYTES = 1514;
/** How long a full queue takes. */
const FULL_MS = (LINK.queue * FRAME_BYTES * 8000) / LINK.bps;

const TOPOLOGY = `
services: { a: {}, b: {}, c: {}, slow: {}, far: {}, odd: {} }
bridges: [s1, s2]
links:
  - { from: a, to: b, latency: 5ms, bandwidth: 12Mbps, queue: 100 packets }
  - { from: a, to: c, latency: 5ms, bandwidth: 100Mbps }
  - { from: a, to: slow, latency: 10ms, bandwidth: 64Kbps }
  - { from: a, to: s1, latency: 1ms, bandwidth: 2Mbps }
  - { from: s1, to: s2, latency: 1ms, bandwidth: 4Mbps }
  - { from: s2, to: far, latency: 1ms, bandwidth: 2Mbps }
`;

describe.each(delayBackends(probeMachine()))('with %s', (delayBackend) => {
  it('packets take their size divided by the bandwidth at every link of their path', MEASURED, async () => {
    const lab = await startLab(TOPOLOGY, { delayBackend });
    const [a, slow, far] = [place(lab, 'a'), place(lab, 'slow'), place(lab, 'far')];
    const [small, large] = [PING_FRAME_BYTES, PING_FRAME_BYTES + 1344];
    // 64 kb/s; then 2, 4 and 2 Mb/s.
    const msPerByte = 2 / 2e3 + 1 / 4e3;
    const targets = (bytes: number): number[] => [20 + (16 * bytes) / 64, 6 + 16 * bytes * msPerByte];
    const measured = await Promise.all([roundTripMs(a, slow, small), roundTripMs(a, far, small)]);
    const measuredLarge = await Promise.all([roundTripMs(a, slow, large), roundTripMs(a, far, large)]);
    for (const [index, target] of [...targets(small), ...targets(large)].entries()) {
      const seen = [...measured, ...measuredLarge][index]!;
      expect(seen - target, `${seen} instead of ${target} ms`).toBeGreaterThan(-0.05);
      expect(seen - target, `${seen} instead of ${target} ms`).toBeLessThan(MACHINE_MS);
    }
  });

  it(
    'a queue loses what does not fit, and delays what does, for who sends too much and for nobody else',
    MEASURED,
    async () => {
      const lab = await startLab(TOPOLOGY, { delayBackend });
      const [a, b, c] = [place(lab, 'a'), place(lab, 'b'), place(lab, 'c')];
      const [sent, full, beside] = await Promise.all([
        overload(lab, 20e6, 4),
        loaded(() => ping(a, b, 15, 100)),
        loaded(() => ping(a, c, 15, 100)),
      ]);
      // Payloads of 20 Mb/s, of which 12 Mb/s of frames get through.
      expect(sent.sentBps / 20e6).toBeGreaterThan(0.9);
      expect(Math.abs(sent.lost - (1 - LINK.bps / (20e6 * (FRAME_BYTES / 1472))))).toBeLessThan(0.05);
      expect(full.medianMs - 10).toBeGreaterThan(0.75 * FULL_MS);
      expect(full.medianMs - 10).toBeLessThan(1.25 * FULL_MS);
      expect(beside.received).toBe(beside.sent);
      expect(beside.medianMs).toBeLessThan(10 + 0.25 * FULL_MS);
    },
  );
});

/** Of a ping in a frame of this size, the fastest of five: nothing but the link delays it. */
async function roundTripMs(from: Place, to: Place, frameBytes: number): Promise<number> {
  const size = String(frameBytes - PING_FRAME_BYTES + 56);
  const { out } = await runIn(from, 'ping', '-n', '-c', '5', '-i', '1', '-s', size, to.address);
  const fastest = /= ([\d.]+)\//.exec(out)?.[1];
  expect(fastest, out).toBeDefined();
  return Number(fastest);
}

/** Waits until the queue is full. */
async function loaded<T>(measure: () => Promise<T>): Promise<T> {
  await new Promise((resolve) => setTimeout(resolve, 1500));
  return measure();
}

interface Overload {
  readonly sentBps: number;
  /** Part of the datagrams. */
  readonly lost: number;
}

/** Datagrams from a to b, of which each fills a frame. */
async function overload(lab: Experiment, bps: number, seconds: number): Promise<Overload> {
  const [a, b] = [place(lab, 'a'), place(lab, 'b')];
  const server = await startIperfServer(b);
  const args = ['-c', b.address, '-u', '-b', String(bps), '-l', '1472', '-t', String(seconds), '-J'];
  try {
    const { sum_sent, sum_received } = JSON.parse((await runIn(a, 'iperf3', ...args)).out).end;
    return { sentBps: sum_sent.bits_per_second, lost: 1 - sum_received.bytes / sum_sent.bytes };
  } finally {
    server.child.kill('SIGKILL');
  }
}
