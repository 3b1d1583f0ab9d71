import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromSeconds } from '../../../../proto/units.ts';
import { Folding } from '../../../../topology/fold/fold.ts';
import { expandGraph } from '../../../../topology/fold/graph.ts';
import { nativeText } from '../../../../topology/formats/native/write.ts';
import { loadTopology } from '../../../../topology/load.ts';
import { decodeGraph, encodeGraph } from '../../../../topology/model/graph-json.ts';
import type { Graph } from '../../../../topology/model/model.ts';
import { graphAt } from '../../../../topology/timeline/graph-at.ts';
import { errors, load } from './support.ts';

function way(graph: Graph, from: string, to: string): string {
  const path = new Folding(graph).path(graph.endpoints.indexOf(from), graph.endpoints.indexOf(to));
  return path ? path.links.map((link) => graph.links[link]!.name).join(' ') : 'none';
}
const graphOf = (text: string): Graph => expandGraph(load(text).topology);

const SQUARE = `services: { a: {}, b: {} }
bridges: [s, t, u]
links:
  - { from: a, to: s }
  - { from: b, to: t }
  - { from: s, to: t, latency: 50ms, weight: 2 }
  - { from: s, to: u, latency: 1ms, weight: { up: 2, down: 1 } }
  - { from: u, to: t, latency: 1ms, weight: { up: 2, down: 1 } }
`;

describe('routing by weight', () => {
  it('takes the least weight of each direction, then hops, then latency', () => {
    const graph = graphOf(`routing: weight\n${SQUARE}`);
    expect(way(graph, 'a.0', 'b.0')).toBe('a.0->s s->t t->b.0');
    // 2 either way: fewer hops.
    expect(way(graph, 'b.0', 'a.0')).toBe('b.0->t t->s s->a.0');
    expect(
      way(graphOf(`routing: weight\n${SQUARE.replace('weight: 2 }', 'weight: 3 }')}`), 'b.0', 'a.0'),
    ).toBe('b.0->t t->u u->s s->a.0');
  });

  it('is not routing by latency, where weights are told to have no effect', () => {
    expect(way(graphOf(SQUARE), 'a.0', 'b.0')).toBe('a.0->s s->u u->t t->b.0');
    expect(load(SQUARE).warnings.map(({ code }) => code)).toContain('KEY_IGNORED');
  });

  it('survives JSON, and being written again', () => {
    const { topology } = load(`routing: weight\n${SQUARE}`);
    const graph = expandGraph(topology);
    expect(decodeGraph(JSON.parse(JSON.stringify(encodeGraph(graph))))).toEqual(graph);
    expect(way(expandGraph(loadTopology(nativeText(topology), 'x.yaml').topology), 'b.0', 'a.0')).toBe(
      'b.0->t t->s s->a.0',
    );
  });

  it('is the least of all paths, whatever the weights', () => {
    const pairs = [0, 1, 2, 3].flatMap((a) => [0, 1, 2, 3].flatMap((b) => (a < b ? [[a, b] as const] : [])));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(0, 1, 2, 3), fc.constantFrom(1, 2)), {
          minLength: 6,
          maxLength: 6,
        }),
        (values) => {
          const links = pairs.flatMap(([a, b], index) => {
            const [weight, latency] = values[index]!;
            return weight === 0
              ? []
              : [`  - { from: s${a}, to: s${b}, weight: ${weight}, latency: ${latency}ms }`];
          });
          const graph = graphOf(
            `routing: weight\nservices: { a: {}, b: {} }\nbridges: [s0, s1, s2, s3]\nlinks:\n  - { from: a, to: s0 }\n  - { from: s3, to: b }\n${links.join('\n')}\n`,
          );
          expect(way(graph, 'a.0', 'b.0')).toBe(best(graph));
        },
      ),
      { seed: 1, numRuns: 200 },
    );
  });
});

/** Of all simple paths from the first endpoint to the second: by weight, hops, latency, names. */
function best(graph: Graph): string {
  let found: { keys: number[]; nodes: string[]; links: string } | undefined;
  const walk = (node: number, nodes: number[], links: number[]): void => {
    if (node === 1) {
      const sum = (of: (link: Graph['links'][number]) => number): number =>
        links.reduce((all, link) => all + of(graph.links[link]!), 0);
      const one = {
        keys: [sum(({ weight = 1 }) => weight), links.length, sum(({ latency }) => latency)],
        nodes: nodes.map((each) => graph.nodes[each]!),
        links: links.map((link) => graph.links[link]!.name).join(' '),
      };
      if (!found || compare(one, found) < 0) found = one;
      return;
    }
    for (const { from, to, link } of graph.edges)
      if (from === node && !nodes.includes(to) && to !== 0) walk(to, [...nodes, to], [...links, link]);
  };
  walk(0, [0], []);
  return found?.links ?? 'none';
}

function compare(
  one: { keys: number[]; nodes: string[] },
  other: { keys: number[]; nodes: string[] },
): number {
  for (const [index, key] of one.keys.entries())
    if (key !== other.keys[index]) return key - other.keys[index]!;
  return one.nodes.join() < other.nodes.join() ? -1 : 1;
}

