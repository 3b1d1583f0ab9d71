/** A whole agent killed at random times while its experiment changes: the next one comes to the right state. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { controlAgents } from '../../../controller/experiment/control.ts';
import { processesIn } from '../../../controller/machine/processes.ts';
import { ping } from '../../../controller/verify/traffic.ts';
import { SeededRandom } from '../../../topology/model/random.ts';
import { killIfThere } from '../../support/kernel/kill.ts';
import { place, runIn, startLab } from '../../support/lab/lab.ts';
import { LATE_MS } from '../../support/speed.ts';

const KILLS = 25;
const SEED = 33;
/** From the first changes on: some ten of each flap. */
const LONGEST_MS = 1200;
const READY_MS = 60_000;

const TOPOLOGY = `
services: { a: {}, b: {}, c: {} }
bridges: [s]
links:
  - { from: a, to: s, latency: 15ms, up: 20Mbps, down: 4Mbps }
  - { from: b, to: s, latency: 5ms, bandwidth: 10Mbps }
  - { from: c, to: s, latency: 5ms, loss: 1%, bandwidth: 1Gbps }
`;
const FLAPS = ['flap b--s every 70ms', 'flap a--s every 110ms'];

it(`${KILLS} kills leave what the next agent puts right`, { timeout: 300_000 }, async () => {
  const random = new SeededRandom(SEED);
  const lab = await startLab(TOPOLOGY);
  const host = lab.plan.hosts[0]!;
  const state = async (): Promise<string> => {
    const commands = 'tc qdisc; tc class show dev eth0; tc filter show dev eth0 ingress; nft list ruleset';
    const all = await Promise.all(
      ['a', 'b', 'c'].map((node) => runIn(place(lab, node), 'sh', '-c', commands)),
    );
    return all
      .map(({ out }) => out.replaceAll(/(bfifo|pfifo|netem) [0-9a-f]+:/g, '$1'))
      .map((out) => out.replaceAll(/leaf [0-9a-f]+:|\bid \d+|tag [0-9a-f]+|direct_packets_stat \d+/g, ''))
      .map((out) => out.split('\n').sort().join('\n'))
      .join('\n');
  };
  const right = await state();

  const tell = (text: string, during?: number) =>
    controlAgents(lab.name, undefined, { text, ...(during !== undefined && { during }) });
  await lab.run();
  for (let kill = 0; kill < KILLS; kill++) {
    // Those of the agent that was killed before it was ready go on.
    if (kill === 0 || kill % 3 !== 0) for (const flap of FLAPS) await tell(flap, 60e6);
    await sleep(random.below(LONGEST_MS));
    for (const pid of processesIn([host.namespace])) killIfThere(pid);
    const next = await lab.startAgent(host);
    // Every third is killed before it is ready, and another one after it.
    if (kill % 3 === 2) await sleep(random.below(1000));
    else {
      await next.waitUntilReady(READY_MS, () => {});
      // It continues with the flaps that it knows.
      await tell('reset');
      await sleep(400);
      expect(await state(), `kill ${kill}`).toBe(right);
      const { received, medianMs } = await ping(place(lab, 'a'), place(lab, 'b'), 5, 20);
      expect(received).toBe(5);
      // In force, however busy the machine is.
      expect(medianMs).toBeGreaterThan(39);
      expect(medianMs).toBeLessThan(70 + 4 * LATE_MS);
    }
  }
});
