import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { impairment } from '../../../../proto/impairment.ts';
import { bps, micros } from '../../../../proto/units.ts';
import { Folding } from '../../../../topology/fold/fold.ts';
import { expandGraph } from '../../../../topology/fold/graph.ts';
import { nativeText } from '../../../../topology/formats/native/write.ts';
import type { Graph } from '../../../../topology/model/model.ts';
import { pathsReport } from '../../../../topology/report/paths.ts';
import { native, problems } from '../support.ts';

const MAX_NODES = 7;
const ROUTINGS = ['latency', 'hops', 'weight'] as const;

/** Dense, with few values, so that many paths are equal; names in another order than the numbers. */
const graphs = fc
  .record({
    endpoints: fc.integer({ min: 2, max: 3 }),
    bridges: fc.integer({ min: 0, max: 4 }),
    routing: fc.constantFrom(...ROUTINGS),
    ecmp: fc.integer({ min: 2, max: 4 }),
    latencies: fc.array(fc.constantFrom(undefined, undefined, undefined, 0, 1, 1, 2), {
      minLength: MAX_NODES ** 2,
      maxLength: MAX_NODES ** 2,
    }),
    forwards: fc.array(fc.boolean(), { minLength: MAX_NODES, maxLength: MAX_NODES }),
    names: fc.shuffledSubarray(['a', 'b', 'c', 'd', 'e', 'f', 'g'], { minLength: MAX_NODES }),
  })
  .map(({ endpoints, bridges, routing, ecmp, latencies, forwards, names }): Graph => {
    const count = endpoints + bridges;
    const nodes = names.slice(0, count);
    const arcs = latencies.flatMap((latency, index) => {
      const [from, to] = [Math.floor(index / MAX_NODES), index % MAX_NODES];
      return latency === undefined || from === to || Math.max(from, to) >= count
        ? []
        : [{ from, to, latency }];
    });
    return {
      ...{ routing, ecmp, nodes },
      endpoints: nodes.slice(0, endpoints),
      forwards: nodes.map((_, node) => node >= endpoints || forwards[node]!),
      edges: arcs.map(({ from, to }, link) => ({ from, to, link })),
      links: arcs.map(({ from, to, latency }) => ({
        name: `${nodes[from]}->${nodes[to]}`,
        ...(routing === 'weight' && { weight: latency + 1 }),
        ...impairment({ latency: micros(latency), bandwidth: bps(1e6) }),
      })),
    };
  });

interface Way {
  readonly nodes: readonly number[];
  readonly links: readonly number[];
  readonly cost: number;
}

/** All ways without circles, the cheapest ones of them in the order of their names from the smaller end on. */
function bruteForce(graph: Graph, from: number, to: number): number[][] {
  const ways: Way[] = [];
  const walk = (nodes: readonly number[], links: readonly number[], cost: number): void => {
    const last = nodes.at(-1)!;
    if (last === to) {
      ways.push({ nodes, links, cost });
      return;
    }
    if (last !== from && !graph.forwards[last]) return;
    for (const edge of graph.edges) {
      if (edge.from !== last || nodes.includes(edge.to)) continue;
      const { latency, weight = 1 } = graph.links[edge.link]!;
      // Of equal latency, the fewest links.
      const step = { latency: latency * 1000 + 1, hops: 1, weight, 'valley-free': 0 }[graph.routing];
      walk([...nodes, edge.to], [...links, edge.link], cost + step);
    }
  };
  walk([from], [], 0);
  const least = Math.min(...ways.map(({ cost }) => cost));
  const key = ({ nodes }: Way): string => {
    const names = nodes.map((node) => graph.nodes[node]!);
    return (from < to ? names : names.toReversed()).join('');
  };
  return ways
    .filter(({ cost }) => cost === least)
    .sort((a, b) => (key(a) < key(b) ? -1 : 1))
    .slice(0, graph.ecmp)
    .map(({ links }) => [...links]);
}

describe('paths of equal cost', () => {
  it('are all of the best ones, in the order of their names, up to as many as the file says', () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const folding = new Folding(graph);
        for (const from of graph.endpoints.keys())
          for (const to of graph.endpoints.keys()) {
            if (from === to) continue;
            const ways = Array.from(
              { length: folding.count(from, to) },
              (_, lane) => folding.path(from, folding.lanes.number(to, lane))?.links,
            );
            expect(ways).toEqual(bruteForce(graph, from, to));
            expect(folding.path(from, folding.lanes.number(to, ways.length))).toBeUndefined();
          }
      }),
      { numRuns: 500 },
    );
  });

  it('are the same both ways, in the same order', () => {
    const folding = new Folding(expandGraph(native(SQUARE)));
    const { links, endpoints } = folding.graph;
    const [a, b] = [endpoints.indexOf('a.0'), endpoints.indexOf('b.0')];
    const names = (path: { readonly links: readonly number[] } | undefined): string[] =>
      path?.links.map((link) => links[link]!.name) ?? [];
    expect(folding.count(a, b)).toBe(2);
    expect(names(folding.path(a, b))).toEqual(['a.0->s0', 's0->s1', 's1->s3', 's3->b.0']);
    const second = folding.lanes.number(b, 1);
    expect(names(folding.path(a, second))).toEqual(['a.0->s0', 's0->s2', 's2->s3', 's3->b.0']);
    // Back from there is the one with the same place.
    expect(names(folding.path(second, a))).toEqual(['b.0->s3', 's3->s2', 's2->s0', 's0->a.0']);
    expect(folding.path(a, second)).toMatchObject({ from: a, to: second, latency: 14_000, bandwidth: 5e6 });
  });
});

