import { describe, expect, it } from 'vitest';
import { problems } from '../support.ts';
import { example, imported, linkOf, names, pathOf } from './support.ts';

const load = (graph: unknown, file = 'a.json') => imported(JSON.stringify(graph), file);
const AB = [{ id: 'a' }, { id: 'b' }];

describe('a network of topohub', () => {
  const { format, topology, told } = example('backbone.json');

  it('has latencies from its distances, or from positions', () => {
    expect(format).toBe('node-link JSON');
    expect(names(topology.services)).toEqual(['Hamburg', 'Munchen', 'Koln']);
    // 612.4 km × 1.5 × 5 µs.
    expect(linkOf(topology, 'Hamburg-r', 'Munchen-r')!.up.latency).toBe(4593);
    const { latency } = linkOf(topology, 'Hamburg-r', 'Koln-r')!.up;
    expect(latency).toBeGreaterThan(2600);
    expect(latency).toBeLessThan(2800);
  });

  it('tells of what it assumes and leaves out', () => {
    for (const one of [
      /^6 UNIT_ASSUMED pos \[10.0, 53.55\] counts as longitude and latitude/,
      /^11 UNIT_ASSUMED dist "612.4" has no unit, and counts as kilometres/,
      /^11 KEY_IGNORED the attribute "ecmp_fwd" of 1 edge/,
      /^4 KEY_IGNORED attributes of the graph as a whole are left out: "name", "demands"/,
    ])
      expect(told).toContainEqual(expect.stringMatching(one));
  });
});

it('a distance that is shorter than the places are apart is none in kilometres', () => {
  const nodes = [
    { id: 'a', lat: 0, lon: 0 },
    { id: 'b', lat: 0, lon: 10 },
  ];
  const { topology, told } = load({ nodes, links: [{ source: 'a', target: 'b', distance: 0.5 }] });
  // 1,112 km apart: 1,500 km of cable.
  expect(linkOf(topology, 'a-r', 'b-r')!.up.latency).toBe(7500);
  expect(told.join()).toContain('VALUE_INVALID the distance of 0.5 km is left out');
});

describe('a graph of NetworkX', () => {
  const { topology, told } = example('overlay.json');

  it('may be directed, with several edges, and units in names', () => {
    const { up, down } = linkOf(topology, 'b-r', 'a-r')!;
    expect(up).toMatchObject({ latency: 4000, bandwidth: 1e9, loss: 0.01 });
    // Of the two from a to b, the second is faster.
    expect(down).toMatchObject({ latency: 2000, bandwidth: 10e6 });
    expect(linkOf(topology, 'b-r', 'c-r')!.up).toMatchObject({ latency: 7000, bandwidth: 8e6 });
    expect(pathOf(topology, 'c', 'a')).toBeUndefined();
    expect(told.join('\n')).toMatch(/LINK_DUPLICATE parallel to the edge in line 9/);
    expect(told.join('\n')).toMatch(/LINK_ONE_WAY/);
    expect(told.join('\n')).toMatch(/"weight" of 1 edge/);
  });

  it('may name nodes by their places, as NetworkX 1 did', () => {
    const { topology, told } = load({ nodes: AB, links: [{ source: 0, target: 1, latency: 5 }] });
    expect(pathOf(topology, 'a', 'b')!.latency).toBe(5000);
    expect(told.join()).toContain('ENDS_ASSUMED');
  });

  it('is recognised whatever it is called, and is not taken for a native file in JSON', () => {
    for (const name of ['a.txt', 'a.yaml', 'a'])
      expect(load({ nodes: AB, edges: [] }, name).format).toBe('node-link JSON');
    const native = {
      services: { nodes: {}, links: {} },
      bridges: ['s'],
      links: [{ from: 'nodes', to: 's' }],
    };
    expect(load(native).format).toBe('YAML');
  });

  it('may have pos that are none', () => {
    const nodes = [
      { id: 'a', pos: [1, 2, 3] },
      { id: 'b', pos: 'x', lat: null },
    ];
    const { topology, told } = load({ nodes, links: [{ source: 'a', target: 'b' }] });
    expect(linkOf(topology, 'a-r', 'b-r')!.up.latency).toBe(1000);
    expect(told.join()).toContain('"pos"');
  });
});

describe('what is no graph is refused with its place', () => {
  it.each([
    ['{"nodes":[],"links":[]}', 'NO_SERVICES'],
    ['{"nodes":[5],"links":[]}', 'VALUE_INVALID'],
    ['{"nodes":[{"id":[1,2]}],"links":[]}', 'VALUE_INVALID'],
    ['{"nodes":[{"id":1},{"id":"1"}],"links":[]}', 'NAME_DUPLICATE'],
    ['{"nodes":[{"id":1}],"links":[{"source":1}]}', 'KEY_MISSING'],
    ['{"nodes":[{"id":1}],"links":[{"source":1,"target":7}]}', 'NAME_UNKNOWN'],
    ['{"nodes":[{"id":1}],"links":[] ', 'JSON_SYNTAX'],
    ['{"nodes":[{"id":1},],"links":[]}', 'JSON_SYNTAX'],
    ['{"nodes":[{"id":1,"id":2}],"links":[]}', 'JSON_SYNTAX'],
    ['{"nodes":[{"id":"\\x"}],"links":[]}', 'JSON_SYNTAX'],
    ['{"nodes":[{"id":"a\n"}],"links":[]}', 'JSON_SYNTAX'],
    ['{"nodes":[{"id":1}],"links":[]} 5', 'JSON_SYNTAX'],
    [`{"nodes":[${'['.repeat(100)}],"links":[]}`, 'JSON_SYNTAX'],
  ])('%s', (text, code) => {
    const found = problems(text, 'a.json');
    expect(found.map((one) => one.code)).toContain(code);
    for (const { line, column } of found) expect(line * column).toBeGreaterThan(0);
  });

  it('at the line and column of the mistake', () => {
    const text = '{\n  "nodes": [{ "id": "a\\u00e9\\n" }],\n  "links": [ 5,\n    tru ]\n}';
    expect(problems(text, 'a.json')[0]).toMatchObject({ code: 'JSON_SYNTAX', line: 4, column: 5 });
  });
});
