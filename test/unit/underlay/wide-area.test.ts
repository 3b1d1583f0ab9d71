/** Once a second: how far the others are, and what telling them costs. */
import { expect, test } from 'vitest';
import { Epoch } from '../../../agent/epoch/epoch.ts';
import { WideArea, type WideAreaOptions } from '../../../agent/underlay/wide-area.ts';
import { coarseness } from '../../../agent/usage/metadata-budget.ts';
import { micros } from '../../../proto/units.ts';
import { expandGraph } from '../../../topology/fold/graph.ts';
import { loadTopology } from '../../../topology/load.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';

const TEXT = `services: { a: {}, b: {} }
links: [{ from: a, to: b, latency: 12ms, oneway: true }, { from: b, to: a, latency: 40ms, oneway: true }]`;
const ENDPOINTS = [
  { number: 0, host: 'here' },
  { number: 1, host: 'there' },
];

function lab(options: Partial<WideAreaOptions> = {}) {
  const clock = new ManualClock();
  const network = { kernel: micros(30_000), clock: 31_000, sent: 0 };
  const told: unknown[] = [];
  const hosts = [
    { name: 'here', peer: 'P0', self: true },
    { name: 'there', peer: 'P1', self: false },
  ];
  const area = new WideArea(
    {
      mesh: {
        view: { hosts: () => hosts },
        clocks: { rttMicros: (host: string) => (host === 'there' ? network.clock : undefined) },
        stats: {},
      } as never,
      transport: {
        shortestMicros: (peer) => (peer === 'P1' ? network.kernel : undefined),
        sentBytes: () => network.sent,
      },
      clock,
      timers: clock,
      onRealLatency: (realLatency) => told.push([...realLatency]),
      onCoarseness: (how) => told.push(how),
    },
    { endpoints: 2, isOneMachine: false, ...options },
  );
  return { clock, network, told, area, epoch: new Epoch(expandGraph(loadTopology(TEXT, 'x.yaml').topology)) };
}

test('a host that is far is reported when its endpoints are known, and again when it is nearer', async () => {
  const { clock, network, told, area } = lab();
  area.start();
  area.setEndpoints(ENDPOINTS);
  expect(told).toEqual([coarseness(0), [0, 15_000]]);
  await clock.advance(5000);
  expect(told).toHaveLength(2);
  network.kernel = micros(15_000);
  await clock.advance(999);
  expect(told).toHaveLength(2);
  await clock.advance(1);
  // The clock requests show that the path is long again.
  expect(told).toHaveLength(2);
  network.clock = 15_400;
  await clock.advance(1000);
  expect(told.at(-1)).toEqual([0, 7500]);
  area.stop();
  network.kernel = micros(5000);
  await clock.advance(5000);
  expect(told).toHaveLength(3);
});

test('status shows the real network, what is subtracted, and which paths are too slow in each epoch', () => {
  const { area, epoch } = lab();
  area.start();
  area.setEndpoints(ENDPOINTS);
  const status = area.underlay(epoch, [0]);
  expect(status).toEqual({
    hosts: [{ host: 'there', roundTripMs: 30, subtractedMs: 15 }],
    tooSlow: { count: 1, worst: [{ from: 'a.0', to: 'b.0', latencyMs: 12, realMs: 15, byMs: 3 }] },
  });
  // Looked for once in an epoch.
  expect(area.underlay(epoch, [0]).tooSlow).toBe(status.tooSlow);
  const faster = new Epoch(expandGraph(loadTopology(TEXT.replace('12ms', '16ms'), 'x.yaml').topology));
  expect(area.underlay(faster, [0]).tooSlow.count).toBe(0);
});

test('above its budget announcements get coarser, from the configured threshold on', async () => {
  const { clock, network, told, area } = lab({ budgetBps: 8000, threshold: 0.1 });
  area.start();
  expect(told).toEqual([coarseness(0, 0.1)]);
  network.sent = 1900;
  await clock.advance(1000);
  expect(told.at(-1)).toEqual(coarseness(1, 0.1));
  expect(area.metadata()).toMatchObject({ bytesPerSecond: 1900, budgetBytesPerSecond: 1000, threshold: 0.2 });
  await clock.advance(3000);
  expect(told).toHaveLength(2);
});
