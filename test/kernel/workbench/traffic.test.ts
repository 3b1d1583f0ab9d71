/** Traffic of netfold's own, over real links: what is sent arrives, delayed and limited as the topology says; what is simulated takes its share. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Experiment } from '../../../controller/experiment/experiment.ts';
import { trafficRows } from '../../../controller/traffic-rows.ts';
import { netfold } from '../../support/lab/cli.ts';
import { startLab, until } from '../../support/lab/lab.ts';
import { expectSuccess } from '../../support/lab/succeeds.ts';

const rows = async (lab: Experiment) =>
  new Map(
    trafficRows((await lab.statuses()).map(({ traffic = [] }) => traffic)).map((row) => [row.name, row]),
  );

it('is sent, delayed, limited and counted, from one host to another', async () => {
  const lab = await startLab(
    `services: { a: {}, b: {}, c: {}, d: {}, e: {} }
links:
  - { from: a, to: b, latency: 20ms, bandwidth: 10Mbps }
  - { from: c, to: d, latency: 10ms, bandwidth: 20Mbps }
  - { from: e, to: d, latency: 10ms, bandwidth: 20Mbps }
traffic:
  - { from: a, to: b, name: steady, rate: 50Kbps, size: 200B, count: 20, stop: 3s }
  - { from: a, to: b, name: bursts, kind: exponential, rate: 200Kbps, size: 200B, on: 100ms, off: 100ms, stop: 3s }
  - { from: e, to: d, name: late, rate: 100Kbps, start: 10m }
  - { from: c, to: d, name: bulk, stop: 4s }
  - { from: c, to: d, name: ghost, rate: 8Mbps, simulated: true }
`,
    { hosts: 2 },
  );
  await lab.run();
  // 20 sources of 242 bytes at 50 kb/s for three seconds: a datagram of each 38.72 ms, the first at 0.
  const expected = 20 * Math.ceil(3e6 / 38_720);
  await until(
    async () => (await rows(lab)).get('steady')!.received >= expected - 1,
    'all datagrams have arrived',
  );
  const found = await rows(lab);
  const steady = found.get('steady')!;
  // What was late on a busy machine was not sent.
  expect(steady.sent + steady.late + steady.refused).toBe(expected);
  expect(steady.sources).toBe(20);
  expect(steady.meanDelayMs).toBeGreaterThan(19.9);
  expect(steady.meanDelayMs).toBeLessThan(60);
  expect(found.get('bursts')!.received).toBeGreaterThan(10);
  expect(found.get('late')).toMatchObject({ sent: 0, received: 0 });

  await until(async () => ((await lab.statuses())[0]?.nowMs ?? 0) > 4200, 'the TCP connection has ended');
  const { received, receivedBytes } = (await rows(lab)).get('bulk')!;
  expect(received).toBeGreaterThan(0);
  // Of 20 Mb/s, 8 belong to a flow that nobody sends; what is left in four seconds, and no more.
  const rate = (receivedBytes * 8) / 4;
  expect(rate).toBeLessThan(13e6);
  expect(rate).toBeGreaterThan(1e6);
  const bytes = async (): Promise<number> => (await rows(lab)).get('bulk')!.receivedBytes;
  await until(async () => {
    const before = await bytes();
    await sleep(300);
    return before === (await bytes());
  }, 'the connection has ended for good');
  const simulated = (await lab.statuses()).flatMap((status) => status.simulated ?? []);
  expect(simulated.map(({ flows }) => flows)).toEqual([1, 1]);
  expect((await lab.statuses()).flatMap(({ degraded }) => degraded)).toEqual([]);
});

it('of a script of ns-2 runs as the script says', async () => {
  const file = join(import.meta.dirname, '../../../examples/ns2/simulation.tcl');
  const lab = await startLab(readFileSync(file, 'utf8'), { file: 'simulation.tcl' });
  await lab.run();
  await until(async () => ((await rows(lab)).get('ftp')?.receivedBytes ?? 0) > 50_000, 'FTP has sent');
  const { received, sentBytes, sent } = (await rows(lab)).get('cbr')!;
  expect(received).toBeGreaterThan(20);
  expect(sentBytes / sent).toBe(958);
});

it('of all kinds flows, from the events that start it to those that stop it', async () => {
  const lab = await startLab(
    `services: { a: {}, b: {}, c: {} }
links:
  - { from: a, to: b, latency: 5ms, bandwidth: 20Mbps }
  - { from: c, to: b, latency: 5ms, bandwidth: 20Mbps }
traffic:
  - { from: a, to: b, name: cbr, rate: 400Kbps, size: 958B }
  - { from: a, to: b, name: later, rate: 400Kbps, size: 958B, start: never }
  - { from: a, to: b, name: stream, protocol: tcp, rate: 200Kbps, size: 958B }
  - { from: c, to: b, name: keys, kind: telnet, interval: 20ms }
  - { from: c, to: b, name: files, kind: ftp, size: 20000B, off: 50ms, stop: 4s }
  - { from: c, to: b, name: pages, kind: web, off: 50ms, stop: 4s }
  - { from: c, to: b, name: played, trace: "packets: 0 100, 1000 200, 2000 24" }
events:
  - at 1s start cbr
  - at 2s stop cbr
`,
    { hosts: 2 },
  );
  await lab.run();
  await until(async () => ((await lab.statuses())[0]?.nowMs ?? 0) > 4200, 'four seconds are over');
  const found = await rows(lab);
  // A second of 1,000 bytes at 400 kb/s: both ends are kept to the datagram. What was late on a busy machine was not sent.
  const { sent, late, refused } = found.get('cbr')!;
  expect(sent + late + refused).toBe(50);
  expect(found.get('later')).toMatchObject({ sent: 0, received: 0 });
  const played = found.get('played')!;
  expect(played.sent + played.late + played.refused).toBe(3);
  expect(played.received).toBe(played.sent);
  const stream = found.get('stream')!;
  expect(stream).toMatchObject({ protocol: 'tcp', lost: null, meanDelayMs: null });
  expect(stream.receivedBytes).toBeGreaterThan(20_000);
  expect(found.get('keys')!.receivedBytes).toBeGreaterThan(20);
  const files = found.get('files')!;
  expect(files.received).toBeGreaterThan(2);
  expect(files.receivedBytes / files.received).toBeGreaterThan(5000);
  expect(files.receivedBytes / files.received).toBeLessThan(50_000);
  // A round trip to connect, and half of one.
  expect(files.meanDelayMs).toBeGreaterThan(10);
  const pages = found.get('pages')!;
  expect(pages.received).toBeGreaterThan(1);
  expect(pages.sent).toBeGreaterThanOrEqual(pages.received);
  expect(pages.meanDelayMs).toBeGreaterThan(9);

  expectSuccess(await netfold('start', 'later', '--name', lab.name));
  await until(async () => (await rows(lab)).get('later')!.received > 5, 'a command has started it');
  expectSuccess(await netfold('stop', 'later', '--name', lab.name));
  const count = async (): Promise<number> => (await rows(lab)).get('later')!.received;
  await until(async () => {
    const before = await count();
    await sleep(300);
    return before === (await count());
  }, 'a command has stopped it');
  const wrong = await netfold('start', 'nobody', '--name', lab.name);
  expect(wrong.stderr).toContain('there is no traffic "nobody"');
  // A busy machine is another matter.
  const problems = (await lab.statuses()).flatMap(({ degraded }) => degraded);
  expect(problems.filter((one) => one.includes("netfold's own traffic"))).toEqual([]);
});
