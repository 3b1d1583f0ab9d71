import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { impairment } from '../../../proto/impairment.ts';
import { bps, micros, ratio } from '../../../proto/units.ts';
import { Folding } from '../../../topology/fold/fold.ts';
import { expandGraph } from '../../../topology/fold/graph.ts';
import type { Graph, GraphLink } from '../../../topology/model/model.ts';
import { compareNames } from '../../../topology/model/names.ts';
import { SeededRandom } from '../../../topology/model/random.ts';
import { native } from './support.ts';

/** Sparse graphs with few latencies: many ties, parallel links, links that several edges share, leaves with one exit and more. */
function randomGraph(random: SeededRandom): Graph {
  const count = 4 + random.below(24);
  const endpoints = 2 + random.below(count - 2);
  const nodes = Array.from(
    { length: count },
    (_, node) => `${'cab'[random.below(3)]}${random.below(30)}x${node}`,
  );
  const edges: Graph['edges'][number][] = [];
  const links: GraphLink[] = [];
  for (let tries = random.below(4 * count); tries > 0; tries--) {
    const [from, to] = [random.below(count), random.below(count)];
    if (from === to) continue;
    const link = links.push(randomLink(random, `l${random.below(50)}-${links.length}`)) - 1;
    edges.push({ from, to, link });
    const sharer = random.below(count);
    if (random.below(8) === 0 && sharer !== to && sharer !== from) edges.push({ from: sharer, to, link });
  }
  const forwards = nodes.map((_, node) => node >= endpoints || random.below(4) === 0);
  const routing = random.below(2) === 0 ? 'hops' : 'latency';
  return { routing, endpoints: nodes.slice(0, endpoints), nodes, forwards, edges, links };
}

function randomLink(random: SeededRandom, name: string): GraphLink {
  return {
    name,
    ...impairment({
      latency: micros(random.below(4)),
      jitter: micros(random.below(3)),
      loss: ratio(random.below(2) / 100),
      bandwidth: bps(1e6 * (1 + random.below(9))),
    }),
  };
}

/** Another epoch of `full`: some links changed, some edges gone. */
function randomEpoch(full: Graph, now: Graph, random: SeededRandom): Graph {
  const links = [...now.links];
  for (let changes = random.below(3); changes > 0 && links.length > 0; changes--) {
    const link = random.below(links.length);
    links[link] = randomLink(random, links[link]!.name);
  }
  const edges = random.below(2) === 0 ? full.edges : full.edges.filter(() => random.below(12) > 0);
  return { ...now, edges, links };
}

interface Label {
  readonly keys: readonly [number, number];
  readonly nodes: readonly number[];
  readonly links: readonly number[];
}

/** Best paths by relaxing all edges until nothing changes, with whole paths as labels: slow, and nothing to get wrong. */
function bestPaths(graph: Graph, source: number): (readonly number[] | undefined)[] {
  const best: (Label | undefined)[] = graph.nodes.map(() => undefined);
  best[source] = { keys: [0, 0], nodes: [source], links: [] };
  for (let changed = true; changed; ) {
    changed = false;
    for (const { from, to, link } of graph.edges) {
      const before = best[from];
      if (!before || (from !== source && !graph.forwards[from]) || before.nodes.includes(to)) continue;
      const { latency } = graph.links[link]!;
      const [one, other] = graph.routing === 'hops' ? [1, latency] : [latency, 1];
      const keys = [before.keys[0] + one, before.keys[1] + other] as const;
      const label = { keys, nodes: [...before.nodes, to], links: [...before.links, link] };
      if (best[to] && compareLabels(graph, label, best[to]) >= 0) continue;
      best[to] = label;
      changed = true;
    }
  }
  return best.map((label) => label?.links);
}

function compareLabels(graph: Graph, a: Label, b: Label): number {
  if (a.keys[0] !== b.keys[0]) return a.keys[0] - b.keys[0];
  if (a.keys[1] !== b.keys[1]) return a.keys[1] - b.keys[1];
  for (let at = 0; at < a.nodes.length; at++) {
    const order = compareNames(graph.nodes[a.nodes[at]!]!, graph.nodes[b.nodes[at]!]!);
    if (order !== 0) return order;
  }
  for (let at = 0; at < a.links.length; at++) {
    const order = compareNames(graph.links[a.links[at]!]!.name, graph.links[b.links[at]!]!.name);
    if (order !== 0) return order;
  }
  return 0;
}

function eachPair(graph: Graph, look: (from: number, to: number) => void): void {
  for (let from = 0; from < graph.endpoints.length; from++)
    for (let to = 0; to < graph.endpoints.length; to++) look(from, to);
}

