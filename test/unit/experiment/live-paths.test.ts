import { expect, it } from 'vitest';
import { micros } from '../../../proto/units.ts';
import { loadTopology } from '../../../topology/load.ts';
import { decodeGraph, encodeGraph } from '../../../topology/model/graph-json.ts';
import { pathsOfGraph, pathsReport } from '../../../topology/report/paths.ts';
import { graphAt } from '../../../topology/timeline/graph-at.ts';

const TEXT = `services: { a: {}, b: { replicas: 2 }, c: {} }
bridges: [s]
links:
  - { from: a, to: s, latency: 5ms, up: 10Mbps, down: 3Mbps, queue: 20 packets }
  - { from: b, to: s, latency: 1ms, jitter: 100us, loss: 1% }
  - { from: c, to: s, latency: 2ms }
events:
  - at 1s set a--s latency=50ms
  - at 2s partition a | c
  - at 3s leave b.1
`;
const { topology } = loadTopology(TEXT, 'live.yaml');

it.each([0, 1, 2, 3])('the graph at %s s comes out of JSON with the paths that it had', (seconds) => {
  const at = micros(seconds * 1e6);
  const sent = JSON.stringify(encodeGraph(graphAt(topology, at)));
  const rows = [...pathsOfGraph(decodeGraph(JSON.parse(sent))).rows()];
  expect(rows).toEqual([...pathsReport(topology, { at }).rows()]);
  expect(rows.some((row) => 'reachable' in row)).toBe(seconds >= 2);
});

it('endpoints are named as in a file', () => {
  const graph = graphAt(topology, micros(0));
  const pairs = (from: string, to: string) =>
    [...pathsOfGraph(graph, { from, to }).rows()].map((row) => `${row.from} ${row.to}`);
  expect(pairs('a', 'b')).toEqual(['a.0 b.0', 'a.0 b.1']);
  expect(pairs('b.1', 'c')).toEqual(['b.1 c.0']);
  expect(() => pairs('bb', 'c')).toThrow('there is no endpoint "bb"');
});
