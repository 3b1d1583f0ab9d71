/** Traces of links, played by whole agents on a manual clock: when their steps are in force. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AgentLab, endpoint, type LabAgent } from '../../support/fakes/agent-lab.ts';

/** From 1,500 to 2,000 ms, another rate in each, Mb/s. */
const DENSE_MBPS = Array.from({ length: 500 }, (_, ms) => 1 + ((ms * ms) % 97));
const DENSE = DENSE_MBPS.map((mbps, ms) => `${1500 + ms} ${mbps}000000 10000`);
const STEPS = [
  ...['0 8000000 20000', '137 4000000 80000', '161 8000000 30000', '987 2000000 5000'],
  ...DENSE,
  '2000 6000000 40000',
];
const TOPOLOGY = `
services: { a: {}, b: {} }
links:
  - { from: a, to: b, latency: 1ms, up: { trace: "once 0 5000: ${STEPS.join(', ')}" } }
events:
  - at 2500ms set a--b jitter=1ms
`;
const START_MS = 3000;

let lab: AgentLab;
let agent: LabAgent;

beforeEach(async () => {
  lab = new AgentLab(TOPOLOGY);
  agent = await lab.start('host0', [endpoint(0, 'a.0', '10.1.0.1'), endpoint(1, 'b.0', '10.1.0.2')]);
  await lab.clock.advance(1000);
  lab.runAll(START_MS);
  // Ticks come at other milliseconds than the steps.
  await lab.clock.advance(START_MS - 1);
});

afterEach(() => lab.stop());

interface InForce {
  readonly atMs: number;
  readonly latencyMs: number;
  readonly rateBps: number;
}

/** What a packet from `a` to `b` meets, each time that it has changed within so long from the start on, to the millisecond. */
async function played(forMs: number): Promise<InForce[]> {
  const changes: InForce[] = [];
  for (let ms = 0; ms <= forMs; ms++) {
    await lab.clock.advance(1);
    const { tc, delay, counted } = agent.kernel;
    const micros = /10\.1\.0\.1 > 10\.1\.0\.2 delay (\d+)us/.exec(delay.toString())?.[1];
    const { classes, targets } = tc.read([...counted.values()].find(({ name }) => name === 'a.0')!);
    const rateBps = 8 * (classes.get(targets.get('10.1.0.2') ?? -1)?.bytesPerSecond ?? 0);
    const now = { atMs: ms, latencyMs: Number(micros) / 1000, rateBps };
    const before = changes.at(-1);
    if (before?.latencyMs !== now.latencyMs || before.rateBps !== now.rateBps) changes.push(now);
  }
  return changes;
}

it('each step is in force from its millisecond on, whenever ticks come', async () => {
  expect(await played(1400)).toEqual([
    { atMs: 0, latencyMs: 20, rateBps: 8e6 },
    { atMs: 137, latencyMs: 80, rateBps: 4e6 },
    { atMs: 161, latencyMs: 30, rateBps: 8e6 },
    { atMs: 987, latencyMs: 5, rateBps: 2e6 },
  ]);
  expect(agent.complaints).toEqual([]);
});

it('steps that follow each other faster than ticks are one, and all of their bits pass', async () => {
  const dense = (await played(2100)).filter(({ atMs }) => atMs >= 1500);
  // Two steps a tick at most, and the one after them at its millisecond.
  expect(dense.length).toBeGreaterThan(9);
  expect(dense.length).toBeLessThanOrEqual(21);
  expect(dense[0]!.atMs).toBe(1500);
  expect(dense.at(-1)).toEqual({ atMs: 2000, latencyMs: 40, rateBps: 6e6 });
  const bits = dense
    .slice(0, -1)
    .reduce((sum, { atMs, rateBps }, at) => sum + (rateBps * (dense[at + 1]!.atMs - atMs)) / 1000, 0);
  expect(bits / DENSE_MBPS.reduce((sum, mbps) => sum + mbps * 1000, 0)).toBeCloseTo(1, 3);
});

it('no step is an event, and an event does not move those that follow it', async () => {
  await played(2400);
  const epochs = () => agent.parts.runLog.of('epoch').length;
  const before = epochs();
  const steps = await played(700);
  expect(epochs() - before).toBe(1);
  expect(steps.map(({ latencyMs }) => latencyMs)).toEqual([40]);
  expect(agent.kernel.delay.toString()).toContain('10.1.0.1 > 10.1.0.2 delay 40000us 1000us');
});
