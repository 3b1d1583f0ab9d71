/** Endpoints on hosts that are far apart. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Way } from '../../../controller/inventory/network.ts';
import { linkGraph } from '../../../controller/placement/link-graph.ts';
import { DEFAULT_PLACEMENT, type HostRoom, type Wishes } from '../../../controller/placement/model.ts';
import { noWishes, placementProblem } from '../../../controller/placement/place.ts';
import { Assigned } from '../../../controller/placement/wide-area/assigned.ts';
import { placeOnNetwork } from '../../../controller/placement/wide-area/place.ts';
import { networkText } from '../../../controller/placement/wide-area/report.ts';
import { shortfall, totalShortfall } from '../../../controller/placement/wide-area/shortfall.ts';
import { MOST_ENDPOINTS, pathTable, wayTable } from '../../../controller/placement/wide-area/tables.ts';
import { bps, fromMillis, ratio } from '../../../proto/units.ts';
import { SeededRandom } from '../../../topology/model/random.ts';
import { graphOf, hostsNamed } from './support.ts';

const way = (from: string, to: string, ms: number, more: Partial<Way> = {}): Way[] => [
  { from, to, latency: fromMillis(ms), ...more },
  { from: to, to: from, latency: fromMillis(ms), ...more },
];

/** Asked for: a--b 2 ms, a--c and b--c 50 ms. */
const TRIANGLE = graphOf(`services: { a: {}, b: {}, c: {} }
links:
  - { from: a, to: b, latency: 2ms, bandwidth: 100Mbps }
  - { from: a, to: c, latency: 50ms, bandwidth: 10Mbps }
  - { from: b, to: c, latency: 50ms, up: 10Mbps, down: 20Mbps }`);

/** x and y are near each other, z and w far from everybody. */
const WAYS = [
  ...way('x', 'y', 1),
  ...way('x', 'z', 40),
  ...way('y', 'z', 40),
  ...way('w', 'x', 80),
  ...way('w', 'y', 80),
  ...way('w', 'z', 80),
];
const NAMES = ['w', 'z', 'y', 'x'];
const alone: readonly HostRoom[] = NAMES.map((name) => ({ name, endpoints: 1 }));

const place = (
  ways: readonly Way[],
  hosts: readonly HostRoom[],
  wishes: Partial<Wishes> = {},
  graph = TRIANGLE,
) =>
  placeOnNetwork(
    graph,
    hosts,
    { ...noWishes(graph), ...wishes },
    DEFAULT_PLACEMENT,
    wayTable(
      ways,
      hosts.map(({ name }) => name),
    ),
  );
const placed = (...words: Parameters<typeof place>): string[] => {
  const { placement } = place(...words);
  return [...placement.hostOf].map((host) => placement.hosts[host]!.name);
};

