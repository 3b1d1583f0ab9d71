/** Links that count the overhead of frames: what gets through, and how long it takes. */
import { describe, expect, it } from 'vitest';
import { delayBackends, probeMachine } from '../../../agent/linux/probe/probe.ts';
import { startIperfServer } from '../../../controller/verify/goodput.ts';
import { PING_FRAME_BYTES, start } from '../../../controller/verify/traffic.ts';
import { bytesAtLink } from '../../../proto/queue.ts';
import { arrivalRates, place, runIn, startLab } from '../../support/lab/lab.ts';

/** The host has other work at times; what is wrong fails twice. */
const MEASURED = { retry: 1 };
const PAYLOAD_BYTES = 100;
const FRAME_BYTES = 14 + 20 + 8 + PAYLOAD_BYTES;
/** What the machine adds to a round trip, and more. */
const MACHINE_MS = 4;

const TOPOLOGY = `
services: { a: {}, b: {}, c: {}, slow: {} }
links:
  - { from: a, to: b, latency: 5ms, bandwidth: 2Mbps, overhead: atm }
  - { from: a, to: c, latency: 5ms, bandwidth: 2Mbps, overhead: 100 bytes }
  - { from: a, to: slow, latency: 5ms, bandwidth: 64Kbps, overhead: atm }
`;

describe.each(delayBackends(probeMachine()))('with %s', (delayBackend) => {
  it(
    'small packets get as much of the bandwidth as their overhead leaves, and take their time',
    MEASURED,
    async () => {
      const lab = await startLab(TOPOLOGY, { delayBackend });
      await lab.run();
      const [a, slow] = [place(lab, 'a'), place(lab, 'slow')];
      const receivers = ['b', 'c'].map((name) => place(lab, name));

      // In 3 cells instead of 2.04: a round trip is 15 ms longer than without.
      const { out } = await runIn(a, 'ping', '-n', '-c', '4', '-i', '0.2', slow.address);
      const fastest = Number(/= ([\d.]+)\//.exec(out)?.[1]);
      const expected = 10 + (2 * 8 * bytesAtLink(PING_FRAME_BYTES, 'atm')) / 64;
      expect(fastest - expected, `${fastest} instead of ${expected} ms`).toBeGreaterThan(-0.1);
      expect(fastest - expected, `${fastest} instead of ${expected} ms`).toBeLessThan(MACHINE_MS);

      const servers = await Promise.all(receivers.map((to) => startIperfServer(to)));
      const clients = receivers.map(({ address }) =>
        start(a, ['iperf3', '-c', address, '-u', '-b', '4M', '-l', String(PAYLOAD_BYTES), '-t', '7']),
      );
      try {
        // A flow that fills its path is greedy for good: its class stays as wide as the path.
        await new Promise((resolve) => setTimeout(resolve, 1500));
        const rates = await arrivalRates(receivers, 3);
        const targets = ['atm', '100 bytes'].map(
          (overhead) => (2e6 * FRAME_BYTES) / bytesAtLink(FRAME_BYTES, overhead),
        );
        for (const [index, target] of targets.entries())
          expect(Math.abs(rates[index]! / target - 1), `${rates[index]} instead of ${target}`).toBeLessThan(
            0.06,
          );
      } finally {
        for (const { child } of servers) child.kill('SIGKILL');
        for (const child of clients) child.kill('SIGKILL');
      }
    },
  );
});
