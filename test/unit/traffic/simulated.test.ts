/** Flows that no packet carries: when they flow, and what they leave to others. */
import { describe, expect, it } from 'vitest';
import { Epoch } from '../../../agent/epoch/epoch.ts';
import type { Flow } from '../../../agent/share/model.ts';
import { SharedFlows } from '../../../agent/share/shared-flows.ts';
import { SimulatedFlows } from '../../../agent/traffic/simulated-flows.ts';
import { micros } from '../../../proto/units.ts';
import { loadTopology } from '../../../topology/load.ts';
import { SeededRandom } from '../../../topology/model/random.ts';
import { trafficSources, trafficWindows } from '../../../topology/model/traffic.ts';
import { graphAt } from '../../../topology/timeline/graph-at.ts';

const LAB = `services: { a: {}, b: {} }
bridges: [s, t]
links:
  - { from: a, to: s, latency: 5ms, bandwidth: 100Mbps }
  - { from: s, to: t, latency: 5ms, bandwidth: 20Mbps }
  - { from: t, to: b, latency: 5ms, bandwidth: 100Mbps }
traffic:
`;
function lab(...entries: string[]) {
  const { topology } = loadTopology(`${LAB}${entries.map((one) => `  - { ${one} }\n`).join('')}`, 'lab.yaml');
  const epoch = new Epoch(graphAt(topology, micros(0)));
  const { traffic = [] } = topology;
  const windows = trafficWindows(traffic);
  return { epoch, traffic, simulated: new SimulatedFlows(trafficSources(traffic, epoch.graph), windows) };
}

const GREEDY: Flow = { source: 0, destination: 1, demandBps: Number.POSITIVE_INFINITY };

function rates(entries: readonly string[], real: readonly Flow[] = [GREEDY], at = 0): number[] {
  const { epoch, simulated } = lab(...entries);
  const shared = new SharedFlows(epoch.network, ({ index = 0 }) => index === 0);
  shared.update([...simulated.at(at), ...real]);
  return shared.local().map(({ rateBps }) => Math.round(rateBps));
}

describe('simulated flows', () => {
  it('of a constant rate leave the rest', () => {
    expect(rates(['from: s, to: t, rate: 2Mbps, simulated: true'])).toEqual([18e6]);
    expect(rates(['from: s, to: t, rate: 2Mbps, simulated: true, count: 5'])).toEqual([10e6]);
    // Beside the link, and against its direction: nothing.
    expect(rates(['from: t, to: b, rate: 2Mbps, simulated: true'])).toEqual([20e6]);
    expect(rates(['from: t, to: s, rate: 2Mbps, simulated: true'])).toEqual([20e6]);
  });

  it('that are greedy share as TCP does, by round-trip time, also between the same endpoints', () => {
    expect(rates(['from: a, to: b, simulated: true'])).toEqual([10e6]);
    expect(rates(['from: a, to: b, simulated: true, count: 3'])).toEqual([5e6]);
    // 30 ms beside 10 ms.
    expect(rates(['from: s, to: t, simulated: true'])).toEqual([5e6]);
  });

  it('are no local flows, wherever they begin', () => {
    expect(rates(['from: a, to: b, rate: 1Mbps, simulated: true'], [])).toEqual([]);
  });

  it('flow between their start and their stop, and their list changes only then', () => {
    const { simulated } = lab(
      'from: s, to: t, rate: 1Mbps, simulated: true, start: 2s, stop: 4s',
      'from: s, to: t, rate: 3Mbps, simulated: true, start: 3s',
    );
    const demands = (at: number | undefined) => simulated.at(at).map(({ demandBps }) => demandBps);
    expect([undefined, 0, 2e6, 3e6, 4e6, 9e6].map(demands)).toEqual([
      [],
      [],
      [1e6],
      [1e6, 3e6],
      [3e6],
      [3e6],
    ]);
    expect(simulated.at(3e6)).toBe(simulated.at(3.9e6));
    expect(simulated.at(3e6)).not.toBe(simulated.at(4e6));
    // A clock that was set back.
    expect(demands(2.5e6)).toEqual([1e6]);
  });

  it('begin and end with events', () => {
    const { simulated, traffic } = lab('from: s, to: t, rate: 1Mbps, simulated: true');
    const counts = (...at: number[]) => at.map((one) => simulated.at(one).length);
    expect(counts(0, 2e6)).toEqual([1, 1]);
    simulated.setWindows(trafficWindows(traffic, [{ at: micros(2e6), on: false, entries: [0] }]));
    expect(counts(0, 1.9e6, 2e6)).toEqual([1, 1, 0]);
  });

  it('leave a flow that needs less than the rest what it needs, however many they are', () => {
    const real = { ...GREEDY, demandBps: 2e6 };
    expect(rates(['from: s, to: t, rate: 100Kbps, simulated: true, count: 150'], [real])).toEqual([2e6]);
    expect(rates(['from: s, to: t, rate: 1Kbps, simulated: true, count: 10000'], [real])).toEqual([2e6]);
  });

  it('have the same shares whether they come one by one or at once', () => {
    const { epoch } = lab('from: s, to: t, rate: 1Mbps, simulated: true');
    const random = new SeededRandom(5);
    const shared = new SharedFlows(epoch.network, ({ index = 0 }) => index === 0);
    let flows: Flow[] = [];
    for (let round = 0; round < 300; round++) {
      const index = random.below(6);
      const pair = random.below(2) === 0 ? [0, 1] : [2, 3];
      const rest = flows.filter((one) => one.index !== index || one.source !== pair[0]);
      const demandBps = random.below(3) === 0 ? Number.POSITIVE_INFINITY : random.next() * 1e7;
      flows =
        random.below(3) === 0
          ? rest
          : [...rest, { source: pair[0]!, destination: pair[1]!, index, demandBps }];
      shared.update(flows);
      const anew = new SharedFlows(epoch.network, ({ index: at = 0 }) => at === 0);
      anew.update(flows);
      expect(shared.local()).toEqual(anew.local());
      for (const flow of flows.filter(({ index: at }) => at === 0))
        expect(shared.of(flow)).toEqual(anew.of(flow));
    }
  });
});
