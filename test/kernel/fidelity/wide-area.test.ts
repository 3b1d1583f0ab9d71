/** Hosts that are really apart: paths have the latency that was asked for, and what can't have it is named. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { type Distance, moveApart } from '../../../bench/verdict/far-hosts.ts';
import { Experiment } from '../../../controller/experiment/experiment.ts';
import { lab as localLab } from '../../../controller/platform/lab/lab.ts';
import { fabricNamespace } from '../../../controller/platform/lab/lab-names.ts';
import { loadTopology } from '../../../topology/load.ts';
import { experimentName, place, run, until } from '../../support/lab/lab.ts';
import { startOnTwo } from '../../support/lab/starting.ts';
import { oneWayDelayMs } from '../../support/traffic/one-way-delay.ts';

/** One way: round trips of the real network are twice as long. */
const REAL_MS = 30;
/** Of one-way delays, in milliseconds; half of what a round trip is settled to, and of what the machine adds. */
const TOLERANCE_MS = 1;

/** A shared machine may pause for 100 ms, which spoils a measurement; what is wrong fails every time. */
const MEASURED = { retry: 2 };

const ON_TWO_HOSTS = { platform: localLab, placement: { hosts: 2 } };

/** Endpoints are spread in turn: `a` and `c` are on host0, `b` and `d` on host1. */
const TEXT = `services: { a: {}, b: {}, c: {}, d: {} }
links:
  - { from: a, to: b, latency: 50ms, oneway: true }
  - { from: b, to: a, latency: 40ms, oneway: true }
  - { from: c, to: d, latency: 10ms, oneway: true }
  - { from: d, to: c, latency: 45ms, oneway: true }
  - { from: a, to: c, latency: 7ms }
`;

let distance: Promise<Distance> | undefined;

afterEach(async () => {
  await (await distance)?.stop();
  distance = undefined;
});

/** The hosts are apart before the agents meet. */
const startApart = (text: string): Promise<Experiment> =>
  startOnTwo(text, (plan) => {
    distance = moveApart(plan, REAL_MS * 1000);
  });

it(
  `over a real network of ${REAL_MS} ms one way, a path of 50 ms has 50 ms, and one of 10 ms is said to be 20 ms too slow`,
  MEASURED,
  async () => {
    const lab = await startApart(TEXT);
    await lab.run();
    const subtracted = async (): Promise<number[]> =>
      (await lab.statuses()).map(({ underlay }) => underlay.hosts[0]?.subtractedMs ?? 0);
    await until(async () => (await subtracted()).every((one) => Math.abs(one - REAL_MS) < 0.5), 'measured');
    await sleep(500);
    const delays = {
      'a > b': await oneWayDelayMs(place(lab, 'a'), place(lab, 'b')),
      'b > a': await oneWayDelayMs(place(lab, 'b'), place(lab, 'a')),
      'd > c': await oneWayDelayMs(place(lab, 'd'), place(lab, 'c')),
      'a > c': await oneWayDelayMs(place(lab, 'a'), place(lab, 'c')),
      'c > d': await oneWayDelayMs(place(lab, 'c'), place(lab, 'd')),
    };
    expect(Math.abs(delays['a > b'] - 50)).toBeLessThan(TOLERANCE_MS);
    expect(Math.abs(delays['b > a'] - 40)).toBeLessThan(TOLERANCE_MS);
    expect(Math.abs(delays['d > c'] - 45)).toBeLessThan(TOLERANCE_MS);
    // On one host nothing is subtracted.
    expect(Math.abs(delays['a > c'] - 7)).toBeLessThan(TOLERANCE_MS);
    // The real network's own, and nothing added.
    expect(Math.abs(delays['c > d'] - REAL_MS)).toBeLessThan(TOLERANCE_MS);

    const [near, far] = await lab.statuses();
    expect(near!.underlay.tooSlow).toMatchObject({
      count: 1,
      worst: [{ from: 'c.0', to: 'd.0', latencyMs: 10 }],
    });
    expect(Math.abs(near!.underlay.tooSlow.worst[0]!.byMs - 20)).toBeLessThan(0.5);
    expect(far!.underlay.tooSlow).toEqual({ count: 0, worst: [] });
    expect(near!.degraded).toEqual([]);
  },
);

/** Packets between the hosts vanish without a word, as behind a router that has failed. */
async function cut(lab: Experiment, isCut: boolean): Promise<void> {
  const { address, name } = lab.plan.hosts[1]!;
  const route = isCut ? ['blackhole', `${address}/32`] : [`${address}/32`, 'dev', name];
  const fabric = fabricNamespace(lab.name);
  await run('ip', ['-n', fabric, 'route', 'del', `${address}/32`]);
  const { code, err } = await run('ip', ['-n', fabric, 'route', 'add', ...route]);
  if (code !== 0) throw new Error(err);
}

it.each([{ seconds: 2 }, { seconds: 12 }])(
  'agents find each other within 5 s after a cut of $seconds s',
  async ({ seconds }) => {
    const text = 'services: { a: {}, b: {} }\nlinks: [{ from: a, to: b, latency: 5ms }]\n';
    const { topology } = loadTopology(text, 'cut.yaml');
    const name = experimentName();
    const lab = await Experiment.start({
      name,
      ...ON_TWO_HOSTS,
      topology,
      source: { file: 'cut.yaml', text },
    });
    const hosts = async (): Promise<number[]> => (await lab.statuses()).map((status) => status.hosts.length);
    await until(async () => (await hosts()).every((count) => count === 2), 'both know both');
    await cut(lab, true);
    await sleep(seconds * 1000);
    if (seconds > 5) expect(await hosts()).toEqual([1, 1]);
    const before = await lab.statuses();
    await cut(lab, false);
    const received = async (): Promise<boolean> =>
      (await lab.statuses()).every(
        ({ mesh, hosts: { length } }, index) =>
          length === 2 && mesh.messagesReceived > before[index]!.mesh.messagesReceived,
      );
    await until(received, 'they hear each other', 5000);
  },
);

it('a budget reaches the agents, is measured on the wire, and makes them coarser from the threshold that was chosen', async () => {
  const text = 'services: { a: {}, b: {} }\nlinks: [{ from: a, to: b, latency: 5ms }]\n';
  const { topology } = loadTopology(text, 'budget.yaml');
  const source = { file: 'budget.yaml', text };
  // Heartbeats alone are more.
  const metadata = { metadataBudgetBps: 800, changeThreshold: 0.03 };
  const lab = await Experiment.start({ name: experimentName(), ...ON_TWO_HOSTS, topology, source, metadata });
  const told = async () => (await lab.statuses())[0]!.metadata;
  await until(async () => (await told()).level >= 2, 'coarser', 20_000);
  const { bytesPerSecond, budgetBytesPerSecond, threshold, level } = await told();
  expect(budgetBytesPerSecond).toBe(100);
  expect(bytesPerSecond).toBeGreaterThan(100);
  expect(bytesPerSecond).toBeLessThan(50_000);
  expect(threshold).toBeCloseTo(Math.min(0.8, 0.03 * 2 ** level), 9);
});