describe('placing', () => {
  test('short paths get hosts that are near each other', () => {
    const [a, b, c] = placed(WAYS, alone);
    expect([a, b].sort()).toEqual(['x', 'y']);
    expect(c).toBe('z');
    const { network } = place(WAYS, alone);
    expect(network).toEqual({ paths: 6, missed: 0, meanShortfall: 0, worst: [] });
    expect(networkText(network)).toBe('The real network gives all of the 6 paths.');
  });

  test('what the network can’t give is together on a host that has room', () => {
    const slow = [...way('x', 'y', 10), ...way('x', 'z', 10), ...way('y', 'z', 10)];
    const hosts = ['x', 'y', 'z'].map((name) => ({ name }));
    const [a, b] = placed(slow, hosts);
    expect(a).toBe(b);
    expect(place(slow, hosts).network.missed).toBe(0);
  });

  test('a bandwidth of one direction counts', () => {
    const narrow = [
      ...way('x', 'y', 1),
      ...way('x', 'z', 1, { bandwidth: bps(15e6) }),
      ...way('y', 'z', 1, { bandwidth: bps(15e6) }),
      { from: 'z', to: 'y', bandwidth: bps(30e6) },
    ];
    // a--b asks for 100 Mb/s, which x--y alone has; c > b for 20.
    const hosts = ['z', 'y', 'x'].map((name): HostRoom => ({ name, endpoints: 1 }));
    expect(placed(narrow, hosts)).toEqual(['x', 'y', 'z']);
  });

  test('a loss of one direction counts', () => {
    const lossy = [
      ...way('x', 'y', 1),
      { from: 'y', to: 'x', loss: ratio(0.02) },
      ...way('w', 'x', 1),
      ...way('w', 'y', 40),
      ...way('w', 'z', 40),
      ...way('x', 'z', 40),
      ...way('y', 'z', 40),
    ];
    const [a, b, c] = placed(lossy, alone);
    expect([a, b].sort()).toEqual(['w', 'x']);
    expect(c).toBe('z');
  });

  test('pins, room and groups that are apart hold; the rest is matched', () => {
    const pinned = { hostsOf: new Map([[2, [3]]]) };
    const [a, b, c] = placed(WAYS, alone, pinned);
    expect(c).toBe('x');
    expect([a, b]).toContain('y');
    const apart = [{ text: 'a, b', endpoints: [0, 1] }];
    const far = [...way('x', 'y', 10), ...way('x', 'z', 10), ...way('y', 'z', 10)];
    const hosts = ['x', 'y', 'z'].map((name) => ({ name }));
    const result = place(far, hosts, { apart });
    expect(result.placement.hostOf[0]).not.toBe(result.placement.hostOf[1]);
    expect(result.network).toMatchObject({ missed: 2, paths: 6 });
    expect(networkText(result.network)).toMatch(
      /^The real network can't give 2 of 6 paths:\n {2}a\.0 > b\.0 \([xyz] > [xyz]\): 2ms asked for, the real network takes 10ms$/m,
    );
  });

  test('a way that was not measured is avoided, and named', () => {
    const some = WAYS.filter(({ from, to }) => from !== 'w' && to !== 'w');
    expect(placed(some, alone)).not.toContain('w');
    const { network } = place([], alone);
    expect(network).toMatchObject({ paths: 6, missed: 6, meanShortfall: 1 });
    expect(network.worst[0]).toMatchObject({
      realLatencyMs: null,
      lacks: ['the round trip between its hosts was not measured'],
    });
  });

  test('the same arguments give the same; more endpoints than can be matched are refused', () => {
    expect(place(WAYS, alone)).toEqual(place(WAYS, alone));
    const many = graphOf(
      `services: { a: { replicas: ${MOST_ENDPOINTS} }, b: {} }\nlinks:\n  - { from: a, to: b, latency: 1ms }`,
    );
    expect(() => place(WAYS, hostsNamed(4), {}, many)).toThrow(
      expect.objectContaining({ code: 'PLACEMENT_TOO_LARGE' }),
    );
  });

  test('a placement that is hidden among more hosts is found', () => {
    // Hosts on a plane; a topology that asks for exactly what some of them have between them.
    const random = new SeededRandom(3);
    const points = Array.from({ length: 12 }, () => [random.below(60), random.below(60)] as const);
    const ms = (a: number, b: number): number =>
      3 + Math.hypot(points[a]![0] - points[b]![0], points[a]![1] - points[b]![1]);
    const chosen = random.sample([...points.keys()], 8);
    const pairs = chosen.flatMap((a, one) =>
      chosen.slice(one + 1).map((b, more) => [one, one + 1 + more, ms(a, b)] as const),
    );
    const graph = graphOf(
      `services:\n${chosen.map((_, index) => `  n${index}: {}\n`).join('')}links:\n${pairs
        .map(
          ([a, b, time]) =>
            `  - { from: n${a}, to: n${b}, latency: ${time.toFixed(3)}ms, bandwidth: 1Mbps }\n`,
        )
        .join('')}`,
    );
    const hosts = points.map((_, index): HostRoom => ({ name: `h${index}`, endpoints: 1 }));
    const ways = points.flatMap((_, a) =>
      points
        .slice(a + 1)
        .flatMap((__, more) => way(`h${a}`, `h${a + 1 + more}`, ms(a, a + 1 + more) - 0.001)),
    );
    expect(place(ways, hosts, {}, graph).network.missed).toBe(0);
  });
});

