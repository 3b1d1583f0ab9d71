/** `set` of impairments in a running lab: in force for real packets, changed, and gone again. */
import { expect, it } from 'vitest';
import { ping } from '../../../controller/verify/traffic.ts';
import { netfold } from '../../support/lab/cli.ts';
import { place, runIn, startLab, tell } from '../../support/lab/lab.ts';
import { LATE_MS } from '../../support/speed.ts';

const TOPOLOGY = `
services: { a: {}, b: {} }
bridges: [s]
traces: { far: "loop 0 1000: 0 10000000 60000" }
links:
  - { from: a, to: s, latency: 10ms }
  - { from: s, to: b }
`;

it('every impairment is set, changed and taken back', async () => {
  const lab = await startLab(TOPOLOGY, { delayBackend: 'delay-line' });
  await lab.run();
  const [a, b] = [place(lab, 'a'), place(lab, 'b')];
  const received = async (): Promise<number> => (await ping(a, b, 20, 10, 500)).received;
  const roundTrip = async (): Promise<number> => (await ping(a, b, 5, 40)).medianMs;
  const copies = async (): Promise<number> => {
    const { out } = await runIn(a, 'ping', '-n', '-i', '0.1', '-c', '5', '-W', '1', b.address);
    return [...out.matchAll(/DUP!/g)].length;
  };
  // The verdict's own probes count, too.
  const isAbout = (wanted: number): unknown =>
    expect.toSatisfy((value: number) => Math.abs(value - wanted) <= 2);
  const isNear = (wantedMs: number): unknown =>
    expect.toSatisfy((value: number) => Math.abs(value - wantedMs) < 20 + LATE_MS);

  // As a shell hands it over: without the quotes.
  await tell(lab, 'set', 'a->s', 'loss_model=every 2 packets');
  expect(await received()).toEqual(isAbout(10));
  await tell(lab, 'set', 'a->s', 'loss_model=none', 'duplicate=100%');
  expect(await copies()).toBeGreaterThan(2);
  await tell(lab, 'set', 'a--s', 'duplicate=none', 'trace=far');
  expect(await copies()).toBe(0);
  expect(await roundTrip()).toEqual(isNear(120));
  await tell(lab, 'set', 'a--s', 'trace=none', 'latency=20ms');
  expect(await roundTrip()).toEqual(isNear(40));
  await tell(lab, 'reset');
  expect(await roundTrip()).toEqual(isNear(20));

  const wrong = await netfold('set', 'a--s', 'trace=near', '--name', lab.name);
  expect(wrong.code).toBe(1);
  expect(wrong.stderr).toContain('there is no trace "near"');
});
