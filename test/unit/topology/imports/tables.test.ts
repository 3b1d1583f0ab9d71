import { describe, expect, it } from 'vitest';
import { problems } from '../support.ts';
import { example, imported, linkOf, names, pathOf } from './support.ts';

describe("a network of SNDlib's", () => {
  const { format, topology, told } = example('ring.sndlib.xml');

  it('has its places, and capacities in its unit', () => {
    expect(format).toBe('SNDlib XML');
    expect(names(topology.services)).toEqual(['Berlin', 'Leipzig', 'Frankfurt-Main']);
    const first = linkOf(topology, 'Berlin-r', 'Leipzig-r')!;
    // 149 km × 1.5 × 5 µs.
    expect(first.up.latency).toBeGreaterThan(1050);
    expect(first.up.latency).toBeLessThan(1180);
    expect(first.up.bandwidth).toBe(10e9);
    expect(linkOf(topology, 'Leipzig-r', 'Frankfurt-Main-r')!.up.bandwidth).toBe(2.5e9);
    expect(linkOf(topology, 'Frankfurt-Main-r', 'Berlin-r')!.down!.bandwidth).toBe(Number.POSITIVE_INFINITY);
  });

  it('tells of what is assumed and left out', () => {
    for (const one of [
      /^9 NAME_CHANGED "Frankfurt Main"/,
      /^13 BANDWIDTH_ASSUMED nothing is installed: the first possible module, "2.5"/,
      /^14 BANDWIDTH_ASSUMED no bandwidth/,
      /^13 KEY_IGNORED the attribute "setupCost" of 1 edge/,
      /^17 KEY_IGNORED attributes of the graph as a whole are left out: "demands"/,
    ])
      expect(told).toContainEqual(expect.stringMatching(one));
  });

  it('may have no unit, and positions that are none on earth', () => {
    const { format, topology, told } = example('plane.xml');
    expect(format).toBe('SNDlib XML');
    expect(linkOf(topology, 'N1-r', 'N2-r')!.up).toMatchObject({ latency: 1000, bandwidth: 155e6 });
    expect(told.join('\n')).toContain('UNIT_ASSUMED no unit of capacities is given');
    expect(told.join('\n')).toContain('KEY_IGNORED coordinates are no degrees');
    const other = imported(
      '<network><meta><unit>FURLONGS</unit></meta><networkStructure><nodes><node id="a"/></nodes></networkStructure></network>',
      'a.xml',
    );
    expect(other.told.join()).toContain('the unit "FURLONGS" is unknown');
  });

  it.each([
    ['<network><networkStructure/></network>', 'NO_SERVICES'],
    ['<network/>', 'NOT_A_TOPOLOGY'],
    ['<network><networkStructure><nodes><node/></nodes></networkStructure></network>', 'KEY_MISSING'],
    [
      '<network><networkStructure><nodes><node id="a"/></nodes><links><link id="x"><source>a</source></link></links></networkStructure></network>',
      'KEY_MISSING',
    ],
  ])('refuses %s: %s', (text, code) => {
    expect(problems(text, 'a.sndlib.xml').map((one) => one.code)).toContain(code);
  });
});

describe("a topology of BRITE's", () => {
  const { format, topology, told } = example('waxman.brite');

  it('has delays in milliseconds and bandwidths in Mbit/s, also one-way edges', () => {
    expect(format).toBe('BRITE');
    expect(names(topology.bridges)).toEqual(['n0-r', 'n1-r', 'n2-r', 'n3-r']);
    expect(linkOf(topology, 'n0-r', 'n1-r')!.up).toMatchObject({ latency: 217, bandwidth: 10e6 });
    expect(linkOf(topology, 'n3-r', 'n0-r')).not.toHaveProperty('down');
    expect(linkOf(topology, 'n3-r', 'n0-r')!.up.latency).toBe(1000);
    expect(pathOf(example('as.brite', 'as.txt').topology, 'n7', 'n9')).toMatchObject({
      ...{ latency: 2500, bandwidth: 45e6 },
    });
    expect(told.join('\n')).toContain('KEY_IGNORED positions are on a plane');
  });

  it.each([
    ['Nodes: (1)\nx y', 'VALUE_INVALID'],
    ['Nodes: (1)\n0 1 1\nEdges: (1)\n0 0', 'VALUE_INVALID'],
    ['Nodes: (1)\n0 1 1\nEdges: (1)\n0 0 5 1 1 1', 'NAME_UNKNOWN'],
    ['Nodes: (2)\n0\n1\nEdges: (1)\n0 0 1 1 soon 1', 'UNIT'],
    ['nothing of it', 'NOT_A_TOPOLOGY'],
    ['Edges: (0)', 'NO_SERVICES'],
  ])('refuses %s: %s', (text, code) => {
    expect(problems(text, 'a.brite').map((one) => one.code)).toContain(code);
  });
});

describe('a matrix of round trips', () => {
  const { format, topology, told } = example('regions.csv');

  it('is a link between any two places, half of the round trip each way', () => {
    expect(format).toBe('latency matrix');
    expect(names(topology.services)).toEqual(['eu-west-1', 'us-east-1', 'ap-southeast-2']);
    const way = (from: string, to: string) => pathOf(topology, from, to)!.latency;
    expect([way('eu-west-1', 'us-east-1'), way('us-east-1', 'eu-west-1')]).toEqual([34_200, 35_050]);
    expect([way('us-east-1', 'ap-southeast-2'), way('ap-southeast-2', 'us-east-1')]).toEqual([
      99_125, 99_500,
    ]);
    // A detour over the others would be shorter, and nobody forwards.
    expect([way('eu-west-1', 'ap-southeast-2'), way('ap-southeast-2', 'eu-west-1')]).toEqual([
      127_500, 127_500,
    ]);
  });

  it('tells of what is assumed and left out', () => {
    for (const one of [
      /^2 UNIT_ASSUMED "68.4" counts as a round trip in milliseconds/,
      /^2 KEY_IGNORED the round trip within "eu-west-1" is left out/,
      /^4 LATENCY_ASSUMED only one of the two round trips between eu-west-1 and ap-southeast-2/,
    ])
      expect(told).toContainEqual(expect.stringMatching(one));
  });

  it('may have its columns in another order, quotes and semicolons', () => {
    const { topology, told } = example('cities.csv');
    expect(names(topology.services)).toEqual(['Berlin-Mitte', 'Sao-Paulo']);
    expect(linkOf(topology, 'Berlin-Mitte', 'Sao-Paulo')).toMatchObject({
      ...{ up: { latency: 100_750 }, down: { latency: 101_500 } },
    });
    expect(told.join('\n')).toContain('NAME_CHANGED');
    const gap = imported(',a,b\na,,-\nb,,', 'a.csv');
    expect(gap.topology.links).toEqual([]);
    expect(gap.told.join()).toContain('LINK_LEFT_OUT there is no round trip between a and b');
  });

  it.each([
    ['a', 'NOT_A_TOPOLOGY'],
    [',a,b\na,1,2', 'VALUE_INVALID'],
    [',a,b\na,1,2\nb,1', 'VALUE_INVALID'],
    [',a,b\na,1,2\nc,1,2', 'NAME_UNKNOWN'],
    [',a,a\na,1,2\na,1,2', 'NAME_UNKNOWN'],
    [',a,b\na,1,fast\nb,1,2', 'UNIT'],
    [',a,b\na,1,"2\nb,1,2', 'VALUE_INVALID'],
  ])('refuses %s: %s', (text, code) => {
    const found = problems(text, 'a.csv');
    expect(found.map((one) => one.code)).toContain(code);
  });
});
