import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { trafficBetween, withBridges } from '../../../controller/placement/cross-traffic.ts';
import { linkGraph } from '../../../controller/placement/link-graph.ts';
import { DEFAULT_PLACEMENT, type HostRoom, type Wishes } from '../../../controller/placement/model.ts';
import { inTurn, keeping, noWishes, placeEndpoints } from '../../../controller/placement/place.ts';
import { ranges } from '../../../controller/placement/report.ts';
import { bps } from '../../../proto/units.ts';
import type { Graph } from '../../../topology/model/model.ts';
import { clusters, graphOf, hostsNamed } from './support.ts';

const place = (graph: Graph, hosts: readonly HostRoom[], wishes: Partial<Wishes> = {}) =>
  placeEndpoints(graph, hosts, { ...noWishes(graph), ...wishes }, DEFAULT_PLACEMENT);

describe('traffic between hosts', () => {
  const STAR = `services: { a: {}, b: {}, c: {} }
bridges: [s]
links:
  - { from: a, to: s, up: 10Mbps, down: 20Mbps }
  - { from: b, to: s, up: 1Mbps, down: 2Mbps }
  - { from: c, to: s, bandwidth: 5Mbps }`;

  test('is the rates of the divided links, each direction by itself, with the bridge where it is least', () => {
    const links = linkGraph(graphOf(STAR));
    const hostOf = withBridges(links, [0, 1, 1], 2);
    expect([...hostOf]).toEqual([0, 1, 1, 0]);
    const { totalBps, leavingBps, arrivingBps, dividedEdges } = trafficBetween(links, hostOf, 2);
    expect({ totalBps, dividedEdges }).toEqual({ totalBps: 13e6, dividedEdges: 4 });
    expect([...leavingBps]).toEqual([7e6, 6e6]);
    expect([...arrivingBps]).toEqual([6e6, 7e6]);
  });

  test('a link that replicas share counts once, in equal parts', () => {
    const text = `services: { a: { replicas: 4, share: true }, b: {} }
links:
  - { from: a, to: b, up: 40Mbps, down: 20Mbps }`;
    const links = linkGraph(graphOf(text));
    expect(trafficBetween(links, Int32Array.of(0, 0, 0, 1, 1), 2).totalBps).toBe(45e6);
    expect(trafficBetween(links, Int32Array.of(0, 0, 0, 0, 1), 2).totalBps).toBe(60e6);
  });

  test('a link without a bandwidth counts as the fastest that has one, and as 1 Gb/s at least', () => {
    const rates = (fast: string): number[] => {
      const text = `services: { a: {}, b: {}, c: {} }
links:
  - { from: a, to: b, oneway: true }
  - { from: a, to: c, oneway: true, bandwidth: ${fast} }`;
      return [...linkGraph(graphOf(text)).rate];
    };
    expect(rates('10Mbps')).toEqual([1e9, 10e6]);
    expect(rates('5Gbps')).toEqual([5e9, 5e9]);
  });

  test('of links with equal rates, the one with more latency is divided', () => {
    const text = (first: string, second: string): string => `services: { a: {}, b: {}, c: {} }
links:
  - { from: a, to: b, latency: ${first}, bandwidth: 10Mbps }
  - { from: b, to: c, latency: ${second}, bandwidth: 10Mbps }`;
    const together = (graph: Graph): boolean => {
      const { hostOf } = place(graph, hostsNamed(2));
      return hostOf[0] === hostOf[1];
    };
    expect(together(graphOf(text('1ms', '80ms')))).toBe(true);
    expect(together(graphOf(text('80ms', '1ms')))).toBe(false);
  });
});

