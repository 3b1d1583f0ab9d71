import { describe, expect, it } from 'vitest';
import { distanceKm, latencyOfDistance, routeKm } from '../../../../topology/networks/distance.ts';
import { problems } from '../support.ts';
import { example, imported, linkOf, names, pathOf } from './support.ts';

const graphml = (keys: string, graph: string, directed = 'undirected'): string =>
  `<graphml>${keys}<graph edgedefault="${directed}">${graph}</graph></graphml>`;
const EDGE_KEYS = ['latency', 'jitter', 'packet_loss', 'bandwidth', 'dist', 'weight', 'LinkLabel']
  .map((name) => `<key id="${name}" for="edge" attr.name="${name}"/>`)
  .join('');
const edge = (data: Readonly<Record<string, string>>, attributes = ''): string => {
  const all = Object.entries(data).map(([key, value]) => `<data key="${key}">${value}</data>`);
  return graphml(
    EDGE_KEYS,
    `<node id="a"/><node id="b"/><edge source="a" target="b" ${attributes}>${all.join('')}</edge>`,
  );
};
const linkWith = (data: Readonly<Record<string, string>>) =>
  linkOf(imported(edge(data), 'a.graphml').topology, 'a-r', 'b-r');
const told = (data: Readonly<Record<string, string>>): string[] =>
  imported(edge(data), 'a.graphml').told.map((line) => line.replace(/^\d+ /, ''));

describe('a network of the Topology Zoo', () => {
  const { format, topology, told } = example('research-network.graphml');

  it('has an endpoint at each node, on a bridge that is called after it', () => {
    expect(format).toBe('GraphML');
    expect(names(topology.services)).toEqual(['Zurich', 'Geneve', 'Lisboa', 'Lodz', 'Lodz-2', 'Reykjavik']);
    expect(names(topology.bridges)).toEqual([
      ...['Zurich-r', 'Geneve-r', 'Lisboa-r', 'Lodz-r', 'Lodz-2-r', 'n5-r', 'Reykjavik-r'],
    ]);
    expect(linkOf(topology, 'Zurich', 'Zurich-r')!.up).toMatchObject({ latency: 0 });
    expect(topology.services.every(({ forward }) => !forward)).toBe(true);
  });

  it('has latencies from coordinates, and bandwidths from numbers and from texts', () => {
    const zurich = linkOf(topology, 'Zurich-r', 'Geneve-r')!;
    // 224 km, half as long again by cable, 5 µs for each.
    expect(zurich.up.latency).toBeGreaterThan(1600);
    expect(zurich.up.latency).toBeLessThan(1750);
    expect(zurich.up.bandwidth).toBe(10e9);
    expect(zurich.down).toEqual(zurich.up);
    expect(linkOf(topology, 'Geneve-r', 'Lisboa-r')!.up.bandwidth).toBe(2.5e9);
    expect(linkOf(topology, 'Zurich-r', 'Lodz-r')!.up.bandwidth).toBe(Number.POSITIVE_INFINITY);
    // One has no coordinates.
    expect(linkOf(topology, 'Lodz-r', 'Lodz-2-r')!.up).toMatchObject({ latency: 1000, bandwidth: 1e9 });
  });

  it('tells of each gap with its line', () => {
    const expected = [
      /^16 NAME_CHANGED "Zürich" is called Zurich here/,
      /^20 NAME_CHANGED "Łódź" is called Lodz-2 here/,
      /^23 LATENCY_ASSUMED the places are 22\d km apart: the latency is 1\.\d+ms/,
      /^24 LINK_DUPLICATE parallel to the edge in line 23/,
      /^25 BANDWIDTH_ASSUMED "2.5 Gbps leased" counts as a bandwidth of 2.5Gbps/,
      /^26 BANDWIDTH_ASSUMED no bandwidth is given/,
      /^27 LATENCY_ASSUMED neither a latency nor a distance nor both places are given: the latency is 1ms/,
      /^28 LINK_TO_ITSELF /,
      /^16 KEY_IGNORED the attribute "Internal" of 6 nodes is left out/,
      /^15 KEY_IGNORED attributes of the graph as a whole are left out: "Network"/,
      /^22 SERVICE_ISOLATED Reykjavik can't reach/,
    ];
    for (const one of expected) expect(told).toContainEqual(expect.stringMatching(one));
    // The first of a kind is told in full, of the others the lines.
    expect(told).toContainEqual(
      expect.stringMatching(/^2\d LATENCY_ASSUMED latencies from coordinates: also in lines 2\d/),
    );
  });

  it('is recognised whatever it is called', () => {
    for (const name of ['a.xml', 'a.txt', 'a', 'a.yaml'])
      expect(example('research-network.graphml', name).format).toBe('GraphML');
  });
});

