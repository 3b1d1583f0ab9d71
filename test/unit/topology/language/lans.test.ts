import { describe, expect, it } from 'vitest';
import { Folding } from '../../../../topology/fold/fold.ts';
import { expandGraph } from '../../../../topology/fold/graph.ts';
import { loadTopology } from '../../../../topology/load.ts';
import type { Path, Topology } from '../../../../topology/model/model.ts';
import { errors, load, placeOf } from './support.ts';

const SERVICES = 'services: { a: {}, b: { replicas: 2 }, c: {} }\n';

function pathOf(topology: Topology, from: string, to: string): Path {
  const graph = expandGraph(topology);
  return new Folding(graph).path(graph.endpoints.indexOf(from), graph.endpoints.indexOf(to))!;
}

describe('a LAN', () => {
  it('is a bridge with a leg to each member: half of the latency, and the loss of both legs together', () => {
    const { topology } = load(
      `${SERVICES}lans: { office: { members: [a, b], latency: 10ms, bandwidth: 100Mbps, loss: 19%, queue: 64KB } }\nlinks: [{ from: office, to: c, latency: 1ms }]\n`,
    );
    expect(topology.bridges.map(({ name }) => name)).toEqual(['office']);
    expect(topology.links[1]).toMatchObject({
      from: 'a',
      to: 'office',
      up: { latency: 5000, queueBytes: 64_000 },
    });
    const path = pathOf(topology, 'a.0', 'b.1');
    expect(path).toMatchObject({ latency: 10_000, bandwidth: 100e6 });
    expect(path.loss).toBeCloseTo(0.19, 6);
    expect(pathOf(topology, 'b.0', 'b.1').latency).toBe(10_000);
    expect(pathOf(topology, 'a.0', 'c.0').latency).toBe(6000);
  });

  it('has members whose own values are those of their legs, in each direction', () => {
    const { topology } = load(
      `${SERVICES}lans:\n  lab:\n    members: { a: {}, b: { latency: 8ms, up: 10Mbps }, c: { down: { loss: 2% } } }\n    latency: 2ms\n    bandwidth: 1Gbps\n    loss: 0.5%\n`,
    );
    expect(pathOf(topology, 'a.0', 'b.0')).toMatchObject({ latency: 9000, bandwidth: 1e9 });
    expect(pathOf(topology, 'b.0', 'a.0')).toMatchObject({ latency: 9000, bandwidth: 10e6 });
    expect(pathOf(topology, 'a.0', 'c.0').loss).toBeCloseTo(1 - Math.sqrt(0.995) * 0.98, 6);
    expect(pathOf(topology, 'c.0', 'a.0').loss).toBeCloseTo(0.005, 6);
    expect(pathOf(topology, 'c.0', 'a.0').bandwidth).toBe(1e9);
  });

  it('takes variables and ranges, and is written out as links', () => {
    const loaded = load(
      'vars: { d: 4ms }\nservices: { "n[1..3]": {} }\nlans: { l: { members: ["n[1..3]"], latency: "${d}" }, m: { members: { "n[1..2]": { latency: "${n}ms" } } } }\n',
      { set: { d: '6ms' } },
    );
    expect(loaded.topology.links).toHaveLength(5);
    expect(loaded.topology.links.map(({ up }) => up.latency)).toEqual([3000, 3000, 3000, 1000, 2000]);
    const again = loadTopology(loaded.expanded!(), 'x.yaml').topology;
    expect(again.links.map(({ from, to }) => `${from}--${to}`)).toEqual(
      loaded.topology.links.map(({ from, to }) => `${from}--${to}`),
    );
  });

  it.each([
    ['lans: [a, b]', '2:7 VALUE_INVALID'],
    ['lans: { l: {} }', '2:12 VALUE_INVALID'],
    ['lans: { l: { members: a } }', '2:23 VALUE_INVALID'],
    ['lans: { l: { members: [3] } }', '2:24 VALUE_INVALID'],
    ['lans: { l: { members: { a: 3 } } }', '2:28 VALUE_INVALID'],
    ['lans: { l: { members: [a, b], latency: 5 } }', '2:40 UNIT'],
    ['lans: { l: { members: [a, b], loss: 300% } }', '2:37 UNIT'],
    ['lans: { l: { members: [a, b], speed: 5 } }', '2:31 KEY_UNKNOWN'],
    ['lans: { l: { members: { a: { latency: x } } } }', '2:39 UNIT'],
    ['lans: { l: { members: [a, nobody] } }', '2:27 NODE_UNKNOWN'],
    ['lans: { a: { members: [b, c] } }', '2:9 NAME_DUPLICATE'],
  ])('%s is refused with its place', (text, place) => {
    expect(errors(`${SERVICES}${text}\n`).map(placeOf)[0]).toContain(place.replace(' NODE_UNKNOWN', ''));
  });
});
