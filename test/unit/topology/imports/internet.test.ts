/** Maps of the Internet and generated networks: SNDlib native, CAIDA, Rocketfuel, GT-ITM. */
import { describe, expect, it } from 'vitest';
import { problems } from '../support.ts';
import { example, imported, linkOf, names, pathOf } from './support.ts';

describe("a network in SNDlib's native format", () => {
  it('has places, and capacities in its unit', () => {
    const { format, topology, told } = example('ring.sndlib', 'x.txt');
    expect(format).toBe('SNDlib native');
    expect(names(topology.services)).toEqual(['Bern', 'Zurich', 'Far']);
    expect(linkOf(topology, 'Bern-r', 'Zurich-r')!.up).toMatchObject({ latency: 715, bandwidth: 10e9 });
    expect(linkOf(topology, 'Zurich-r', 'Far-r')!.up.bandwidth).toBe(40e9);
    for (const one of [
      /^13 KEY_IGNORED "812.0 47.38" are no degrees/,
      /^19 BANDWIDTH_ASSUMED nothing is installed/,
      /"DEMANDS"/,
    ])
      expect(told).toContainEqual(expect.stringMatching(one));
  });

  it('may have neither', () => {
    const { topology, told } = example('plain.sndlib.txt');
    expect(linkOf(topology, 'A-r', 'B-r')!.up).toMatchObject({ latency: 1_000, bandwidth: 155e6 });
    expect(told).toContainEqual(expect.stringMatching(/UNIT_ASSUMED no unit of capacities/));
  });

  it.each([
    ['NODES (\n A B\n)', 'VALUE_INVALID'],
    ['NODES (\n A\n)\nLINKS (\n x A B\n)', 'VALUE_INVALID'],
    ['NODES (\n A\n)\nLINKS (\n x ( A B ) 1\n)', 'NAME_UNKNOWN'],
    ['META (\n)', 'NO_SERVICES'],
  ])('refuses %s', (text, code) => {
    expect(problems(text, 'a.sndlib')[0]!.code).toBe(code);
  });
});

describe("CAIDA's relationships", () => {
  it('are links of which paths have no valley', () => {
    const { format, topology, told } = example('transit.as-rel.txt', 'x.txt');
    expect(format).toBe('CAIDA AS relationships');
    expect(topology.routing).toBe('valley-free');
    expect(names(topology.services)).toEqual(['AS64496', 'AS64497', 'AS64498', 'AS64499']);
    expect(pathOf(topology, 'AS64496', 'AS64499')!.hops).toBe(4);
    expect(linkOf(topology, 'AS64496-r', 'AS64497-r')!.relationship).toBe('customer');
    expect(linkOf(topology, 'AS64497-r', 'AS64498-r')!.relationship).toBe('peer');
    expect(told.filter((line) => line.includes('KEY_IGNORED'))).toEqual([]);
  });

  it('keep a customer from carrying what its providers send each other', () => {
    const { topology } = example('peers.as-rel2.txt');
    expect(names(topology.services)).toEqual(['AS64500', 'AS64501', 'AS64502']);
    // Peers, though a way over their customer would be there as well.
    expect(pathOf(topology, 'AS64500', 'AS64501')!.hops).toBe(3);
    const { topology: apart } = imported('64500|64502|-1\n64501|64502|-1\n', 'a.as-rel.txt');
    expect(pathOf(apart, 'AS64500', 'AS64501')).toBeUndefined();
    expect(pathOf(apart, 'AS64502', 'AS64501')!.hops).toBe(3);
  });

  it('of files up to 2007 name the customer first, and may be of siblings', () => {
    const { topology } = imported('1|2|-1\n2|1|1\n2|3|2\n3|2|2\n', 'as-rel.20070101.txt');
    expect(linkOf(topology, 'AS1-r', 'AS2-r')!.relationship).toBe('provider');
    expect(linkOf(topology, 'AS2-r', 'AS3-r')!.relationship).toBeUndefined();
    expect(pathOf(topology, 'AS1', 'AS3')!.hops).toBe(4);
  });

  it.each([
    ['1|2|-1\n1|2', 'VALUE_INVALID'],
    ['1|2|7', 'VALUE_INVALID'],
    ['# nothing', 'NO_SERVICES'],
  ])('refuse %s', (text, code) => {
    expect(problems(text, 'a.as-rel.txt')[0]!.code).toBe(code);
  });
});

describe('a map of Rocketfuel', () => {
  it('has routers at places, each link once', () => {
    const { format, topology, told } = example('isp.cch', 'x.txt');
    expect(format).toBe('Rocketfuel');
    expect(names(topology.services)).toEqual(['Bern-CH', 'Zurich-CH', 'Geneve-CH']);
    expect(topology.links).toHaveLength(6);
    expect(told).toContainEqual(expect.stringMatching(/^2 LINK_LEFT_OUT links to routers of other networks/));
    expect(told).toContainEqual(expect.stringMatching(/^4 LINK_LEFT_OUT routers of other networks/));
  });

  it('may have places with latencies', () => {
    const { topology } = example('latencies.intra');
    expect(linkOf(topology, 'Zurich-CH-r', 'Geneve-CH-r')!.up.latency).toBe(2_100);
  });

  it.each([
    ['1 @a (1) -> <2>', 'a.cch', 'NAME_UNKNOWN'],
    ['1 @a (0)\n1 @b (0)', 'a.cch', 'NAME_DUPLICATE'],
    ['one two three', 'a.cch', 'VALUE_INVALID'],
    ['a b 5', 'weights.intra', 'VALUE_INVALID'],
  ])('refuses %s in %s', (text, file, code) => {
    expect(problems(text, file)[0]!.code).toBe(code);
  });
});

describe('a network of GT-ITM', () => {
  it('has lengths, which count as milliseconds', () => {
    const { format, topology, told } = example('stub.alt', 'x.txt');
    expect(format).toBe('GT-ITM');
    expect(names(topology.services)).toEqual(['T-0-0', 'T-0-1', 'S-0-0-0-0', 'S-0-1-0-0']);
    expect(pathOf(topology, 'S-0-0-0-0', 'S-0-1-0-0')!.latency).toBe(32_000);
    expect(told).toContainEqual(
      expect.stringMatching(/^11 UNIT_ASSUMED the length "20" counts as milliseconds/),
    );
    expect(names(example('flat.alt').topology.services)).toEqual(['n0', 'n1', 'n2']);
  });

  it.each([
    ['* GraphBase graph (util_types', 'NOT_A_TOPOLOGY'],
    ['GRAPH (#nodes #edges', 'NOT_A_TOPOLOGY'],
    ['VERTICES (x\na b', 'VALUE_INVALID'],
    ['VERTICES (x\n0 a\nEDGES (x\n0', 'VALUE_INVALID'],
    ['VERTICES (x\n0 a\nEDGES (x\n0 1 5', 'NAME_UNKNOWN'],
    ['VERTICES (x\n0 a\n1 b\nEDGES (x\n0 1 far', 'UNIT'],
  ])('refuses %s', (text, code) => {
    expect(problems(text, 'a.alt')[0]!.code).toBe(code);
  });
});