describe("Shadow's attributes", () => {
  const { topology, told } = example('onion.graphml');

  it('give hosts their bandwidths, each direction its own, also by default', () => {
    const access = (name: string) => {
      const { up, down } = linkOf(topology, name, `${name}-r`)!;
      return [up.bandwidth, down!.bandwidth];
    };
    expect(access('relay')).toEqual([1e9, 81920 * 1024]);
    expect(access('client')).toEqual([10e6, 50e6]);
    expect(access('server')).toEqual([10e6, Number.POSITIVE_INFINITY]);
  });

  it('give paths their latency, jitter and loss, each direction its own', () => {
    const { up, down } = linkOf(topology, 'client-r', 'relay-r')!;
    expect(up).toMatchObject({ latency: 20_000, jitter: 2000, loss: 0.01 });
    expect(down).toMatchObject({ latency: 30_000, jitter: 0, loss: 0 });
    expect(pathOf(topology, 'server', 'client')).toMatchObject({ latency: 37_500, bandwidth: 10e6 });
    // Edges have no bandwidth there, so none is missing.
    expect(told.join()).not.toContain('BANDWIDTH_ASSUMED');
  });

  it('and a hyperedge is a bridge, at half of its latency', () => {
    expect(pathOf(topology, 'relay', 'exit')).toMatchObject({ latency: 20_000, hops: 4 });
    expect(told).toContainEqual(expect.stringMatching(/LINK_LEFT_OUT an edge among 3 nodes becomes/));
    expect(names(topology.services)).not.toContain('hyperedge-1');
  });
});

describe('an attribute of an edge', () => {
  it('has an effect', () => {
    expect(linkWith({ latency: '10' })!.up.latency).toBe(10_000);
    expect(linkWith({ latency: '5 us' })!.up.latency).toBe(5);
    expect(linkWith({ latency: '1 ms', jitter: '0.25' })!.up.jitter).toBe(250);
    expect(linkWith({ packet_loss: '2%' })!.down!.loss).toBe(0.02);
    expect(linkWith({ bandwidth: '10 Mbps' })!.up.bandwidth).toBe(10e6);
    expect(linkWith({ bandwidth: '5000' })!.up.bandwidth).toBe(5000);
    expect(linkWith({ dist: '100' })!.up.latency).toBe(750);
    expect(linkWith({ latency: '3', dist: '100' })!.up.latency).toBe(3000);
    expect(linkWith({ LinkLabel: '34 Mb/s' })!.up.bandwidth).toBe(34e6);
    expect(linkWith({ LinkLabel: '34' })!.up.bandwidth).toBe(Number.POSITIVE_INFINITY);
  });

  it('is told where its unit is assumed, where it is left out, and where it is not kept', () => {
    expect(told({ latency: '10' })).toContain(
      'UNIT_ASSUMED latency "10" has no unit, and counts as milliseconds',
    );
    expect(told({ latency: '10 ms', bandwidth: '1 Gbps' })).toEqual([]);
    expect(told({ dist: '9' }).join()).toMatch(/dist "9" has no unit, and counts as kilometres/);
    expect(told({ dist: '-9' }).join()).toMatch(/VALUE_INVALID dist "-9" is no distance/);
    expect(told({ weight: '9' }).join()).toMatch(/KEY_IGNORED the attribute "weight" of 1 edge is left out/);
    expect(told({ bandwidth: '400 Gbps' }).join()).toMatch(/VALUE_CLAMPED 400Gbps is more than/);
    expect(linkWith({ bandwidth: '400 Gbps' })!.up.bandwidth).toBe(100e9);
    expect(told({ bandwidth: 'much' }).join()).toMatch(/VALUE_INVALID bandwidth "much" is no rate/);
    expect(told({ latency: '0.0001' }).join()).toMatch(/UNIT latency "0.0001" is rounded/);
  });

  it.each([
    [{ latency: 'soon' }, /latency "soon" is no time/],
    [{ latency: '-3' }, /is no time/],
    [{ packet_loss: '7' }, /packet_loss "7" is no probability/],
    [{ jitter: 'x' }, /jitter "x" is no time/],
  ])('%o is an error', (data, message) => {
    expect(
      problems(edge(data), 'a.graphml')
        .map((one) => one.message)
        .join(),
    ).toMatch(message);
  });

  it('may be directed by itself', () => {
    const { topology, told } = imported(edge({ latency: '1 ms' }, 'directed="true"'), 'a.graphml');
    expect(linkOf(topology, 'a-r', 'b-r')).not.toHaveProperty('down');
    expect(told.join()).toContain('LINK_ONE_WAY');
    expect(pathOf(topology, 'b', 'a')).toBeUndefined();
  });
});

