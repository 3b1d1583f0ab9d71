/** The input of enforcement if the real network has a latency. */
import { describe, expect, test } from 'vitest';
import { Epoch } from '../../../agent/epoch/epoch.ts';
import { addedLatency, NAMED_PATHS, slowPaths } from '../../../agent/underlay/added-latency.ts';
import { expandGraph } from '../../../topology/fold/graph.ts';
import { loadTopology } from '../../../topology/load.ts';

const epochOf = (text: string): Epoch => new Epoch(expandGraph(loadTopology(text, 'test.yaml').topology));

/** `a` and `d` are here; `b` is 30 ms realLatency and `c` 4 ms. */
const EPOCH = epochOf(`services: { a: {}, b: {}, c: {}, d: {} }
links:
  - { from: a, to: b, latency: 50ms, jitter: 2ms, bandwidth: 7Mbps, oneway: true }
  - { from: b, to: a, latency: 35ms, loss: 1%, oneway: true }
  - { from: a, to: c, latency: 3ms, oneway: true }
  - { from: c, to: a, latency: 9ms, oneway: true }
  - { from: a, to: d, latency: 8ms, oneway: true }`);
const AWAY = Float64Array.of(0, 30_000, 4000, 0);
const [A, B, C, D] = [0, 1, 2, 3] as const;

describe('added latency', () => {
  const added = addedLatency(EPOCH, AWAY);

  test('each direction is made shorter by what is there already, and by nothing else', () => {
    expect(added.path(A, B)).toEqual({ ...EPOCH.path(A, B)!, latency: 20_000 });
    expect(added.path(B, A)).toEqual({ ...EPOCH.path(B, A)!, latency: 5000 });
    expect(added.path(C, A)!.latency).toBe(5000);
  });

  test('where the real network is slower, nothing is added', () => {
    expect(added.path(A, C)!.latency).toBe(0);
  });

  test('paths on this host, and those there are none, stay what they are', () => {
    expect(added.path(A, D)).toBe(EPOCH.path(A, D));
    expect(added.path(D, A)).toBeUndefined();
  });

  test('round trips are those that packets will see: as asked, or as the real network has them', () => {
    expect(added.roundTripMicros(added.path(A, B)!)).toBe(85_000);
    expect(added.roundTripMicros(added.path(A, C)!)).toBe(4000 + 9000);
    // No way back: twice the way there.
    expect(added.roundTripMicros(added.path(A, D)!)).toBe(16_000);
  });

  test('shares still follow from the latency that was asked for', () => {
    expect(added.network).toBe(EPOCH.network);
    expect(added.graph).toBe(EPOCH.graph);
    expect(added.bandwidth(A, B)).toBe(7e6);
  });

  test('where all are near, the epoch itself is used', () => {
    expect(addedLatency(EPOCH, new Float64Array(4))).toBe(EPOCH);
    expect(addedLatency(EPOCH, new Float64Array())).toBe(EPOCH);
  });
});

describe('slow paths', () => {
  test('are those from here on which the real network takes longer, by how much', () => {
    expect(slowPaths(EPOCH, AWAY, [A, D])).toEqual({
      count: 1,
      worst: [{ from: 'a.0', to: 'c.0', latencyMs: 3, realMs: 4, byMs: 1 }],
    });
    expect(slowPaths(EPOCH, Float64Array.of(0, 50_000, 3000, 0), [A])).toEqual({ count: 0, worst: [] });
    expect(slowPaths(EPOCH, new Float64Array(4), [A, D])).toEqual({ count: 0, worst: [] });
  });

  test('of many the worst are named, and all are counted', () => {
    const far = NAMED_PATHS + 5;
    const links = Array.from(
      { length: far },
      (_, i) => `  - { from: a, to: s.${i}, latency: ${1 + ((i * 7) % far)}ms }`,
    );
    const epoch = epochOf(`services: { a: {}, s: { replicas: ${far} } }\nlinks:\n${links.join('\n')}`);
    const realLatency = Float64Array.from({ length: far + 1 }, (_, number) => (number === 0 ? 0 : 100_000));
    const { count, worst } = slowPaths(epoch, realLatency, [0]);
    expect(count).toBe(far);
    expect(worst).toHaveLength(NAMED_PATHS);
    expect(worst[0]!.byMs).toBe(99);
    expect(worst.map(({ byMs }) => byMs)).toEqual(worst.map(({ byMs }) => byMs).toSorted((x, y) => y - x));
  });
});
