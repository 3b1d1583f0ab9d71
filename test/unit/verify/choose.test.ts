import { expect, it } from 'vitest';
import { chooseMeasurements } from '../../../controller/verify/choose.ts';
import { Folding } from '../../../topology/fold/fold.ts';
import { expandGraph } from '../../../topology/fold/graph.ts';
import { loadTopology } from '../../../topology/load.ts';

function choose(text: string, windowBytes?: number) {
  const folding = new Folding(expandGraph(loadTopology(text, 'a.yaml').topology));
  const { endpoints } = folding.graph;
  const named = ({ from, to }: { from: number; to: number }): string =>
    `${endpoints[from]} > ${endpoints[to]}`;
  const choice = chooseMeasurements(folding, windowBytes);
  return {
    paths: choice.paths.map(named),
    alone: choice.alone && named(choice.alone),
    competing: choice.competing.map(named),
    leftOut: choice.leftOut,
  };
}

it('measures paths that differ, lossy ones first', () => {
  const { paths } = choose(`
services: { a: {}, b: {}, c: {}, d: {}, e: {} }
links:
  - { from: a, to: b, latency: 1ms }
  - { from: a, to: c, latency: 1ms }
  - { from: a, to: d, latency: 9ms }
  - { from: a, to: e, latency: 4ms, loss: 3% }
`);
  expect(paths).toHaveLength(3);
  expect(paths[0]).toBe('a.0 > e.0');
  expect(paths).toContain('a.0 > d.0');
});

it('measures the widest path alone that TCP can fill', () => {
  const { alone } = choose(`
services: { a: {}, b: {}, c: {}, d: {}, e: {} }
links:
  - { from: a, to: b, up: 40Mbps, down: 30Mbps }
  - { from: a, to: c, bandwidth: 80Mbps, loss: 1% }
  - { from: a, to: d, bandwidth: 10Gbps }
  - { from: a, to: e }
`);
  expect(alone).toBe('a.0 > b.0');
});

it('has flows compete that share a link and nothing else', () => {
  const { competing } = choose(`
services: { client: { replicas: 3 }, server: { replicas: 3 } }
bridges: [s1, s2]
links:
  - { from: client, to: s1, bandwidth: 100Mbps }
  - { from: s1, to: s2, bandwidth: 50Mbps }
  - { from: server, to: s2, bandwidth: 100Mbps }
`);
  expect(competing).toEqual(['client.0 > server.0', 'client.1 > server.1', 'client.2 > server.2']);
});

it('measures nothing where nothing can be reached both ways', () => {
  const nothing = choose('services: { a: {}, b: {} }\nlinks: [{ from: a, to: b, oneway: true }]');
  expect(nothing).toEqual({ paths: [], alone: undefined, competing: [], leftOut: [] });
});

const pair = (link: string): string => `services: { a: {}, b: {} }\nlinks: [{ from: a, to: b, ${link} }]\n`;

it('leaves out what no flow of TCP fills, and says so', () => {
  const long = choose(pair('latency: 150ms, bandwidth: 1Gbps'), 3e6);
  expect(long).toMatchObject({ alone: undefined, competing: [] });
  expect(long.paths).toHaveLength(1);
  expect(long.leftOut).toEqual([
    'a.0 > b.0 and 1 more: no TCP, since the path holds more than the socket buffers (netfold check)',
  ]);
  expect(choose(pair('latency: 150ms, bandwidth: 100Mbps'), 4e6).leftOut).toEqual([]);
  expect(choose(pair('latency: 2s, bandwidth: 1Mbps')).leftOut).toEqual([
    'a.0 > b.0 and 1 more: no TCP, since one flow would take more than half a minute to fill it',
  ]);
});

it('leaves out what pings would take minutes for, and says so', () => {
  const { paths, leftOut } = choose(pair('latency: 40s'));
  expect(paths).toEqual([]);
  expect(leftOut[0]).toMatch(/^a\.0 > b\.0 and 1 more: no pings/);
});

it.each([
  ['a slow one', 'bandwidth: 16kbps', true],
  ['one that is too slow', 'bandwidth: 8kbps', false],
  ['one whose jitter is less than its latency', 'bandwidth: 10Mbps, latency: 30ms, jitter: 10ms', true],
  ['one whose jitter exceeds its latency', 'bandwidth: 10Mbps, latency: 1ms, jitter: 50ms', false],
])('of a path like %s, %s, TCP measures the rate: %s', (_, link, isMeasured) => {
  expect(choose(pair(link)).alone).toBe(isMeasured ? 'a.0 > b.0' : undefined);
});

it('leaves out pairs with several paths, since ports decide which of them is measured', () => {
  const { paths, alone, leftOut } = choose(`
ecmp: 2
services: { a: {}, b: {}, c: {} }
bridges: [s, x, y]
links:
  - { from: a, to: s, bandwidth: 10Mbps }
  - { from: c, to: s, bandwidth: 10Mbps }
  - { from: s, to: x }
  - { from: s, to: y }
  - { from: x, to: b }
  - { from: y, to: b }
`);
  expect(paths).toEqual(['a.0 > c.0']);
  expect(alone).toBe('a.0 > c.0');
  expect(leftOut).toEqual([
    expect.stringMatching(/^a\.0 > b\.0 and 3 more: nothing, since it has several paths/),
  ]);
});