describe('folding, epoch after epoch', () => {
  it('finds the paths of an independent search, whatever it took over from the epochs before', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = new SeededRandom(seed);
        const full = randomGraph(random);
        let graph = full;
        let folding: Folding | undefined;
        for (let epoch = 0; epoch < 4; epoch++) {
          folding = new Folding(graph, folding);
          for (let from = 0; from < graph.endpoints.length; from++) {
            const expected = bestPaths(graph, from);
            graph.endpoints.forEach((_, to) => {
              expect(folding!.path(from, to)?.links).toEqual(from === to ? undefined : expected[to]);
            });
          }
          graph = randomEpoch(full, graph, random);
        }
      }),
      { numRuns: 150, seed: 11 },
    );
  });

  it('gives the very same bits as folding anew', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = new SeededRandom(seed);
        const full = randomGraph(random);
        let graph = full;
        let folding = new Folding(full);
        for (let epoch = 0; epoch < 6; epoch++) {
          eachPair(graph, (from, to) => folding.path(from, to));
          graph = randomEpoch(full, graph, random);
          folding = new Folding(graph, folding);
          const anew = new Folding(graph);
          eachPair(graph, (from, to) => expect(folding.path(from, to)).toEqual(anew.path(from, to)));
        }
      }),
      { numRuns: 150, seed: 12 },
    );
  });
});

describe('what a new epoch takes over', () => {
  /** Two ways from left to right, 10 and 12 ms; a1 and a2 are leaves with one exit. */
  const GRAPH = expandGraph(
    native(`services: { a1: {}, a2: {}, z: {} }
bridges: [left, right, top, bottom]
links:
  - { from: a1, to: left, latency: 1ms }
  - { from: a2, to: left, latency: 2ms }
  - { from: left, to: top, latency: 4ms, bandwidth: 9Mbps }
  - { from: top, to: right, latency: 6ms }
  - { from: left, to: bottom, latency: 5ms }
  - { from: bottom, to: right, latency: 7ms }
  - { from: right, to: z, latency: 3ms }
`),
  );
  const [A1, A2, Z] = [0, 1, 2];

  function folded(): Folding {
    const folding = new Folding(GRAPH);
    eachPair(GRAPH, (from, to) => folding.path(from, to));
    return folding;
  }

  function changed(name: string, change: Partial<GraphLink>): Graph {
    return {
      ...GRAPH,
      links: GRAPH.links.map((link) => (link.name === name ? { ...link, ...change } : link)),
    };
  }

  it('services with one exit share the tree of their bridge', () => {
    const folding = folded();
    expect(folding.treeCount).toBe(2);
    expect(folding.path(A1, Z)).toMatchObject({ latency: 14_000, hops: 4 });
    expect(folding.path(A2, Z)).toMatchObject({ latency: 15_000, hops: 4 });
  });

  it.each<[string, string, Partial<GraphLink>, number, number]>([
    ['another bandwidth', 'left->top', { bandwidth: bps(3e6) }, 2, 14_000],
    ['a leaf that moves away', 'a1.0->left', { latency: micros(5000) }, 2, 18_000],
    ['more latency beside all best paths', 'left->bottom', { latency: micros(9000) }, 1, 14_000],
    [
      'less, but not little enough to be on a best path from left',
      'bottom->right',
      { latency: micros(6000) },
      2,
      14_000,
    ],
    ['a tie', 'bottom->right', { latency: micros(5000) }, 1, 14_000],
    ['a shorter way', 'bottom->right', { latency: micros(1000) }, 1, 10_000],
    ['a longer way', 'left->top', { latency: micros(40_000) }, 1, 16_000],
  ])('%s: trees and latency', (_, name, change, trees, latency) => {
    const next = new Folding(changed(name, change), folded());
    expect(next.treeCount).toBe(trees);
    expect(next.path(A1, Z)?.latency).toBe(latency);
  });

  it('an edge that goes and comes back', () => {
    const gone = {
      ...GRAPH,
      edges: GRAPH.edges.filter(({ link }) => GRAPH.links[link]!.name !== 'left->top'),
    };
    const without = new Folding(gone, folded());
    expect(without.treeCount).toBe(1);
    expect(without.path(A1, Z)?.latency).toBe(16_000);
    expect(new Folding(GRAPH, without).path(A1, Z)?.latency).toBe(14_000);
  });

  it('nothing where very much changes at once', () => {
    const many = { ...GRAPH, edges: Array.from({ length: 300_000 }, () => ({ from: 0, to: 3, link: 0 })) };
    expect(new Folding({ ...GRAPH, edges: [] }, new Folding(many)).path(A1, Z)).toBeUndefined();
    expect(new Folding(GRAPH, new Folding({ ...GRAPH, edges: [] })).path(A1, Z)?.latency).toBe(14_000);
  });

  it('nothing of another topology, even with the same names', () => {
    const other = { ...GRAPH, nodes: [...GRAPH.nodes] };
    expect(new Folding(other, folded()).treeCount).toBe(0);
  });
});
