import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { impairment } from '../../../proto/impairment.ts';
import { bps, micros } from '../../../proto/units.ts';
import { Folding } from '../../../topology/fold/fold.ts';
import type { Graph } from '../../../topology/model/model.ts';

const MAX_NODES = 7;

/** A random graph: dense and with few latencies, so that there are many ties; names in another order than the numbers. */
const graphs = fc
  .record({
    endpoints: fc.integer({ min: 2, max: 4 }),
    bridges: fc.integer({ min: 0, max: 3 }),
    routing: fc.constantFrom('latency' as const, 'hops' as const),
    // Per ordered pair of nodes its latency, or no link.
    latencies: fc.array(fc.constantFrom(undefined, undefined, undefined, undefined, 0, 1, 1, 1), {
      minLength: MAX_NODES ** 2,
      maxLength: MAX_NODES ** 2,
    }),
    forwards: fc.array(fc.boolean(), { minLength: MAX_NODES, maxLength: MAX_NODES }),
    names: fc.shuffledSubarray(['a', 'b', 'c', 'd', 'e', 'f', 'g'], { minLength: MAX_NODES }),
  })
  .map(({ endpoints, bridges, routing, latencies, forwards, names }): Graph => {
    const count = endpoints + bridges;
    const nodes = names.slice(0, count);
    const arcs = latencies.flatMap((latency, index) => {
      const [from, to] = [Math.floor(index / MAX_NODES), index % MAX_NODES];
      return latency === undefined || from === to || from >= count || to >= count
        ? []
        : [{ from, to, latency }];
    });
    return {
      routing,
      endpoints: nodes.slice(0, endpoints),
      nodes,
      forwards: nodes.map((_, node) => node >= endpoints || forwards[node]!),
      edges: arcs.map(({ from, to }, link) => ({ from, to, link })),
      links: arcs.map(({ from, to, latency }) => ({
        name: `${nodes[from]}->${nodes[to]}`,
        ...impairment({ latency: micros(latency), bandwidth: bps(1e6) }),
      })),
    };
  });

/** All simple paths, the best by latency and hops (or the reverse), then by the names of the nodes along it. */
function bruteForce(graph: Graph, from: number, to: number): string | undefined {
  let best: { keys: [number, number]; names: string[] } | undefined;
  const walk = (path: number[], latency: number): void => {
    const last = path.at(-1)!;
    if (last === to) {
      const hops = path.length - 1;
      const keys: [number, number] = graph.routing === 'hops' ? [hops, latency] : [latency, hops];
      const names = path.map((node) => graph.nodes[node]!);
      const order = best
        ? keys[0] - best.keys[0] || keys[1] - best.keys[1] || compareLists(names, best.names)
        : -1;
      if (order < 0) best = { keys, names };
      return;
    }
    if (last !== from && !graph.forwards[last]) return;
    for (const edge of graph.edges) {
      if (edge.from === last && !path.includes(edge.to))
        walk([...path, edge.to], latency + graph.links[edge.link]!.latency);
    }
  };
  walk([from], 0);
  return best?.names.join(' ');
}

function compareLists(a: readonly string[], b: readonly string[]): number {
  for (let index = 0; index < a.length; index++)
    if (a[index] !== b[index]) return a[index]! < b[index]! ? -1 : 1;
  return 0;
}

function namesAlong(folding: Folding, from: number, to: number): string | undefined {
  const path = folding.path(from, to);
  if (!path) return undefined;
  const { links, nodes } = folding.graph;
  return [nodes[from], ...path.links.map((link) => links[link]!.name.split('->')[1])].join(' ');
}

describe('shortest paths', () => {
  it('are those of an exhaustive search, ties broken by names along the path', () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const folding = new Folding(graph);
        for (let from = 0; from < graph.endpoints.length; from++) {
          for (let to = 0; to < graph.endpoints.length; to++) {
            const expected = from === to ? undefined : bruteForce(graph, from, to);
            expect(namesAlong(folding, from, to)).toBe(expected);
          }
        }
      }),
      { numRuns: 1000, seed: 7 },
    );
  });

  it('compare names from the source on: the first difference decides', () => {
    // z → a → d → t and z → b → c → t are equally long; the reverse comparison would take b and c.
    const nodes = ['t', 'z', 'a', 'b', 'c', 'd'];
    const arcs = ['z-b', 'b-c', 'c-t', 'z-a', 'a-d', 'd-t'].map((arc) =>
      arc.split('-').map((name) => nodes.indexOf(name)),
    );
    const graph: Graph = {
      routing: 'latency',
      endpoints: nodes.slice(0, 2),
      nodes,
      forwards: nodes.map((_, node) => node > 1),
      edges: arcs.map(([from, to], link) => ({ from: from!, to: to!, link })),
      links: arcs.map(([from, to]) => ({
        name: `${nodes[from!]}->${nodes[to!]}`,
        ...impairment({ latency: micros(1), bandwidth: bps(1e6) }),
      })),
    };
    const reversed = { ...graph, edges: graph.edges.toReversed() };
    for (const either of [graph, reversed]) expect(namesAlong(new Folding(either), 1, 0)).toBe('z a d t');
  });

  it('do not depend on the order of the edges', () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const one = new Folding(graph);
        const other = new Folding({ ...graph, edges: graph.edges.toReversed() });
        for (let from = 0; from < graph.endpoints.length; from++) {
          for (let to = 0; to < graph.endpoints.length; to++)
            expect(other.path(from, to)).toEqual(one.path(from, to));
        }
      }),
      { numRuns: 400, seed: 8 },
    );
  });
});
