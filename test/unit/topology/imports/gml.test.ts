import { describe, expect, it } from 'vitest';
import { Findings } from '../../../../topology/model/diagnostics.ts';
import { parseGml } from '../../../../topology/syntax/gml.ts';
import { problems } from '../support.ts';
import { example, imported, linkOf, names, pathOf } from './support.ts';

describe('a network of the Topology Zoo', () => {
  const { format, topology, told } = example('campus.gml');

  it('has its nodes, also those with the same label', () => {
    expect(format).toBe('GML');
    expect(names(topology.services)).toEqual(['Cafe-AT-T', 'Lab', 'lab-2']);
    expect(linkOf(topology, 'Cafe-AT-T-r', 'Lab-r')!.up.bandwidth).toBe(2.5e9);
    expect(linkOf(topology, 'Lab-r', 'lab-2-r')!.up).toMatchObject({ latency: 1000 });
  });

  it('tells of each gap', () => {
    for (const one of [
      /^5 NAME_CHANGED "Café AT&T" is called Cafe-AT-T/,
      /^13 NAME_CHANGED "lab" is called lab-2/,
      /^14 LATENCY_ASSUMED the places are \d+ km apart/,
      /^22 BANDWIDTH_ASSUMED no bandwidth/,
      /^23 LINK_TO_ITSELF/,
      /^10 KEY_IGNORED the attribute "graphics" of 1 node/,
      /^14 KEY_IGNORED the attribute "LinkNote" of 1 edge/,
    ])
      expect(told).toContainEqual(expect.stringMatching(one));
  });
});

describe('a graph of Shadow', () => {
  const { topology, told } = example('paths.gml');

  it('has bandwidths of hosts, latency, jitter and loss', () => {
    expect(pathOf(topology, 'n10', 'n11')).toMatchObject({
      ...{ latency: 50_000, jitter: 1500, loss: 0.01, bandwidth: 18e6 },
    });
    expect(pathOf(topology, 'n11', 'n10')).toMatchObject({ latency: 50_000, bandwidth: 140e6 });
    expect(told.join()).not.toContain('BANDWIDTH_ASSUMED');
  });

  it('is recognised whatever it is called', () => {
    for (const name of ['a.txt', 'a.yaml', 'a', 'a.xml'])
      expect(example('paths.gml', name).format).toBe('GML');
    expect(imported('services: { a: {} }\n', 'x.yaml').format).toBe('YAML');
  });

  it('may be directed', () => {
    const text = 'graph [ directed 1 node [ id 0 ] node [ id 1 ] edge [ source 0 target 1 latency "1 ms" ] ]';
    expect(pathOf(imported(text, 'a.gml').topology, 'n1', 'n0')).toBeUndefined();
  });
});

describe('the grammar', () => {
  const entries = (text: string) => parseGml(text, new Findings('a'));

  it('has numbers, words, texts over several lines with entities, and lists', () => {
    expect(entries('a 1\n#c [ "\nb "x\ny&amp;&#233;&eacute;&nope;"c[d -1.5E+3]e NAN')).toEqual([
      { key: 'a', value: '1', line: 1, column: 1 },
      { key: 'b', value: 'x\ny&éé&nope;', line: 3, column: 1 },
      { key: 'c', value: [{ key: 'd', value: '-1.5E+3', line: 4, column: 30 }], line: 4, column: 28 },
      { key: 'e', value: 'NAN', line: 4, column: 40 },
    ]);
  });

  it.each([
    ['graph [', 1, 7],
    ['graph ]', 1, 1],
    [']', 1, 1],
    ['graph [ node [ id ] ]', 1, 16],
    ['graph [\n  label "x', 2, 9],
    ['graph [ 5 5 ]', 1, 9],
    ['graph [ "a" 5 ]', 1, 9],
    ['a '.repeat(3), 1, 5],
    [`graph ${'[ a '.repeat(100)}`, 1, 135],
  ])('refuses %s', (text, line, column) => {
    const [found] = problems(text, 'a.gml');
    expect(found).toMatchObject({ code: 'GML_SYNTAX', line, column });
  });

  it.each([
    ['Creator "x"', 'NOT_A_TOPOLOGY'],
    ['graph 5', 'NOT_A_TOPOLOGY'],
    ['graph [ ]', 'NO_SERVICES'],
    ['graph [ node [ label "x" ] ]', 'KEY_MISSING'],
    ['graph [ node 5 ]', 'KEY_MISSING'],
    ['graph [ node [ id 1 ] edge [ source 1 ] ]', 'KEY_MISSING'],
    ['graph [ node [ id 1 ] edge [ source 1 target 2 ] ]', 'NAME_UNKNOWN'],
  ])('refuses %s: %s', (text, code) => {
    expect(problems(text, 'a.gml').map((one) => one.code)).toContain(code);
  });
});
