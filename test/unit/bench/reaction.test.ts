/** The result of a run of the reaction bench, from invented records and counters. */
import { describe, expect, it } from 'vitest';
import type { Count } from '../../../bench/measure/traffic/rates.ts';
import { reactions } from '../../../bench/reaction/judging.ts';
import type { Run } from '../../../bench/reaction/run.ts';
import {
  dynamicScenario,
  linksScenario,
  type Scenario,
  topologyText,
} from '../../../bench/reaction/scenarios.ts';
import { loadTopology } from '../../../topology/load.ts';

const SCENARIO: Scenario = {
  id: 'test',
  title: 'test',
  source: 'none',
  topology: `services: { a: {}, b: {}, c: {} }
bridges: [s]
links:
  - { from: a, to: s, latency: 10ms, bandwidth: 100Mbps }
  - { from: b, to: s, latency: 20ms, bandwidth: 100Mbps }
  - { from: s, to: c, latency: 0ms, up: 30Mbps, down: 9Mbps }
`,
  flows: [
    { from: 'a.0', to: 'c.0' },
    { from: 'b.0', to: 'c.0' },
  ],
  steps: [
    { at: 1, label: 'a starts', events: ['run a "true"'], starts: [0] },
    { at: 3, label: 'b starts', events: ['run b "true"'], starts: [1] },
    { at: 5, label: 'b crashes', events: ['crash b'] },
  ],
  end: 7,
};
const { topology } = loadTopology(topologyText(SCENARIO), 'test.yaml');

/** Every 10 ms until 7 s; rates in bit/s from instants in ms on. */
function counts(rates: readonly (readonly [fromMs: number, bps: number])[]): Count[] {
  let bytes = 0;
  return Array.from({ length: 700 }, (_, step) => {
    const atMs = step * 10;
    const count = { atMs, bytes };
    bytes += ((rates.findLast(([from]) => from <= atMs)?.[1] ?? 0) * 10) / 8000;
    return count;
  });
}

/** Weights 1/20 and 1/40: 20 and 10 Mb/s of the 30. */
const RUN: Run = {
  flows: [
    {
      sent: counts([[1200, 30e6]]),
      received: counts([
        [1400, 30e6],
        [3400, 20e6],
        [5100, 30e6],
      ]),
      share: [
        { atMs: 1230, value: 30e6 },
        { atMs: 3340, value: 25e6 },
        { atMs: 3360, value: 20.9e6 },
        { atMs: 5004, value: 30e6 },
      ],
    },
    {
      sent: counts([[3300, 10e6]]),
      received: counts([
        [3300, 0.5e6],
        [3500, 10e6],
        [5030, 0],
      ]),
      share: [
        { atMs: 3330, value: 10e6 },
        { atMs: 5006, value: undefined },
      ],
    },
  ],
};

describe('the reaction to an event', () => {
  const [first, second, crash] = reactions(SCENARIO, topology, RUN);

  it('has the shares that the whole topology gives, of those who are there', () => {
    expect(first!.shares).toEqual([30e6, undefined]);
    expect(second!.shares[0]).toBeCloseTo(20e6);
    expect(second!.shares[1]).toBeCloseTo(10e6);
    expect(crash!.shares).toEqual([30e6, undefined]);
  });

  it('counts from the first data where applications start, else from the event', () => {
    // 10 ms of 30 Mb/s are 37,500 bytes, of 10 Mb/s 12,500.
    expect([first!, second!, crash!].map(({ startMs }) => startMs)).toEqual([200, 300, 0]);
  });

  it('is enforced when the last flow has its share, and a flow that is gone has none', () => {
    expect([first!, second!, crash!].map(({ enforcedMs }) => enforcedMs)).toEqual([30, 60, 6]);
  });

  it('is never enforced where a share is wrong in the end, or a flow that is gone keeps one', () => {
    const [one, two] = RUN.flows;
    const wrong = { ...one!, share: one!.share.map((change) => ({ ...change, value: 28e6 })) };
    expect(reactions(SCENARIO, topology, { flows: [wrong, two!] })[0]!.enforcedMs).toBeNaN();
    const kept = { ...two!, share: two!.share.slice(0, 1) };
    expect(reactions(SCENARIO, topology, { flows: [one!, kept] })[2]!.enforcedMs).toBeNaN();
  });

  it('is seen when five windows of 50 ms are right, of the flow that is last', () => {
    // Windows that end at 3,550 ms hold the new rate only, and those shortly before come within 5 %.
    const seen = [first!, second!, crash!].map(({ measuredMs }) => measuredMs);
    expect(seen[0]).toBeGreaterThanOrEqual(240);
    expect(seen[0]).toBeLessThanOrEqual(250);
    expect(seen[1]).toBeGreaterThanOrEqual(240);
    expect(seen[1]).toBeLessThanOrEqual(250);
    expect(seen[2]).toBeGreaterThanOrEqual(140);
    expect(seen[2]).toBeLessThanOrEqual(150);
  });
});

describe('the scenarios', () => {
  it.each([dynamicScenario(5), linksScenario(5)])(
    'of $id can be run, and end after their last event',
    (one) => {
      const { topology: read } = loadTopology(topologyText(one), 'test.yaml');
      expect(read.events).toHaveLength(one.steps.length);
      expect(read.events.map(({ at }) => at / 1e6)).toEqual(one.steps.map(({ at }) => at));
      expect(one.end).toBeGreaterThan(one.steps.at(-1)!.at);
    },
  );
});
