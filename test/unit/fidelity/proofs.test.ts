/** Since when rules are in force. */
import { expect, test } from 'vitest';
import { Proofs, Workings } from '../../../agent/fidelity/proofs.ts';
import { pathRows } from '../../../controller/fidelity/path-proofs.ts';
import { Folding } from '../../../topology/fold/fold.ts';
import { expandGraph } from '../../../topology/fold/graph.ts';
import { loadTopology } from '../../../topology/load.ts';

test('an endpoint is proven since its first reading, and anew after something was put back', () => {
  const proofs = new Proofs();
  expect(proofs.ofEndpoint('a.0')).toBeUndefined();
  proofs.readBack('a.0', true, 10);
  proofs.readBack('a.0', true, 20);
  expect(proofs.ofEndpoint('a.0')).toEqual({ inForceSince: 10, readBackAt: 20 });
  proofs.readBack('a.0', false, 30);
  expect(proofs.ofEndpoint('a.0')).toEqual({ inForceSince: 30, readBackAt: 30 });
  proofs.lost('a.0');
  expect(proofs.ofEndpoint('a.0')).toBeUndefined();
});

const pathOf = (latency: string) => {
  const text = `services: { a: {}, b: {} }\nlinks: [{ from: a, to: b, latency: ${latency} }]\n`;
  return new Folding(expandGraph(loadTopology(text, 'lab.yaml').topology)).path(0, 1)!;
};

test('a path is as old as its properties', () => {
  const proofs = new Proofs();
  const since = (latency: string, now: number) =>
    proofs.setPaths(new Map([[1, pathOf(latency)]]), now).get(1);
  expect(since('5ms', 10)).toBe(10);
  expect(since('5ms', 20)).toBe(10);
  expect(since('6ms', 30)).toBe(30);
  expect(proofs.setPaths(new Map(), 40).size).toBe(0);
  expect(since('6ms', 50)).toBe(50);
});

test('a path is in force when both of its ends are, and read back when both were', () => {
  const date = (second: number): string => `2026-01-01T00:00:0${second}.000Z`;
  const end = (endpoint: string, host: string, since: number | null, read: number | null) => ({
    ...{ endpoint, host },
    inForceSince: since === null ? null : date(since),
    readBackAt: read === null ? null : date(read),
  });
  const path = (from: string, to: string) => ({
    ...{ from, to, setSince: date(2), roundTripMs: 10 },
    ...{ measuredMs: null, retransmitted: null, measuredAt: null, worksSince: null, workedAt: null },
  });
  const rows = pathRows([
    { host: 'h0', endpoints: [end('a', 'h0', 1, 8)], paths: [path('a', 'c'), path('a', 'b')] },
    { host: 'h1', endpoints: [end('b', 'h1', 3, 7), end('c', 'h1', null, null)], paths: [] },
  ]);
  expect(rows).toMatchObject([
    { to: 'b', fromHost: 'h0', toHost: 'h1', inForceSince: date(3), readBackAt: date(7) },
    { to: 'c', inForceSince: null, readBackAt: null },
  ]);
  const worksSince = (first: number, last: number): string | null =>
    pathRows([
      {
        host: 'h0',
        endpoints: [end('a', 'h0', 1, 8), end('b', 'h0', 3, 7)],
        paths: [{ ...path('a', 'b'), worksSince: date(first), workedAt: date(last) }],
      },
    ])[0]!.worksSince;
  expect(worksSince(5, 9)).toBe(date(5));
  // Something was put back at one end: before that, nobody knows what it was seen by.
  expect(worksSince(2, 9)).toBe(date(3));
  expect(worksSince(1, 2)).toBeNull();
});

test('a path is seen to work since it was first measured, until something is odd, or it is another', () => {
  const workings = new Workings();
  const look = (measuredAt: number | undefined, isOdd = false, setSince = 10) => {
    workings.look(new Map([[1, { setSince, measuredAt, isOdd }]]));
    return workings.of(1);
  };
  expect(look(undefined)).toBeUndefined();
  // Of the path as it was before.
  expect(look(9)).toBeUndefined();
  expect(look(20)).toEqual({ since: 20, at: 20 });
  expect(look(undefined)).toEqual({ since: 20, at: 20 });
  expect(look(30)).toEqual({ since: 20, at: 30 });
  expect(look(31, true)).toBeUndefined();
  expect(look(32)).toEqual({ since: 32, at: 32 });
  expect(look(32, false, 40)).toBeUndefined();
  expect(look(41, false, 40)).toEqual({ since: 41, at: 41 });
  workings.look(new Map());
  expect(workings.of(1)).toBeUndefined();
});
