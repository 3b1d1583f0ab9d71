/**
 * Routing between autonomous systems. The definition is Gao's ("On Inferring Autonomous System Relationships in the Internet",
 * 2001, section III): a path without a valley is links to providers or siblings, then at most one link to a peer, then links to
 * customers or siblings. What of these systems choose is Gao's and Rexford's ("Stable Internet Routing Without Global
 * Coordination", 2001): customers before peers before providers.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromSeconds } from '../../../../proto/units.ts';
import { Folding } from '../../../../topology/fold/fold.ts';
import { expandGraph } from '../../../../topology/fold/graph.ts';
import { nativeText } from '../../../../topology/formats/native/write.ts';
import { loadTopology } from '../../../../topology/load.ts';
import { decodeGraph, encodeGraph } from '../../../../topology/model/graph-json.ts';
import type { Graph, Relationship } from '../../../../topology/model/model.ts';
import { graphAt } from '../../../../topology/timeline/graph-at.ts';
import { errors, load } from '../language/support.ts';

/** `customer`: the second is a customer of the first. */
type Link = readonly [from: string, to: string, relationship: Relationship | 'sibling', latencyMs?: number];

/** Each system is a bridge with one service, whose name is that of the system in capitals. */
function internet(systems: string, links: readonly Link[], rest = ''): string {
  const names = [...systems];
  return `routing: valley-free
services: { ${names.map((name) => `${name.toUpperCase()}: {}`).join(', ')} }
bridges: [${names.join(', ')}]
links:
${names.map((name) => `  - { from: ${name.toUpperCase()}, to: ${name}, latency: 1ms }`).join('\n')}
${links
  .map(([from, to, relationship, latency = 1]) => {
    const what = relationship === 'sibling' ? '' : `, relationship: ${relationship}`;
    return `  - { from: ${from}, to: ${to}, latency: ${latency}ms${what} }`;
  })
  .join('\n')}
${rest}`;
}

const graphOf = (text: string): Graph => expandGraph(load(text).topology);

/** The systems along the path: `a p b`; `none`: there is no path. */
function way(graph: Graph, from: string, to: string): string {
  const number = (name: string): number => graph.endpoints.indexOf(`${name.toUpperCase()}.0`);
  return systemsOf(graph, new Folding(graph).path(number(from), number(to))?.links);
}

function systemsOf(graph: Graph, links: readonly number[] | undefined): string {
  if (!links) return 'none';
  const names = links.map((link) => graph.links[link]!.name.split('->')[1]!);
  return names.slice(0, -1).join(' ');
}

