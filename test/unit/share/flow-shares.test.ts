import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { flowShares } from '../../../agent/share/flow-shares.ts';
import type { Flow } from '../../../agent/share/model.ts';
import { rememberPaths } from '../../../agent/share/path-memory.ts';
import { MIN_RTT_MICROS, roundTripMicros } from '../../../agent/share/round-trip.ts';
import { type PathSpec, pathTable } from '../../support/path-table.ts';

const GREEDY = Number.POSITIVE_INFINITY;
const flow = (source: number, destination: number, demandBps = GREEDY): Flow => ({
  source,
  destination,
  demandBps,
});

/**
 * Endpoints 0, 1, 2 send to 3, 4, 5 over link 0 of 50 Mb/s; the third has an access link 1 of 10 Mb/s. The ways back
 * differ from the ways there. Endpoints 6 and 7 have link 2 of 8 Mb/s and a network of their own.
 */
const SPEC: readonly PathSpec[] = [
  { from: 0, to: 3, latency: 20e3, links: [0] },
  { from: 3, to: 0, latency: 30e3, links: [3] },
  { from: 1, to: 4, latency: 15e3, links: [0] },
  { from: 4, to: 1, latency: 25e3, links: [3] },
  { from: 2, to: 5, latency: 39e3, links: [1, 0] },
  { from: 5, to: 2, latency: 1e3, links: [3] },
  { from: 6, to: 7, latency: 5e3, links: [2] },
];
const NETWORK = { paths: pathTable(SPEC).path, linkCapacity: Float64Array.of(50e6, 10e6, 8e6, GREEDY) };

test('flows weigh as much as their round trips are short: the example of the design', () => {
  const shares = flowShares(NETWORK, [flow(2, 5), flow(0, 3), flow(1, 4)]);
  expect(shares.map(({ source, destination }) => [source, destination])).toEqual([
    [0, 3],
    [1, 4],
    [2, 5],
  ]);
  expect(shares.map(({ rateBps }) => Math.round(rateBps / 1e4) / 100)).toEqual([17.78, 22.22, 10]);
  expect(shares.map(({ limitedBy }) => limitedBy)).toEqual([0, 0, 1]);
});

test('limitedBy is an index of the topology, whatever other links are unused', () => {
  expect(flowShares(NETWORK, [flow(6, 7)])).toEqual([
    { source: 6, destination: 7, rateBps: 8e6, ceilingBps: 8e6, limitedBy: 2 },
  ]);
});

test('a limited flow leaves the rest, and its ceiling is what it could have', () => {
  const [first, second] = flowShares(NETWORK, [flow(0, 3), flow(1, 4, 5e6)]);
  expect(first).toMatchObject({ rateBps: 45e6, ceilingBps: 45e6, limitedBy: 0 });
  expect(second).toMatchObject({ rateBps: 5e6, limitedBy: -1 });
  // Weighted as 1/40 to 1/50 against the first flow's 45 Mb/s.
  expect(second!.ceilingBps).toBeCloseTo((45e6 * 50) / 40, 3);
});

describe('the round trip', () => {
  const there = pathTable([{ from: 0, to: 1, latency: 7e3, links: [] }]).path(0, 1)!;
  const back = pathTable([{ from: 1, to: 0, latency: 2e3, links: [] }]).path(1, 0)!;
  test('is the latency there and back', () => expect(roundTripMicros(there, back)).toBe(9e3));
  test('is twice the way there without a way back', () =>
    expect(roundTripMicros(there, undefined)).toBe(14e3));
  test('has a floor for paths without latency', () => {
    const none = pathTable([{ from: 0, to: 1, latency: 0, links: [] }]).path(0, 1)!;
    expect(roundTripMicros(none, none)).toBe(MIN_RTT_MICROS);
  });
});

describe('only what competes with local flows is computed', () => {
  const flows = [flow(0, 3), flow(1, 4), flow(6, 7), flow(2, 5)];
  test('flows on other links are left out', () => {
    const shares = flowShares(NETWORK, flows, ({ source }) => source === 6);
    expect(shares.map(({ source }) => source)).toEqual([6]);
  });
  test('flows that compete through others are not', () => {
    const shares = flowShares(NETWORK, flows, ({ source }) => source === 2);
    expect(shares.map(({ source }) => source)).toEqual([0, 1, 2]);
  });
  test('unlimited links join nothing', () => {
    const shares = flowShares(NETWORK, [flow(3, 0), flow(4, 1)], ({ source }) => source === 3);
    expect(shares).toEqual([
      { source: 3, destination: 0, rateBps: GREEDY, ceilingBps: GREEDY, limitedBy: -1 },
    ]);
  });
  test('nothing local, nothing to compute', () => {
    expect(flowShares(NETWORK, flows, () => false)).toEqual([]);
  });
});

test('a flow without a path takes nothing from others', () => {
  expect(flowShares(NETWORK, [flow(0, 3), flow(7, 6)]).map(({ source }) => source)).toEqual([0]);
});

/** Chains of random links between 12 endpoints. */
const arbitraryNetwork = fc.record({
  capacity: fc.array(fc.integer({ min: 1e3, max: 1e9 }), { minLength: 6, maxLength: 6 }),
  flows: fc.uniqueArray(
    fc.record({
      source: fc.nat(5),
      destination: fc.integer({ min: 6, max: 11 }),
      demandBps: fc.oneof(fc.constant(GREEDY), fc.integer({ min: 0, max: 1e9 })),
      latency: fc.integer({ min: 0, max: 200_000 }),
      links: fc.uniqueArray(fc.nat(5), { maxLength: 3 }),
    }),
    { maxLength: 20, selector: ({ source, destination }) => source * 12 + destination },
  ),
});

test('every host computes the same bits, whichever flows are its own and in whatever order they came', () => {
  fc.assert(
    fc.property(arbitraryNetwork, ({ capacity, flows }) => {
      const table = pathTable(
        flows.map(({ source, destination, latency, links }) => ({
          from: source,
          to: destination,
          latency,
          links,
        })),
      );
      const network = { paths: table.path, linkCapacity: Float64Array.from(capacity) };
      const all = new Map(
        flowShares(network, flows).map((share) => [share.source * 12 + share.destination, share]),
      );
      for (let host = 0; host < 6; host++) {
        const seen = flowShares(network, [...flows].reverse(), ({ source }) => source === host);
        for (const share of seen) expect(share).toEqual(all.get(share.source * 12 + share.destination));
        for (const own of flows.filter(({ source }) => source === host)) {
          expect(seen).toContainEqual(all.get(own.source * 12 + own.destination));
        }
      }
    }),
    { seed: 11, numRuns: 300 },
  );
});

test('paths that were found once, or not found, are not looked for again', () => {
  const asked: string[] = [];
  const paths = rememberPaths((from, to) => {
    asked.push(`${from} ${to}`);
    return NETWORK.paths(from, to);
  }, 8);
  for (let time = 0; time < 2; time++) {
    expect(paths(0, 3)).toEqual(NETWORK.paths(0, 3));
    expect(paths(7, 6)).toBeUndefined();
    expect(paths(1, 4)).toEqual(NETWORK.paths(1, 4));
  }
  expect(asked).toEqual(['0 3', '7 6', '1 4']);
});
