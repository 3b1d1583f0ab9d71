/** Flows of a file, over real links: each has its bytes, by TCP and by UDP, and arrives as late as the topology makes it. */
import { expect, it } from 'vitest';
import { trafficRows } from '../../../controller/traffic-rows.ts';
import { startLab, until } from '../../support/lab/lab.ts';

const FLOWS = [
  'time,from,to,bytes,protocol,duration',
  // At once: each has a connection of its own.
  ...Array.from({ length: 5 }, () => '100,a,b,40000,tcp,0'),
  '101,a,b,200000,tcp,0',
  '100.5,b,a,14720,udp,1',
  // Long after the others have ended.
  '3700,a,b,1000,tcp,0',
].join('\n');

it('are sent when they are due, with all their bytes', async () => {
  const lab = await startLab(
    `services: { a: {}, b: {} }
links: [{ from: a, to: b, latency: 25ms, bandwidth: 20Mbps }]
traffic:
  - { flows: f.csv, name: day }
`,
    { hosts: 2, files: { 'f.csv': FLOWS } },
  );
  await lab.run();
  const rows = async () => trafficRows((await lab.statuses()).map(({ traffic = [] }) => traffic));
  await until(async () => ((await lab.statuses())[0]?.nowMs ?? 0) > 3000, 'three seconds are over');
  const [tcp, udp] = (await rows()).toSorted((a, b) => a.protocol.localeCompare(b.protocol));
  expect([tcp!.name, tcp!.from, tcp!.to, udp!.from]).toEqual(['day', 'a.0', 'b.0', 'b.0']);
  // What was late on a busy machine was not sent.
  expect(tcp!.sent + tcp!.late + tcp!.refused).toBe(6);
  expect(tcp!.refused).toBe(0);
  await until(async () => {
    const [now] = (await rows()).filter(({ protocol }) => protocol === 'tcp');
    return now!.received === now!.sent;
  }, 'all flows have arrived');
  const [whole] = (await rows()).filter(({ protocol }) => protocol === 'tcp');
  expect(whole!.receivedBytes).toBe(whole!.sentBytes);
  // A round trip to connect, and half of one.
  expect(whole!.meanDelayMs).toBeGreaterThan(74);
  expect(udp!.sent + udp!.late + udp!.refused).toBe(10);
  expect(udp!.receivedBytes).toBe(udp!.received * 1472);
  const problems = (await lab.statuses()).flatMap(({ degraded }) => degraded);
  expect(problems.filter((one) => one.includes("netfold's own traffic"))).toEqual([]);
}, 60_000);