describe('a path without valleys', () => {
  it('does not lead through a customer of both', () => {
    const graph = graphOf(
      internet('abc', [
        ['a', 'c', 'customer'],
        ['b', 'c', 'customer'],
      ]),
    );
    expect(way(graph, 'a', 'b')).toBe('none');
    expect(way(graph, 'a', 'c')).toBe('a c');
    expect(way(graph, 'c', 'b')).toBe('c b');
  });

  it('leads through a provider of both', () => {
    const graph = graphOf(
      internet('abp', [
        ['p', 'a', 'customer'],
        ['b', 'p', 'provider'],
      ]),
    );
    expect(way(graph, 'a', 'b')).toBe('a p b');
    expect(way(graph, 'b', 'a')).toBe('b p a');
  });

  it('crosses one link between peers at the most', () => {
    const graph = graphOf(
      internet('abcd', [
        ['a', 'b', 'peer'],
        ['b', 'c', 'peer'],
        ['c', 'd', 'customer'],
      ]),
    );
    expect(way(graph, 'a', 'b')).toBe('a b');
    expect(way(graph, 'a', 'c')).toBe('none');
    expect(way(graph, 'b', 'd')).toBe('b c d');
    expect(way(graph, 'd', 'b')).toBe('d c b');
    expect(way(graph, 'd', 'a')).toBe('none');
  });

  it('may go on within a system anywhere', () => {
    const graph = graphOf(
      internet('abcde', [
        ['b', 'a', 'customer'],
        ['b', 'c', 'sibling'],
        ['c', 'd', 'peer'],
        ['d', 'e', 'sibling'],
      ]),
    );
    expect(way(graph, 'a', 'e')).toBe('a b c d e');
  });

  it('is that over a customer, though one over a peer or a provider is shorter', () => {
    const links: Link[] = [
      ['a', 'c', 'customer', 50],
      ['c', 'd', 'customer', 50],
      ['a', 'p', 'peer'],
      ['p', 'd', 'customer'],
      ['q', 'a', 'customer'],
      ['q', 'd', 'customer'],
    ];
    expect(way(graphOf(internet('acdpq', links)), 'a', 'd')).toBe('a c d');
    expect(way(graphOf(internet('acdpq', links.slice(2))), 'a', 'd')).toBe('a p d');
    expect(way(graphOf(internet('acdpq', links.slice(4))), 'a', 'd')).toBe('a q d');
  });

  it('is of routes of one kind that over the fewest systems, then of fewest hops, then of least latency', () => {
    const links: Link[] = [
      ['a', 'p', 'provider', 9],
      ['p', 'd', 'customer', 9],
      ['a', 'q', 'provider'],
      ['q', 'r', 'sibling'],
      ['r', 'd', 'customer'],
    ];
    expect(way(graphOf(internet('apqrd', links)), 'a', 'd')).toBe('a p d');
    const direct: Link[] = [...links, ['q', 'd', 'customer']];
    expect(way(graphOf(internet('apqrd', direct)), 'a', 'd')).toBe('a q d');
  });

  it('is of equal ones the first by name, on every host', () => {
    const links: Link[] = [
      ['a', 'q', 'provider'],
      ['a', 'p', 'provider'],
      ['q', 'd', 'customer'],
      ['p', 'd', 'customer'],
    ];
    expect(way(graphOf(internet('aqpd', links)), 'a', 'd')).toBe('a p d');
    const graph = graphOf(internet('aqpd', links));
    expect(way({ ...graph, edges: graph.edges.toReversed() }, 'a', 'd')).toBe('a p d');
  });

  it('changes with the links that are there, and is given by a route whatever the rules say', () => {
    const links: Link[] = [
      ['a', 'c', 'customer'],
      ['c', 'd', 'customer'],
      ['a', 'p', 'peer'],
      ['p', 'd', 'customer'],
    ];
    const { topology } = load(internet('acdp', links, 'events: [at 1s leave c]'));
    expect(way(graphAt(topology, fromSeconds(0)), 'a', 'd')).toBe('a c d');
    expect(way(graphAt(topology, fromSeconds(1)), 'a', 'd')).toBe('a p d');
    const valley: Link[] = [
      ['a', 'c', 'customer'],
      ['b', 'c', 'customer'],
    ];
    expect(way(graphOf(internet('abc', valley, 'routes: [A > a > c > b > B]')), 'a', 'b')).toBe('a c b');
  });

  it('begins and ends at services that are linked to several systems, or to each other', () => {
    const graph = graphOf(`routing: valley-free
services: { x: {}, y: {}, z: {} }
bridges: [p, q]
links:
  - { from: x, to: p, relationship: provider }
  - { from: x, to: q, relationship: provider }
  - { from: p, to: y, relationship: customer }
  - { from: p, to: q, relationship: peer }
  - { from: q, to: z, relationship: customer }
  - { from: y, to: z }
`);
    const names = (from: number, to: number): string =>
      (new Folding(graph).path(from, to)?.links ?? []).map((link) => graph.links[link]!.name).join(' ');
    expect(names(0, 1)).toBe('x.0->p p->y.0');
    expect(names(0, 2)).toBe('x.0->q q->z.0');
    expect(names(1, 2)).toBe('y.0->z.0');
    expect(names(2, 0)).toBe('z.0->q q->x.0');
  });
});

const SYSTEMS = 'abcde';
const PAIRS = [...SYSTEMS].flatMap((a, index) => [...SYSTEMS.slice(index + 1)].map((b) => [a, b] as const));
const KINDS = ['absent', 'customer', 'provider', 'peer', 'sibling'] as const;

describe('on any network of five systems', () => {
  const network = fc
    .array(fc.tuple(fc.constantFrom(...KINDS), fc.constantFrom(1, 2)), {
      minLength: PAIRS.length,
      maxLength: PAIRS.length,
    })
    .map((kinds) =>
      kinds.flatMap(([kind, latency], index): Link[] => {
        const [from, to] = PAIRS[index]!;
        return kind === 'absent' ? [] : [[from, to, kind, latency]];
      }),
    );

  it('paths have no valley, and there is one wherever one could be', () => {
    fc.assert(
      fc.property(network, (links) => {
        const graph = graphOf(internet(SYSTEMS, links));
        for (const from of SYSTEMS)
          for (const to of SYSTEMS) {
            if (from === to) continue;
            const found = way(graph, from, to);
            const possible = valleyFree(links, from, to);
            if (found === 'none') expect(possible).toEqual([]);
            else expect(possible).toContain(found);
          }
      }),
      { seed: 1, numRuns: 150 },
    );
  });

  it('they are those on which BGP settles when each system chooses by itself', () => {
    fc.assert(
      fc.property(network, (links) => {
        const graph = graphOf(internet(SYSTEMS, links));
        for (const to of SYSTEMS) {
          const settled = bgp(links, to);
          for (const from of SYSTEMS)
            if (from !== to) expect(way(graph, from, to)).toBe(settled.get(from)?.join(' ') ?? 'none');
        }
      }),
      { seed: 2, numRuns: 150 },
    );
  });
});