describe('given routes', () => {
  it('replace the shortest path of their pair and direction', () => {
    const graph = graphOf(`${SQUARE.replaceAll(/, weight: [^}]*(?:\} )?\}/g, ' }')}routes: [a > s > t > b]`);
    expect(way(graph, 'a.0', 'b.0')).toBe('a.0->s s->t t->b.0');
    expect(way(graph, 'b.0', 'a.0')).toBe('b.0->t t->u u->s s->a.0');
    expect(decodeGraph(JSON.parse(JSON.stringify(encodeGraph(graph))))).toEqual(graph);
  });

  it('hold for both directions and all replicas', () => {
    const graph = graphOf(
      'services: { a: { replicas: 2 }, b: {} }\nbridges: [s, t]\nlinks:\n  - { from: a, to: s }\n  - { from: s, to: b, latency: 1ms }\n  - { from: s, to: t, latency: 1ms }\n  - { from: t, to: b, latency: 1ms }\nroutes: [a <> s <> t <> b]',
    );
    for (const replica of ['a.0', 'a.1']) {
      expect(way(graph, replica, 'b.0')).toBe(`${replica}->s s->t t->b.0`);
      expect(way(graph, 'b.0', replica)).toBe(`b.0->t t->s s->${replica}`);
    }
  });

  it('have no path while a link is missing', () => {
    const { topology } = load(
      `${SQUARE}routes: [a > s > t > b]\nevents:\n  - at 1s leave t\n  - at 2s join t\n`.replaceAll(
        /, weight: [^}]*(?:\} )?\}/g,
        ' }',
      ),
    );
    expect(way(graphAt(topology, fromSeconds(1)), 'a.0', 'b.0')).toBe('none');
    expect(way(graphAt(topology, fromSeconds(2)), 'a.0', 'b.0')).toBe('a.0->s s->t t->b.0');
  });

  it.each([
    'a > b',
    'a',
    'a > s > s > t > b',
    'a > nobody > b',
    's > t > b',
    'a > s > u > b',
    'a > t > b',
    'a >> b',
    'a < s < b',
    'a > s > t > b > t',
  ])('%s is refused', (route) => {
    const found = errors(`${SQUARE}routes:\n  - ${route}`);
    expect(found.map(({ code }) => code)).toEqual(['ROUTE']);
    expect(found[0]!.line).toBe(10);
  });

  it('refuse a second one for the same pair', () => {
    expect(errors(`${SQUARE}routes: [a > s > t > b, a > s > u > t > b]`)[0]!.message).toContain(
      'another route',
    );
  });
});

describe('several links between two nodes', () => {
  const TWO = `services: { a: {}, b: {} }
bridges: [s, t]
links:
  - { from: a, to: s }
  - { from: t, to: b }
  - { from: s, to: t, latency: 5ms }
  - { from: s, to: t, latency: 20ms, name: backup }
`;

  it('have names, of which paths take the best', () => {
    expect(way(graphOf(TWO), 'a.0', 'b.0')).toBe('a.0->s s->t t->b.0');
    const { topology } = load(
      `${TWO}events:\n  - from 1s to 2s leave s\n  - at 3s set s->t:backup latency=1ms\n  - at 4s set s--t latency=7ms\n`,
    );
    expect(way(graphAt(topology, fromSeconds(3)), 'a.0', 'b.0')).toBe('a.0->s s->t:backup t->b.0');
    expect(way(graphAt(topology, fromSeconds(3)), 'b.0', 'a.0')).toBe('b.0->t t->s s->a.0');
    expect(way(graphAt(topology, fromSeconds(4)), 'a.0', 'b.0')).toBe('a.0->s s->t t->b.0');
  });

  it('fall back to the other when one leaves', () => {
    const { topology } = load(
      `${TWO}events:\n  - from 1s to 2s flap s--t:main every 1s\n`.replace(
        'latency: 5ms }',
        'latency: 5ms, name: main }',
      ),
    );
    expect(way(graphAt(topology, fromSeconds(1)), 'a.0', 'b.0')).toBe('a.0->s s->t:backup t->b.0');
  });

  it('are refused without names, or with the same', () => {
    expect(errors(TWO.replace(', name: backup', ''))[0]!.code).toBe('LINK_DUPLICATE');
    expect(errors(TWO.replace('latency: 5ms', 'latency: 5ms, name: backup'))[0]!.code).toBe('LINK_DUPLICATE');
    expect(errors(`${TWO}events: [at 1s set s--t:x latency=1ms]`)[0]!.code).toBe('EVENT_TARGET');
    expect(errors(`${TWO}events: ["at 1s set s--t: latency=1ms"]`)[0]!.code).toBe('EVENT_SYNTAX');
  });

  it('are written again', () => {
    const { topology } = load(`${TWO}events: [at 1s set s->t:backup latency=1ms]`);
    expect(nativeText(topology)).toContain('s->t:backup');
    expect(loadTopology(nativeText(topology), 'x.yaml').topology.links.map(({ name }) => name)).toEqual([
      undefined,
      undefined,
      undefined,
      'backup',
    ]);
  });
});