describe('parallel edges', () => {
  it('are the one that a path takes, in each direction', () => {
    const two = (first: string, second: string) =>
      imported(graphml(EDGE_KEYS, `<node id="a"/><node id="b"/>${first}${second}`, 'directed'), 'a.graphml')
        .topology;
    const way = (from: string, to: string, ms: number, rest = ''): string =>
      `<edge source="${from}" target="${to}" ${rest}><data key="latency">${ms} ms</data></edge>`;
    const slow = two(way('a', 'b', 9, 'directed="false"'), way('a', 'b', 2));
    expect(pathOf(slow, 'a', 'b')!.latency).toBe(2000);
    expect(pathOf(slow, 'b', 'a')!.latency).toBe(9000);
    const fast = two(way('a', 'b', 9), way('a', 'b', 9));
    expect(fast.links.filter(({ from }) => from === 'a-r')).toHaveLength(1);
  });
});

describe('what is no network is refused with its place', () => {
  it.each([
    ['<graphml><graph/></graphml>', 'NO_SERVICES'],
    ['<graphml></graphml>', 'NO_SERVICES'],
    [graphml('', '<node id="a"/><edge source="a" target="b"/>'), 'NAME_UNKNOWN'],
    [graphml('', '<node id="a"/><node id="a"/>'), 'NAME_DUPLICATE'],
    [graphml('', '<node/>'), 'KEY_MISSING'],
    [graphml('', '<node id="a"/><edge source="a"/>'), 'KEY_MISSING'],
    [graphml('<key/>', '<node id="a"/>'), 'KEY_MISSING'],
    ['<graphml><graph>', 'XML_SYNTAX'],
    ['<!DOCTYPE graphml [<!ENTITY a "b">]><graphml/>', 'XML_ENTITY'],
    [edge({ LinkLabel: '&bomb;' }), 'XML_ENTITY'],
    ['<html/>', 'NOT_A_TOPOLOGY'],
    ['services: {}', 'XML_SYNTAX'],
  ])('%s', (text, code) => {
    const found = problems(text, 'a.graphml');
    expect(found.map((one) => one.code)).toContain(code);
    for (const { line, column } of found) expect(line * column).toBeGreaterThan(0);
  });
});

describe('the form of a file', () => {
  it('may have prefixes, graphs in nodes, further graphs and unknown elements', () => {
    const text = `<?xml version="1.0"?><g:graphml xmlns:g="x"><g:graph><g:node id="a"><g:graph><g:node id="b"/></g:graph></g:node>
      <g:edge source="a" target="b"/><g:port/></g:graph><g:graph/></g:graphml>`;
    const { topology, told } = imported(text, 'a.xml');
    expect(names(topology.services)).toEqual(['b']);
    expect(names(topology.bridges)).toEqual(['a-r', 'b-r']);
    for (const code of [
      'KEY_UNKNOWN this element',
      'KEY_IGNORED a second graph',
      'KEY_IGNORED the graph in it',
    ])
      expect(told.join('\n')).toContain(code);
  });

  it('may leave out coordinates, or have impossible ones', () => {
    const keys = ['Latitude', 'Longitude'].map(
      (name) => `<key id="${name}" for="node" attr.name="${name}"/>`,
    );
    const node = (id: string, latitude: string): string =>
      `<node id="${id}"><data key="Latitude">${latitude}</data><data key="Longitude">0</data></node>`;
    const text = graphml(keys.join(''), `${node('a', '91')}${node('b', '')}<edge source="a" target="b"/>`);
    const { topology, told } = imported(text, 'a.graphml');
    expect(linkOf(topology, 'a-r', 'b-r')!.up.latency).toBe(1000);
    expect(told.join('\n')).toContain('VALUE_INVALID "91" is no latitude');
  });

  it('may have names of any kind, which become host names of their own', () => {
    const labels = ['localhost', 'a.b', '7', '---', '日本', 'x'.repeat(300), 'A', 'a', 'a-r', ''];
    const nodes = labels.map((label, index) => `<node id="${index}"><data key="l">${label}</data></node>`);
    const { topology } = imported(
      graphml('<key id="l" for="node" attr.name="label"/>', nodes.join('')),
      'a.graphml',
    );
    expect(names(topology.services)).toEqual([
      ...['localhost-2', 'a-b', 'n7', 'n', 'n-2', 'x'.repeat(38), 'A', 'a-2', 'a-r-2', 'n9'],
    ]);
  });
});

describe('latency from a distance', () => {
  it('follows the length of cables', () => {
    const equator = (longitude: number) => ({ latitude: 0, longitude });
    expect(distanceKm(equator(0), equator(1))).toBeCloseTo(111.195, 2);
    expect(distanceKm(equator(-90), equator(90))).toBeCloseTo(Math.PI * 6371.009, 6);
    expect([100, 1000, 1100, 1200, 2000].map(routeKm)).toEqual([150, 1500, 1500, 1500, 2500]);
    expect([0, 100, 2000].map(latencyOfDistance)).toEqual([0, 750, 12_500]);
  });
});
