import { describe, expect, it } from 'vitest';
import { Folding } from '../../../../topology/fold/fold.ts';
import { expandGraph } from '../../../../topology/fold/graph.ts';
import type { Topology } from '../../../../topology/model/model.ts';
import { errors, load, placeOf } from './support.ts';

/** One-way latency in ms of each path between the first replicas. */
function latencies(topology: Topology): Record<string, number> {
  const graph = expandGraph(topology);
  const folding = new Folding(graph);
  const first = graph.endpoints.flatMap((name, index) => (name.endsWith('.0') ? [index] : []));
  return Object.fromEntries(
    first.flatMap((from) =>
      first.flatMap((to) => {
        const path = folding.path(from, to);
        return path ? [[`${graph.endpoints[from]}>${graph.endpoints[to]}`, path.latency / 1000]] : [];
      }),
    ),
  );
}

const THREE = 'services: { a: {}, b: {}, c: {} }\n';

describe('a matrix', () => {
  it('halves round trips, and keeps what differs by direction and what a detour would shorten', () => {
    const { topology, warnings } = load(
      `${THREE}matrix:\n  rtt:\n    a: { b: 40ms, c: 60ms }\n    b: { a: 44ms, c: 120ms }\n`,
    );
    expect(latencies(topology)).toEqual({
      'a.0>b.0': 20,
      'b.0>a.0': 22,
      'a.0>c.0': 30,
      'c.0>a.0': 30,
      'b.0>c.0': 60,
      'c.0>b.0': 60,
    });
    expect(warnings).toEqual([]);
  });

  it('has groups, whose members share its bandwidth', () => {
    const { topology } = load(
      'services: { web: { replicas: 2 }, db: {}, x: {} }\nmatrix:\n  groups: { eu: [web, db], us: x }\n  rtt: { eu: { us: 70ms, eu: 1ms } }\n  bandwidth: 1Gbps\n  jitter: { us: { eu: 2ms } }\n  loss: 0.5%\n',
    );
    const graph = expandGraph(topology);
    const path = (from: string, to: string) =>
      new Folding(graph).path(graph.endpoints.indexOf(from), graph.endpoints.indexOf(to))!;
    expect(path('web.0', 'x.0')).toMatchObject({
      latency: 35_000,
      bandwidth: 1e9,
      loss: 0.005,
      jitter: 2_000,
    });
    expect(path('web.0', 'web.1')).toMatchObject({ latency: 500, bandwidth: Number.POSITIVE_INFINITY });
    expect(path('web.0', 'x.0').links[1]).toBe(path('db.0', 'x.0').links[1]);
  });

  it.each([
    ['rtt: r.csv', { 'lab/r.csv': 'x,a,b\na,0,68.4\nb,70.1,0\n' }, ['UNIT_ASSUMED']],
    ['rtt: r.json', { 'lab/r.json': '{"a": {"b": 68.4}, "b": {"a": "70.1ms"}}' }, ['UNIT_ASSUMED']],
    ['rtt: |\n    x,a,b\n    a,,68.4ms\n    b,70.1ms,', {}, []],
    ['latency: { a: { b: 34.2ms }, b: { a: 35.05ms } }', {}, []],
  ])('%s is a table', (rtt, files, codes) => {
    const { topology, warnings } = load(`services: { a: {}, b: {} }\nmatrix:\n  ${rtt}\n`, { files });
    expect(latencies(topology)).toEqual({ 'a.0>b.0': 34.2, 'b.0>a.0': 35.05 });
    expect(warnings.map(({ code }) => code)).toEqual(codes);
  });

  it('has variables, and tables with more places than groups', () => {
    const { topology } = load(
      'vars: { far: 90ms }\nservices: { "a[1..2]": {}, b: {} }\nmatrix:\n  groups: { eu: "a[1..2]", us: b }\n  rtt: { eu: { us: "${far}", ap: 300ms }, us: { ap: 1ms } }\n',
    );
    expect(latencies(topology)).toEqual({
      'a1.0>b.0': 45,
      'b.0>a1.0': 45,
      'a2.0>b.0': 45,
      'b.0>a2.0': 45,
      'a1.0>a2.0': 0,
      'a2.0>a1.0': 0,
    });
  });

  it('tells pairs without a value', () => {
    const { warnings } = load(`${THREE}matrix: { rtt: { a: { b: 1ms }, c: {} } }`);
    expect(warnings.map(({ code }) => code)).toEqual(expect.arrayContaining(['LINK_LEFT_OUT']));
  });

  it.each([
    ['rtt: { a: { b: 10 } }', {}, 'lab/main.yaml:3:18 UNIT'],
    ['rtt: { a: { b: 10ms }, x: {} }', {}, 'lab/main.yaml:2:1 NAME_UNKNOWN'],
    ['rtt: r.csv', {}, 'lab/main.yaml:3:8 INCLUDE'],
    ['rtt: ../r.csv', {}, 'lab/main.yaml:3:8 INCLUDE'],
    ['rtt: r.csv', { 'lab/r.csv': 'x,a,b\na,,1\n' }, 'lab/r.csv:1:1 MATRIX'],
    ['rtt: r.csv', { 'lab/r.csv': 'x,a,b\na,,1\nc,1,\n' }, 'lab/r.csv:3:1 MATRIX'],
    ['rtt: r.csv', { 'lab/r.csv': 'x,a,b\na,,fast\nb,1,\n' }, 'lab/r.csv:2:4 UNIT'],
    ['rtt: r.json', { 'lab/r.json': '{"a": {"b": }}' }, 'lab/r.json:1:13 JSON_SYNTAX'],
    ['rtt: r.json', { 'lab/r.json': '{"a": 1}' }, 'lab/r.json:1:7 MATRIX'],
    ['rtts: 1ms', {}, 'lab/main.yaml:3:3 KEY_UNKNOWN'],
    ['bandwidth: 1Gbps', {}, 'lab/main.yaml:2:1 MATRIX'],
    ['{ rtt: 1ms, groups: { eu: [a, nobody] } }', {}, 'lab/main.yaml:2:1 NAME_UNKNOWN'],
    ['{ rtt: 1ms, groups: { eu: [a, s], us: b } }', {}, 'MATRIX'],
    ['{ rtt: 1ms, groups: { eu: [a, b], us: b } }', {}, 'MATRIX'],
    ['{ rtt: { eu: { us: 1ms } }, groups: { eu: a, ap: b } }', {}, 'NAME_UNKNOWN'],
    ['{ rtt: 1ms, latency: 1ms, groups: { eu: a, us: b } }', {}, 'MATRIX'],
  ])('%s is refused', (text, files, place) => {
    const indented = text.startsWith('{') ? ` ${text}` : `\n  ${text}`;
    const found = errors(`services: { a: {}, b: {} }\nmatrix:${indented}\nbridges: [s]`, { files });
    const wanted = place.split(' ').at(-1)!;
    expect(found.map(({ code }) => code)).toContain(wanted);
    if (place.includes(':3:') || place.includes('r.')) expect(found.map(placeOf)).toContain(place);
  });
});