test('what a path lacks: latency as a part of what is asked for, bandwidth, loss', () => {
  const paths = pathTable(TRIANGLE);
  const [ab, ac] = [1, 2];
  const lacks = (path: number, gives: Partial<Way>): number => {
    const ways = wayTable([{ from: 'x', to: 'y', latency: fromMillis(1), ...gives }], ['x', 'y']);
    return shortfall(paths, path, ways, 1);
  };
  expect(lacks(ab, {})).toBe(0);
  expect(lacks(ab, { latency: fromMillis(3) })).toBeCloseTo(0.5, 10);
  expect(lacks(ac, { latency: fromMillis(75) })).toBeCloseTo(0.5, 10);
  expect(lacks(ab, { bandwidth: bps(25e6) })).toBeCloseTo(0.75, 10);
  expect(lacks(ab, { loss: ratio(0.02) })).toBeCloseTo(0.2, 10);
  expect(lacks(ab, { loss: ratio(0.0005) })).toBe(0);
});

test('of several round trips of a pair the least counts, of losses the last', () => {
  const ways: Way[] = [
    { from: 'x', to: 'y', latency: fromMillis(9), loss: ratio(0.1) },
    { from: 'y', to: 'x', latency: fromMillis(7) },
    { from: 'x', to: 'y', loss: ratio(0.01) },
    { from: 'x', to: 'elsewhere', latency: fromMillis(1) },
  ];
  const { latency, loss } = wayTable(ways, ['x', 'y']);
  expect([...latency]).toEqual([0, 7000, 7000, 0]);
  expect([...loss]).toEqual([0, 0.01, 0, 0]);
});

test('what moves and exchanges cost is what they change', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10_000 }), (seed) => {
      const random = new SeededRandom(seed);
      const hosts = ['x', 'y', 'z'].map((name) => ({ name }));
      const ways = wayTable(
        hosts.flatMap(({ name: from }) =>
          hosts.flatMap(({ name: to }) =>
            from === to
              ? []
              : [
                  {
                    from,
                    to,
                    latency: fromMillis(random.below(90)),
                    loss: ratio(random.next() / 9),
                    bandwidth: bps(1e6 + random.below(1e8)),
                  },
                ],
          ),
        ),
        ['x', 'y', 'z'],
      );
      const paths = pathTable(TRIANGLE);
      const room = placementProblem(TRIANGLE, linkGraph(TRIANGLE), hosts, noWishes(TRIANGLE), 0.05);
      const assigned = new Assigned({ room, paths, ways }, Int32Array.of(0, 1, 2));
      const anew = (): number => new Assigned({ room, paths, ways }, assigned.hostOf.slice()).cost;
      for (let turn = 0; turn < 20; turn++) {
        const [one, other, to] = [random.below(3), random.below(3), random.below(3)];
        const before = assigned.cost;
        if (turn % 2 === 0 && to !== assigned.hostOf[one]) {
          const by = assigned.moveCost(one, to);
          assigned.move(one, to);
          expect(assigned.cost - before).toBeCloseTo(by, 8);
        } else if (assigned.hostOf[one] !== assigned.hostOf[other]) {
          const by = assigned.exchangeCost(one, other);
          assigned.exchange(one, other);
          expect(assigned.cost - before).toBeCloseTo(by, 8);
        }
        expect(assigned.cost).toBeCloseTo(anew(), 8);
        // Crossing and unevenness decide only where nothing is missing.
        const missing = totalShortfall(paths, ways, assigned.hostOf);
        expect(assigned.cost).toBeGreaterThanOrEqual(missing - 1e-9);
        expect(assigned.cost).toBeLessThanOrEqual(missing + 0.01 + 0.05 * 3);
      }
    }),
    { numRuns: 30 },
  );
});
