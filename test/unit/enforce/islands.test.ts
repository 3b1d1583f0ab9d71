import { expect, test } from 'vitest';
import { surroundings } from '../../../agent/enforce/islands.ts';
import { expandGraph } from '../../../topology/fold/graph.ts';
import { loadTopology } from '../../../topology/load.ts';

const graph = expandGraph(
  loadTopology(
    `services: { a: {}, b: {}, c: {}, d: {}, lonely: {} }
bridges: [s, t]
links:
  - { from: a, to: s, up: 5Mbps, down: 7Mbps }
  - { from: a, to: t, up: 9Mbps, down: 50Mbps }
  - { from: b, to: s, latency: 1ms, oneway: true }
  - { from: c, to: d, up: 2Mbps, down: 3Mbps }`,
    'test.yaml',
  ).topology,
);

test('endpoints that are joined by links, whichever way, are on one island', () => {
  const { islands } = surroundings(graph);
  expect(graph.endpoints).toEqual(['a.0', 'b.0', 'c.0', 'd.0', 'lonely.0']);
  expect([...islands]).toEqual([0, 0, 2, 2, 4]);
  const cut = { ...graph, edges: graph.edges.filter(({ from, to }) => from !== 1 && to !== 1) };
  expect([...surroundings(cut).islands]).toEqual([0, 1, 2, 2, 4]);
  expect([...surroundings({ ...graph, edges: graph.edges.toReversed() }).islands]).toEqual([...islands]);
});

test('the fastest link out bounds what an endpoint can send', () => {
  expect([...surroundings(graph).fastest]).toEqual([9e6, Number.POSITIVE_INFINITY, 2e6, 3e6, 0]);
});

test('sides are those of the first partitions, from 1', () => {
  const partitions = [
    [0, 1, -1, 0, 2],
    [-1, 255, 254, 0, 0],
    [1, 1, 1, 0, 0],
  ];
  const { sides } = surroundings({ ...graph, partitions });
  expect([0, 1, 2, 3, 4].map((endpoint) => sides(endpoint, 2))).toEqual([
    [1, 0],
    [2, 0],
    [0, 255],
    [1, 1],
    [3, 1],
  ]);
  expect(surroundings(graph).sides(3, 2)).toEqual([0, 0]);
});