describe('placing', () => {
  test('keeps clusters together, with far less traffic between hosts than in turn', () => {
    const { graph, clusterOf } = clusters(4, 12);
    const { hostOf, hosts, crossTrafficBps, roundRobinBps } = place(graph, hostsNamed(4));
    expect(hosts.map(({ endpoints }) => endpoints.length)).toEqual([12, 12, 12, 12]);
    const pairs = new Set(graph.endpoints.map((name, at) => `${clusterOf(name)} ${hostOf[at]}`));
    expect(pairs.size).toBe(4);
    // Three links of 10 up and 5 down.
    expect(crossTrafficBps).toBe(45e6);
    expect(roundRobinBps).toBeGreaterThan(10 * crossTrafficBps);
  });

  test('never has more traffic than in turn, and the same arguments give the same', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 5 }),
        fc.nat(99),
        (hosts, size, seed) => {
          const { graph } = clusters(5, size, seed);
          const one = place(graph, hostsNamed(hosts));
          expect(one.crossTrafficBps).toBeLessThanOrEqual(one.roundRobinBps);
          expect(place(graph, hostsNamed(hosts))).toEqual(one);
        },
      ),
      { numRuns: 6 },
    );
  });

  test('hosts get endpoints as they have cores, and no more than they take', () => {
    const { graph } = clusters(6, 5);
    const byCores = place(graph, [
      { name: 'small', cores: 2 },
      { name: 'large', cores: 8 },
    ]);
    const [small, large] = byCores.hosts.map(({ endpoints }) => endpoints.length);
    expect(small).toBeLessThanOrEqual(7);
    expect(large).toBeLessThanOrEqual(26);
    const bounded = place(graph, [{ name: 'a', endpoints: 3 }, { name: 'b' }, { name: 'c' }]);
    expect(bounded.hosts[0]!.endpoints.length).toBeLessThanOrEqual(3);
    expect(bounded.hosts[1]!.endpoints.length).toBeLessThanOrEqual(15);
  });

  test('what is needed is never more than there is', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 20, maxLength: 20 }), (needs) => {
        const { graph } = clusters(4, 5);
        const total = needs.reduce((sum, one) => sum + one, 0);
        const hosts = hostsNamed(3).map((host) => ({
          ...host,
          cores: Math.ceil(total / 3) + 4,
          memoryBytes: 1e9,
        }));
        const cores = Float64Array.from(needs, (need) => need);
        const placed = place(graph, hosts, { cores, memoryBytes: new Float64Array(20).fill(1e8) });
        for (const host of placed.hosts) {
          expect(host.cores).toBe(host.endpoints.reduce((sum, one) => sum + needs[one]!, 0));
          expect(host.cores).toBeLessThanOrEqual(hosts[0]!.cores);
          expect(host.memoryBytes).toBeLessThanOrEqual(1e9);
        }
      }),
      { numRuns: 6 },
    );
  });

  test('pins and groups that are apart hold', () => {
    const { graph } = clusters(3, 4);
    const hostsOf = new Map([
      [0, [2]],
      [1, [0, 1]],
    ]);
    const apart = [{ text: 'x', endpoints: [3, 4, 5] }];
    const { hostOf } = place(graph, hostsNamed(3), { hostsOf, apart });
    expect(hostOf[0]).toBe(2);
    expect([0, 1]).toContain(hostOf[1]);
    expect(new Set([hostOf[3], hostOf[4], hostOf[5]]).size).toBe(3);
  });

  test('endpoints that stay do not move, and the others find room', () => {
    const { graph } = clusters(4, 6);
    const before = place(graph, hostsNamed(4));
    const stay = new Map(
      [...before.hostOf].flatMap((host, endpoint) => (host === 3 ? [] : [[endpoint, host] as const])),
    );
    const after = placeEndpoints(graph, hostsNamed(3), keeping(stay, noWishes(graph)), DEFAULT_PLACEMENT);
    for (const [endpoint, host] of stay) expect(after.hostOf[endpoint]).toBe(host);
    expect(after.hosts.map(({ endpoints }) => endpoints.length).reduce((a, b) => a + b)).toBe(24);
  });

  test('an endpoint alone, and more hosts than endpoints', () => {
    const graph = graphOf(
      'services: { a: { replicas: 2 } }\nlinks:\n  - { from: a.0, to: a.1, bandwidth: 1Mbps }',
    );
    expect(place(graph, hostsNamed(1)).crossTrafficBps).toBe(0);
    const { hosts } = place(graph, hostsNamed(5));
    expect(hosts.flatMap(({ endpoints }) => endpoints)).toHaveLength(2);
  });
});

describe('what does not fit is named, with host, need and remedy', () => {
  const { graph } = clusters(2, 3);
  const all = (value: number): Float64Array => new Float64Array(6).fill(value);
  const two: readonly HostRoom[] = [
    { name: 'one', cores: 2, memoryBytes: 4e9 },
    { name: 'two', cores: 4, memoryBytes: 8e9 },
  ];
  test.each<[string, readonly HostRoom[], Partial<Wishes>, string, string]>([
    [
      'in total',
      two,
      { cores: all(1.5) },
      'the endpoints need 9 cores, and all 2 hosts together have 6 cores',
      '3 cores are missing',
    ],
    [
      'by one',
      two,
      { memoryBytes: Float64Array.of(0, 9e9, 0, 0, 0, 0) },
      'needs 9GB of memory, and two, which has the most of all hosts, has 8GB of memory',
      'under needs',
    ],
    [
      'by pins',
      two,
      {
        cores: all(1),
        hostsOf: new Map([
          [0, [0]],
          [1, [0]],
          [2, [0]],
        ]),
      },
      'one has 2 cores, and what is pinned to it needs 3 cores',
      'pin less to one',
    ],
    [
      'apart',
      two,
      { apart: [{ text: 'x', endpoints: [0, 1, 2] }] },
      'the 3 endpoints of x have to be apart, and there are 2 hosts for them',
      'add 1 host',
    ],
    [
      'in pieces',
      [
        { name: 'a', cores: 3 },
        { name: 'b', cores: 3 },
      ],
      { cores: Float64Array.of(2, 2, 2, 0, 0, 0) },
      'the best needs 4 cores on',
      'give',
    ],
    [
      'endpoints',
      [{ name: 'a', endpoints: 5 }],
      {},
      'the endpoints need 6 endpoints, and the host a has 5 endpoints',
      'add a host',
    ],
    [
      'the network',
      [
        { name: 'a', bandwidth: bps(1e6), endpoints: 3 },
        { name: 'b', endpoints: 3 },
      ],
      {},
      'the bandwidth of a: 10Mbps can',
      'more bandwidth',
    ],
    ['no hosts', [], {}, 'no host', 'add hosts'],
  ])('%s', (_, hosts, wishes, message, remedy) => {
    let error: unknown;
    try {
      place(graph, hosts, wishes);
    } catch (caught) {
      error = caught;
    }
    expect(error).toMatchObject({
      code: 'PLACEMENT_NO_ROOM',
      message: expect.stringContaining(message),
      remedy: expect.stringContaining(remedy),
    });
  });
});

test('in turn, and ranges of names', () => {
  const { graph } = clusters(2, 2);
  expect([...inTurn(graph, 3)]).toEqual([0, 1, 2, 0]);
  expect(ranges(['a.0', 'a.1', 'a.3', 'b.0', 'b.1'])).toBe('a.0-1 a.3 b.0-1');
  expect(ranges([])).toBe('');
});