/** What `to` is for `from`. */
function kindOf(links: readonly Link[], from: string, to: string): Relationship | 'sibling' | undefined {
  for (const [a, b, kind] of links) {
    if (a === from && b === to) return kind;
    if (a === to && b === from)
      return kind === 'customer' ? 'provider' : kind === 'provider' ? 'customer' : kind;
  }
  return undefined;
}

/** All simple paths without a valley: up, over one peer at most, down. By the definition, link by link. */
function valleyFree(links: readonly Link[], from: string, to: string): string[] {
  const found: string[] = [];
  const walk = (path: string[], isUphill: boolean): void => {
    const at = path.at(-1)!;
    if (at === to) {
      found.push(path.join(' '));
      return;
    }
    for (const next of SYSTEMS) {
      const kind = path.includes(next) ? undefined : kindOf(links, at, next);
      if (kind === undefined || (!isUphill && (kind === 'provider' || kind === 'peer'))) continue;
      walk([...path, next], isUphill && (kind === 'provider' || kind === 'sibling'));
    }
  };
  walk([from], true);
  return found;
}

/** Every system again and again chooses the best of what its neighbours tell it, until nothing changes. */
function bgp(links: readonly Link[], to: string): Map<string, string[]> {
  const chosen = new Map<string, string[]>([[to, [to]]]);
  const keyOf = (path: readonly string[]): (number | string)[] => {
    const kinds = path.slice(0, -1).map((at, index) => kindOf(links, at, path[index + 1]!)!);
    const first = kinds.find((kind) => kind !== 'sibling') ?? 'customer';
    const latency = path
      .slice(0, -1)
      .reduce((sum, at, index) => sum + latencyOf(links, at, path[index + 1]!), 0);
    const systems = kinds.filter((kind) => kind !== 'sibling').length;
    return [['customer', 'peer', 'provider'].indexOf(first), systems, kinds.length, latency, path[1] ?? ''];
  };
  for (let changes = 1; changes > 0; ) {
    changes = 0;
    for (const system of SYSTEMS) {
      if (system === to) continue;
      const told = [...SYSTEMS].flatMap((neighbour) => {
        const kind = kindOf(links, system, neighbour);
        const path = chosen.get(neighbour);
        if (kind === undefined || !path || path.includes(system)) return [];
        const isOverCustomer = keyOf(path)[0] === 0;
        return kind === 'provider' || kind === 'sibling' || isOverCustomer ? [[system, ...path]] : [];
      });
      const best = told.toSorted((a, b) => compareKeys(keyOf(a), keyOf(b)))[0];
      if (best?.join() === chosen.get(system)?.join()) continue;
      changes++;
      if (best) chosen.set(system, best);
      else chosen.delete(system);
    }
  }
  return chosen;
}

const latencyOf = (links: readonly Link[], from: string, to: string): number =>
  links.find(([a, b]) => (a === from && b === to) || (a === to && b === from))?.[3] ?? 1;

function compareKeys(one: readonly (number | string)[], other: readonly (number | string)[]): number {
  for (const [index, key] of one.entries()) {
    const second = other[index]!;
    if (key !== second) return key < second ? -1 : 1;
  }
  return 0;
}

describe('relationships in a file', () => {
  const TEXT = internet('abp', [
    ['p', 'a', 'customer'],
    ['b', 'p', 'provider'],
  ]);

  it('survive JSON, and being written again, also of links whose directions differ', () => {
    const uneven = TEXT.replace('relationship: provider', 'relationship: provider, up: { loss: 1% }');
    for (const text of [TEXT, uneven]) {
      const { topology } = load(text);
      const graph = expandGraph(topology);
      expect(decodeGraph(JSON.parse(JSON.stringify(encodeGraph(graph))))).toEqual(graph);
      const again = expandGraph(loadTopology(nativeText(topology), 'x.yaml').topology);
      expect(again.links.map(({ name, relationship }) => [name, relationship]).sort()).toEqual(
        graph.links.map(({ name, relationship }) => [name, relationship]).sort(),
      );
    }
  });

  it('are told to have no effect with another routing', () => {
    const { warnings } = load(TEXT.replace('valley-free', 'hops'));
    expect(warnings.map(({ code, message }) => `${code} ${message}`)).toContain(
      'KEY_IGNORED the relationships have no effect: routing is by hops',
    );
  });

  it('are one of three', () => {
    const [error] = errors(TEXT.replace('relationship: customer', 'relationship: friend'));
    expect(error).toMatchObject({ code: 'VALUE_INVALID', line: 8 });
    expect(error!.remedy).toContain('customer, peer or provider');
  });
});