const pathsOf = (folding: Folding): unknown[] =>
  [...folding.graph.endpoints.keys()].flatMap((from) =>
    [...folding.lanes.all(folding.graph.endpoints.keys())].map((to) => folding.path(from, to)),
  );

it('are those of a graph folded anew, whatever was taken over from the epoch before', () => {
  const change = fc.record({ link: fc.nat(MAX_NODES ** 2), latency: fc.constantFrom(undefined, 0, 1, 2) });
  fc.assert(
    fc.property(graphs, fc.array(change, { minLength: 1, maxLength: 3 }), (graph, changes) => {
      const before = new Folding(graph);
      pathsOf(before);
      let next = graph;
      for (const { link, latency } of changes)
        next = {
          ...next,
          ...(latency === undefined
            ? { edges: next.edges.filter((edge) => edge.link !== link) }
            : {
                links: next.links.map((one, index) =>
                  index === link ? { ...one, latency: micros(latency) } : one,
                ),
              }),
        };
      expect(pathsOf(new Folding(next, before))).toEqual(pathsOf(new Folding(next)));
      // And back again.
      expect(pathsOf(new Folding(graph, new Folding(next, before)))).toEqual(pathsOf(before));
    }),
    { numRuns: 500 },
  );
});

it('are found over thousands of bridges', () => {
  const bridges = 15_000;
  const nodes = ['a', 'b', ...Array.from({ length: bridges }, (_, index) => `s${index}`)];
  // a, every bridge after the other, b; and the last step over either of two links.
  const ends = [
    ...Array.from({ length: bridges }, (_, index): [number, number] => [
      index === 0 ? 0 : index + 1,
      index + 2,
    ]),
  ];
  const arcs: [number, number][] = [...ends, [bridges + 1, 1], [bridges + 1, 1]];
  const folding = new Folding({
    ...{ routing: 'weight', ecmp: 2, nodes, endpoints: nodes.slice(0, 2) },
    forwards: nodes.map((_, node) => node > 1),
    edges: arcs.map(([from, to], link) => ({ from, to, link })),
    links: arcs.map(([from, to], link) => ({
      name: `${nodes[from]}->${nodes[to]}:${link}`,
      ...impairment({ latency: micros(1), bandwidth: bps(1e6) }),
    })),
  });
  expect(folding.count(0, 1)).toBe(2);
  expect(folding.path(0, folding.lanes.number(1, 1))?.links.at(-1)).toBe(bridges + 1);
});

const SQUARE = `routing: hops
ecmp: 4
services: { a: {}, b: {} }
bridges: [s0, s1, s2, s3]
links:
  - { from: a, to: s0, latency: 1ms, bandwidth: 100Mbps }
  - { from: s3, to: b, latency: 1ms, bandwidth: 100Mbps }
  - { from: s0, to: s1, latency: 1ms, bandwidth: 10Mbps }
  - { from: s1, to: s3, latency: 1ms, bandwidth: 10Mbps }
  - { from: s0, to: s2, latency: 6ms, bandwidth: 5Mbps }
  - { from: s2, to: s3, latency: 6ms, bandwidth: 5Mbps }
`;

describe('ecmp in a file', () => {
  it('gives each path of a pair a row', () => {
    const rows = [...pathsReport(native(SQUARE), { from: 'a' }).rows()];
    expect(rows).toMatchObject([
      { from: 'a.0', to: 'b.0', latencyMs: 4, bandwidthBps: 10e6, path: 1, paths: 2 },
      { from: 'a.0', to: 'b.0', latencyMs: 14, bandwidthBps: 5e6, path: 2, paths: 2 },
    ]);
    const text = [...pathsReport(native(SQUARE), { from: 'a' }).text()];
    expect(text.slice(1).map((line) => line.slice(-11))).toEqual(['path 1 of 2', 'path 2 of 2']);
  });

  it('leaves pairs with a given route, and those with one best path, one', () => {
    const given = `${SQUARE}routes: [a > s0 > s2 > s3 > b]\n`;
    const [row, ...others] = pathsReport(native(given), { from: 'a' }).rows();
    expect(others).toEqual([]);
    expect(row).toMatchObject({ latencyMs: 14 });
    expect(row).not.toHaveProperty('path');
    const byLatency = [...pathsReport(native(SQUARE.replace('hops', 'latency')), { from: 'a' }).rows()];
    expect(byLatency).toHaveLength(1);
  });

  it('is written as it was read', () => {
    expect(native(nativeText(native(SQUARE))).ecmp).toBe(4);
  });

  it.each([
    ['ecmp: 4', 'ecmp: 1', 'ecmp'],
    ['ecmp: 4', 'ecmp: 17', 'ecmp'],
    ['ecmp: 4', 'ecmp: yes', 'ecmp'],
    ['routing: hops', 'routing: valley-free', 'ecmp'],
    ['a: {}', 'a: { replicas: 12000 }', 'ecmp'],
  ])('%s as %s is refused where it stands', (before, after, field) => {
    expect(problems(SQUARE.replace(before, after))).toMatchObject([{ field, line: 2 }]);
  });
});
