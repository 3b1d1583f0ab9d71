/** What endpoints and links carry, of flows: each link is told once, and there are never as many series as pairs. */
import { describe, expect, it } from 'vitest';
import { Epoch } from '../../../agent/epoch/epoch.ts';
import { type OwnFlow, type Traffic, trafficOf } from '../../../agent/metrics/traffic.ts';
import { expandGraph } from '../../../topology/fold/graph.ts';
import { loadTopology } from '../../../topology/load.ts';

const epochOf = (text: string): Epoch => new Epoch(expandGraph(loadTopology(text, 'test.yaml').topology));

const EPOCH = epochOf(`
services: { a: {}, b: {}, c: {} }
bridges: [s]
links:
  - { from: a, to: s, latency: 1ms, up: 10Mbps, down: 20Mbps }
  - { from: b, to: s, latency: 1ms, up: 30Mbps, down: 40Mbps }
  - { from: c, to: s, latency: 1ms, up: 50Mbps, down: 60Mbps }
`);
const [A, B, C] = [0, 1, 2] as const;

type Remote = readonly [source: number, destination: number, rateBps: number];

function at(
  self: string,
  local: readonly number[],
  own: readonly OwnFlow[],
  remote: readonly Remote[],
  most?: number,
): Traffic {
  return trafficOf(
    {
      ...{ epoch: EPOCH, own, local, self },
      forEachRemote: (tell) => {
        for (const one of remote) tell(...one);
      },
      hosts: ['host1', 'host0'],
    },
    most,
  );
}

const flow = (
  source: number,
  destination: number,
  rateBps: number,
  shareBps = Number.POSITIVE_INFINITY,
): OwnFlow => ({
  ...{ source, destination, rateBps, shareBps },
});

/** Name of a link → rate and number of flows. */
const byName = (...all: readonly Traffic[]) =>
  all
    .flatMap(({ links }) => links)
    .map(({ link, rateBps, flows }) => [EPOCH.graph.links[link]!.name, rateBps, flows])
    .sort();

describe('trafficOf', () => {
  // a and c are here, b is elsewhere.
  const here = at(
    'host0',
    [A, C],
    [flow(A, B, 4e6, 5e6), flow(A, C, 1e6)],
    [
      [B, A, 2e6],
      [B, C, 3e6],
    ],
  );
  const there = at(
    'host1',
    [B],
    [flow(B, A, 2e6), flow(B, C, 3e6)],
    [
      [A, B, 4e6],
      [A, C, 1e6],
    ],
  );

  it('adds up what each endpoint of this host sends, receives and may use', () => {
    expect(here.endpoints).toEqual([
      { endpoint: A, sentBps: 5e6, receivedBps: 2e6, shareBps: 5e6 },
      { endpoint: C, sentBps: 0, receivedBps: 4e6, shareBps: 0 },
    ]);
    expect(there.endpoints).toEqual([{ endpoint: B, sentBps: 5e6, receivedBps: 4e6, shareBps: 0 }]);
  });

  it('tells each link once among all hosts, with the flows of all, in its own direction', () => {
    expect(byName(here, there)).toEqual([
      ['a.0->s', 5e6, 2],
      ['b.0->s', 5e6, 2],
      ['s->a.0', 2e6, 1],
      ['s->b.0', 4e6, 1],
      ['s->c.0', 4e6, 2],
    ]);
    expect(here.links.length).toBeGreaterThan(0);
    expect(there.links.length).toBeGreaterThan(0);
  });

  it('tells those that carry most, and how many others there are', () => {
    const few = at('host0', [A, C], [flow(A, B, 4e6), flow(C, B, 1e6)], [], 1);
    expect(few.endpoints.map(({ endpoint }) => endpoint)).toEqual([A]);
    expect(few.omitted.endpoints).toBe(1);
    expect(few.links).toHaveLength(1);
  });

  it('leaves out links of a pair without a path', () => {
    expect(at('host0', [A], [flow(A, A + 99, 1e6)], []).links).toEqual([]);
  });
});

it('series grow with endpoints and links, not with pairs', () => {
  const N = 40;
  const epoch = epochOf(`
services: { n: { replicas: ${N} } }
bridges: [s]
links: [{ from: n, to: s, latency: 1ms, bandwidth: 1Gbps }]
`);
  const everybody = Array.from({ length: N }, (_, at) => at);
  const own = everybody.flatMap((source) =>
    everybody.filter((one) => one !== source).map((destination) => flow(source, destination, 1e3)),
  );
  const { endpoints, links } = trafficOf({
    ...{ epoch, own, local: everybody, hosts: ['host0'], self: 'host0', forEachRemote: () => {} },
  });
  expect(own).toHaveLength(N * (N - 1));
  expect([endpoints.length, links.length]).toEqual([N, 2 * N]);
});
