/** A lab with more pairs than are made at the start: whole agents make what is used. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { PAIRS_FROM_THE_START } from '../../../agent/linux/delay-line/delay-line.ts';
import { ping } from '../../../controller/verify/traffic.ts';
import { arrivalRates, place, runIn, startLab, until } from '../../support/lab/lab.ts';
import { LATE_MS } from '../../support/speed.ts';

const ENDPOINTS = 96;
const TOPOLOGY = `
services: { e: { replicas: ${ENDPOINTS} } }
bridges: [s]
links:
  - { from: e, to: s, latency: 30ms, up: 40Mbps, down: 24Mbps }
`;

it('first packets are delayed right, and flows shared, by agents of two hosts that made nothing before', async () => {
  expect((ENDPOINTS / 2) * (ENDPOINTS - 1)).toBeGreaterThan(PAIRS_FROM_THE_START);
  const lab = await startLab(TOPOLOGY, { hosts: 2, delayBackend: 'delay-line' });
  await lab.run();
  const [a, near, far] = ['e.0', 'e.2', 'e.1'].map((name) => place(lab, name));
  const classes = async (): Promise<number> =>
    (await runIn(a!, 'tc', 'class', 'show', 'dev', 'eth0')).out.split('class htb').length - 1;
  expect(await classes()).toBe(1);
  for (const to of [near!, far!]) {
    const { received, meanMs } = await ping(a!, to, 1, 20);
    expect(received).toBe(1);
    expect(meanMs).toBeGreaterThan(119.5);
    expect(meanMs).toBeLessThan(140 + LATE_MS);
  }
  await until(async () => (await classes()) === 3, 'both destinations have a class');
  const flows = [
    runIn(near!, 'iperf3', '-s', '-1'),
    sleep(300).then(() => runIn(a!, 'iperf3', '-C', 'cubic', '-c', near!.address, '-t', '6')),
  ];
  await sleep(2500);
  const [rate] = await arrivalRates([near!], 2);
  expect(rate).toBeGreaterThan(0.9 * 24e6);
  expect(rate).toBeLessThan(1.03 * 24e6);
  await Promise.all(flows);
  for (const { degraded } of await lab.statuses()) expect(degraded).toEqual([]);
});
