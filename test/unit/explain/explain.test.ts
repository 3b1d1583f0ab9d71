/** Why a path is as it is. */
import { expect, test } from 'vitest';
import { textOf } from '../../../controller/cli/insight/explain.ts';
import { type Explanation, explain } from '../../../controller/explain/explain.ts';
import { micros } from '../../../proto/units.ts';
import { loadTopology } from '../../../topology/load.ts';
import { graphAt } from '../../../topology/timeline/graph-at.ts';

/** The example of the design: round trips of 50, 40 and 40 ms share 50 Mb/s; the third has 10 Mb/s of its own. */
const TEXT = `
services: { a: {}, b: {}, c: {}, d: {}, server: {}, island: {} }
bridges: [s]
links:
  - { from: a, to: s, latency: 15ms, jitter: 3ms, up: 100Mbps, down: 30Mbps }
  - { from: b, to: s, latency: 10ms, jitter: 4ms, bandwidth: 100Mbps }
  - { from: c, to: s, latency: 10ms, bandwidth: 10Mbps }
  - { from: d, to: s, latency: 1ms }
  - { from: s, to: server, latency: 10ms, up: 50Mbps, down: 20Mbps, loss: 1% }
events:
  - at 5s partition a | server
`;
const { topology } = loadTopology(TEXT, 'lab.yaml');
const graph = graphAt(topology, micros(0));
const number = (name: string): number => graph.endpoints.indexOf(`${name}.0`);
const greedy = (from: string, to: string) => ({
  source: number(from),
  destination: number(to),
  demandBps: Number.POSITIVE_INFINITY,
});
const explained = (from: string, to: string, running: ReturnType<typeof greedy>[] = []): Explanation => {
  const found = explain(graph, number(from), number(to), running);
  if (!found.reachable) throw new Error(found.why);
  return found;
};
const mbps = (bps: number | null): number | null => (bps === null ? null : Number((bps / 1e6).toFixed(2)));

test('latency and bandwidth come from the links of this direction', () => {
  expect(explained('a', 'server')).toMatchObject({
    ...{ latencyMs: 25, roundTripMs: 50, bandwidthBps: 50e6, jitterMs: 3, backLinks: [] },
    links: [
      { name: 'a.0->s', latencyMs: 15, bandwidthBps: 100e6, isNarrowest: false },
      { name: 's->server.0', latencyMs: 10, bandwidthBps: 50e6, isNarrowest: true },
    ],
  });
  expect(explained('server', 'a')).toMatchObject({ bandwidthBps: 20e6, roundTripMs: 50 });
});

test('rules are of the links that have them, and not of the way back', () => {
  const text = TEXT.replace('latency: 1ms }', 'latency: 1ms, up: { rules: [drop only icmp, reset] } }');
  const ruled = graphAt(loadTopology(text, 'lab.yaml').topology, micros(0));
  const there = explain(ruled, number('d'), number('server'), []) as Explanation;
  expect(there.links.map(({ rules }) => rules)).toEqual([['drop only icmp', 'reset'], undefined]);
  expect(textOf(there).join('\n')).toContain('rule of d.0->s: drop only icmp\nrule of d.0->s: reset');
  const back = explain(ruled, number('server'), number('d'), []) as Explanation;
  expect(back.links.some(({ rules }) => rules !== undefined)).toBe(false);
});

test('alone, a flow has the bandwidth of its path', () => {
  const alone = explained('a', 'server');
  expect([alone.shareBps, alone.limitedBy, alone.competitors]).toEqual([50e6, 's->server.0', []]);
  expect(alone.whatIf).toEqual([{ what: 's->server.0 twice as wide', shareBps: 100e6 }]);
});

test('beside others it has its share, and what would change it is computed', () => {
  const found = explained('a', 'server', [greedy('b', 'server'), greedy('c', 'server'), greedy('d', 'b')]);
  expect(mbps(found.shareBps)).toBe(17.78);
  expect(
    found.competitors.map(({ from, shareBps, limitedBy, roundTripMs, sharedLinks }) => {
      return [from, mbps(shareBps), limitedBy, roundTripMs, sharedLinks];
    }),
  ).toEqual([
    ['b.0', 22.22, 's->server.0', 40, ['s->server.0']],
    ['c.0', 10, 'c.0->s', 40, ['s->server.0']],
  ]);
  expect(found.whatIf.map(({ what, shareBps }) => [what, mbps(shareBps)])).toEqual([
    ['s->server.0 twice as wide', 40],
    ['a.0->s with half of its latency', 19.39],
    ['no other flow', 50],
  ]);
});

test('a flow of the same pair is no competitor, and one with a demand takes no more', () => {
  const small = { ...greedy('b', 'server'), demandBps: 5e6 };
  const found = explained('a', 'server', [greedy('a', 'server'), small]);
  expect(found.competitors).toMatchObject([{ from: 'b.0', demandBps: 5e6, shareBps: 5e6, limitedBy: null }]);
  expect(mbps(found.shareBps)).toBe(45);
});

test('a path without a limit has none, and nothing would change that', () => {
  const free = explained('d', 'b');
  expect(free.bandwidthBps).toBe(100e6);
  const { topology: bare } = loadTopology(
    'services: { x: {}, y: {} }\nlinks: [{ from: x, to: y }]\n',
    'bare.yaml',
  );
  expect(explain(graphAt(bare, micros(0)), 0, 1, [])).toMatchObject({
    bandwidthBps: null,
    shareBps: null,
    whatIf: [],
  });
});

test('where there is no path, the reason is said', () => {
  const why = (one = graph, from = 'a', to = 'server') => explain(one, number(from), number(to), []);
  expect(why(graph, 'a', 'island')).toMatchObject({ reachable: false, why: 'no link leads to island.0' });
  expect(why(graph, 'island', 'a')).toMatchObject({ why: 'no link leads away from island.0' });
  expect(why(graph, 'a', 'a')).toMatchObject({ why: 'they are the same endpoint' });
  expect(why(graphAt(topology, micros(6e6)))).toMatchObject({ why: 'a partition separates them' });
});

test('as text', () => {
  const text = textOf(explained('a', 'server', [greedy('b', 'server')])).join('\n');
  for (const line of [
    /^a\.0 > server\.0$/m,
    /^latency 25ms, 50ms there and back: the way with the least latency$/m,
    /^ {2}s->server\.0 +10ms +- +1% +50Mbps \*$/m,
    /^bandwidth 50Mbps: that of s->server\.0; wider, it would help up to 100Mbps, where a\.0->s limits$/m,
    /^a flow that takes what it gets has 22\.2222Mbps: limited by s->server\.0$/m,
    /^ {2}b\.0 > server\.0 +all it gets +27\.7778Mbps +40ms +s->server\.0$/m,
    /^with no other flow: 50Mbps$/m,
  ])
    expect(text).toMatch(line);
});

test('a topology with several paths for a pair is refused', () => {
  expect(() => explain({ ...graph, ecmp: 2 }, number('a'), number('server'), [])).toThrow(
    expect.objectContaining({ code: 'EXPLAIN_ECMP' }),
  );
});
