import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  DEFAULT_RANGES,
  DEFAULT_SHAPE_OPTIONS,
  type GenerateRequest,
  generateTopology,
  SHAPES,
} from '../../../../topology/generate/generate.ts';
import type { ShapeOptions } from '../../../../topology/generate/model.ts';
import {
  parseBandwidthRange,
  parseLatencyRange,
  parseLossRange,
} from '../../../../topology/generate/ranges.ts';
import { scaleFree } from '../../../../topology/generate/scale-free.ts';
import { loadTopology } from '../../../../topology/load.ts';
import type { Topology } from '../../../../topology/model/model.ts';
import { SeededRandom } from '../../../../topology/model/random.ts';

type Wanted = Partial<ShapeOptions> & Partial<Pick<GenerateRequest, 'ranges' | 'seed' | 'traffic'>>;

function text(name: string, { ranges = DEFAULT_RANGES, seed = 1, traffic, ...options }: Wanted): string {
  const shape = SHAPES.find((one) => one.name === name)!;
  const sizes = { ...DEFAULT_SHAPE_OPTIONS, ...options };
  return generateTopology({
    shape,
    options: sizes,
    ranges,
    seed,
    ...(traffic && { traffic }),
    command: 'test',
  });
}

/** What `netfold check` makes of it; a warning is a failure too. */
function generate(name: string, wanted: Wanted): Topology {
  const { topology, warnings } = loadTopology(text(name, wanted), 'generated.yaml');
  expect(warnings).toEqual([]);
  return topology;
}

function counts({ services, bridges, links }: Topology): number[] {
  return [services.length, bridges.length, links.length];
}

function degrees({ links }: { links: readonly { from: string; to: string }[] }): Map<string, number> {
  const degree = new Map<string, number>();
  for (const { from, to } of links) for (const end of [from, to]) degree.set(end, (degree.get(end) ?? 0) + 1);
  return degree;
}

/** Whether all nodes are reached from the first bridge through bridges only. */
function isConnected({ services, bridges, links }: Topology): boolean {
  const forwards = new Set(bridges.map(({ name }) => name));
  const next = new Map<string, string[]>();
  for (const { from, to } of links) {
    next.set(from, [...(next.get(from) ?? []), to]);
    next.set(to, [...(next.get(to) ?? []), from]);
  }
  const seen = new Set([bridges[0]!.name]);
  for (const node of seen) if (forwards.has(node)) for (const other of next.get(node) ?? []) seen.add(other);
  return seen.size === services.length + bridges.length;
}

/** Sizes that work, per shape. */
const SIZES: Readonly<Record<string, fc.Arbitrary<Partial<ShapeOptions>>>> = {
  'scale-free': fc.record({
    nodes: fc.integer({ min: 5, max: 300 }),
    attach: fc.integer({ min: 1, max: 3 }),
  }),
  dumbbell: fc.integer({ min: 1, max: 60 }).map((pairs) => ({ nodes: 2 * pairs })),
  star: fc.record({ nodes: fc.integer({ min: 2, max: 100 }) }),
  ring: fc.record({ nodes: fc.integer({ min: 3, max: 100 }) }),
  tree: fc.record({ nodes: fc.integer({ min: 2, max: 100 }), fanout: fc.integer({ min: 2, max: 9 }) }),
  grid: fc
    .record({ rows: fc.integer({ min: 2, max: 9 }), columns: fc.integer({ min: 1, max: 9 }) })
    .map(({ rows, columns }) => ({ nodes: rows * columns, columns })),
  'fat-tree': fc.constantFrom(2, 4, 6).map((pods) => ({ pods })),
  waxman: fc.record({
    nodes: fc.integer({ min: 2, max: 60 }),
    alpha: fc.double({ min: 0.01, max: 1, noNaN: true }),
    beta: fc.double({ min: 0.01, max: 1, noNaN: true }),
  }),
};

describe.each(SHAPES.map(({ name }) => name))('%s', (name) => {
  const wanted = fc.record({ size: SIZES[name]!, seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }) });

  it('is valid without warnings, connected through bridges, and has no service that forwards', () => {
    fc.assert(
      fc.property(wanted, ({ size, seed }) => {
        const topology = generate(name, { ...size, seed });
        expect(isConnected(topology)).toBe(true);
        expect(topology.services.some(({ forward }) => forward)).toBe(false);
      }),
      { numRuns: 60, seed: 3 },
    );
  });

  it('is the same for the same seed, to the byte, and another one for another', () => {
    fc.assert(
      fc.property(wanted, ({ size, seed }) => {
        const once = text(name, { ...size, seed, traffic: 'ping' });
        expect(text(name, { ...size, seed, traffic: 'ping' })).toBe(once);
        expect(text(name, { ...size, seed: (seed + 1) % 2 ** 32, traffic: 'ping' })).not.toBe(once);
      }),
      { numRuns: 30, seed: 4 },
    );
  });

  it('gives links what the ranges say, access links their own', () => {
    const ranges = {
      latency: parseLatencyRange('20ms..30ms'),
      bandwidth: parseBandwidthRange('2Gbps..3Gbps'),
      accessLatency: parseLatencyRange('700us'),
      accessBandwidth: parseBandwidthRange('56Kbps..64Kbps'),
      jitter: parseLatencyRange('10us..20us'),
      loss: parseLossRange('0.5%..2%'),
    };
    const [size] = fc.sample(SIZES[name]!, { numRuns: 1, seed: 5 });
    const topology = generate(name, { ...size, ranges });
    const services = new Set(topology.services.map((service) => service.name));
    for (const { from, to, up, down } of topology.links) {
      const isAccess = services.has(from) || services.has(to);
      expect(down).toEqual(up);
      expect(up.latency).toBeGreaterThanOrEqual(isAccess ? 700 : 20_000);
      expect(up.latency).toBeLessThanOrEqual(isAccess ? 700 : 30_000);
      expect(up.bandwidth).toBeGreaterThanOrEqual(isAccess ? 56e3 : 2e9);
      expect(up.bandwidth).toBeLessThanOrEqual(isAccess ? 64e3 : 3e9);
      expect(up.jitter).toBeGreaterThanOrEqual(10);
      expect(up.jitter).toBeLessThanOrEqual(20);
      expect(up.loss).toBeGreaterThanOrEqual(0.005);
      expect(up.loss).toBeLessThanOrEqual(0.02);
    }
  });
});

describe('scale-free', () => {
  it.each([
    [500, 332, 168],
    [1000, 666, 334],
    [2000, 1344, 656],
    [4000, 2668, 1332],
    [300, 200, 100],
    [100, 67, 33],
    [3, 2, 1],
  ])('of %i nodes has %i services and %i bridges, and is a tree', (nodes, services, bridges) => {
    for (const seed of nodes < 1000 ? [1, 2, 77] : [5]) {
      const topology = generate('scale-free', { nodes, seed });
      expect(counts(topology)).toEqual([services, bridges, nodes - 1]);
    }
  });

  it('has the degrees of preferential attachment: 4 / (k (k+1) (k+2)), and hubs', () => {
    const histogram = new Map<number, number>();
    const greatest: number[] = [];
    const nodes = 4000;
    for (let seed = 1; seed <= 5; seed++) {
      const { wires } = scaleFree.wire({ ...DEFAULT_SHAPE_OPTIONS, nodes }, new SeededRandom(seed));
      const all = [...degrees({ links: wires }).values()];
      for (const degree of all) histogram.set(degree, (histogram.get(degree) ?? 0) + 1);
      greatest.push(Math.max(...all));
    }
    for (const k of [1, 2, 3, 4, 5]) {
      const expected = (5 * nodes * 4) / (k * (k + 1) * (k + 2));
      // Counts of 20,000 nodes; five deviations of a binomial one.
      expect(Math.abs(histogram.get(k)! - expected)).toBeLessThan(5 * Math.sqrt(expected));
    }
    // Uniform attachment would have hubs of about log2(4000) = 12 links; preferential ones grow as √n = 63.
    for (const one of greatest) expect(one).toBeGreaterThan(30);
  });

  it('with --attach 2 has two links a node, and services with two uplinks', () => {
    const topology = generate('scale-free', { nodes: 500, attach: 2 });
    expect(topology.links).toHaveLength(3 + 2 * 497);
    const degree = degrees(topology);
    for (const { name } of topology.services) expect(degree.get(name)).toBe(2);
    for (const { name } of topology.bridges) expect(degree.get(name)).toBeGreaterThan(2);
  });
});

describe('sizes', () => {
  it.each<[string, Wanted, number[]]>([
    ['dumbbell', { nodes: 10 }, [10, 2, 11]],
    ['star', { nodes: 7 }, [7, 1, 7]],
    ['ring', { nodes: 7 }, [7, 7, 14]],
    ['tree', { nodes: 9, fanout: 3 }, [9, 4, 12]],
    ['tree', { nodes: 5, fanout: 2 }, [5, 6, 10]],
    ['grid', { nodes: 6, columns: 3 }, [6, 6, 7 + 6]],
    ['grid', { nodes: 9 }, [9, 9, 12 + 9]],
    ['fat-tree', { pods: 4 }, [16, 20, 48]],
    ['fat-tree', { nodes: 54 }, [54, 45, 162]],
  ])('%s %o: services, bridges, links', (name, wanted, expected) => {
    expect(counts(generate(name, wanted))).toEqual(expected);
  });

  test('every switch of a fat tree has as many links as there are pods', () => {
    const topology = generate('fat-tree', { pods: 6 });
    const degree = degrees(topology);
    for (const { name } of topology.bridges) expect(degree.get(name)).toBe(6);
  });

  it.each<[string, Wanted, string]>([
    ['scale-free', { nodes: 2 }, 'use 3 to 65535'],
    ['scale-free', { nodes: 4, attach: 3 }, 'use 5 to 65535'],
    ['scale-free', { nodes: 9, attach: 0 }, 'use 1 to 16'],
    ['dumbbell', { nodes: 7 }, 'use 6 or 8'],
    ['star', { nodes: 70_000 }, 'use 2 to 65535'],
    ['ring', { nodes: 2 }, 'use 3 to 65535'],
    ['tree', { nodes: 4, fanout: 1 }, 'use 2 or more'],
    ['grid', { nodes: 7 }, 'use 4 or 9, or a --columns that divides it'],
    ['grid', { nodes: 9, columns: 2 }, 'use 9 or 16, or a --columns that divides it'],
    ['fat-tree', { nodes: 20 }, 'use 16 (--pods 4) or 54 (--pods 6)'],
    ['fat-tree', { pods: 5 }, 'use an even number from 2 to 62'],
    ['fat-tree', { nodes: 16, pods: 6 }, 'use one of both'],
    ['waxman', { nodes: 9000 }, 'use 2 to 5000'],
    ['waxman', { nodes: 9, alpha: 0 }, 'use a number above 0, up to 1, e.g. 0.2'],
    ['waxman', { nodes: 9, beta: 1.5 }, 'use a number above 0, up to 1, e.g. 0.2'],
    ['star', { nodes: 3, seed: -1 }, 'use e.g. --seed 1'],
    ['waxman', { nodes: 1500, alpha: 1, beta: 1 }, 'use a smaller --beta'],
  ])('%s %o is refused, with what works', (name, wanted, remedy) => {
    expect(() => text(name, wanted)).toThrow(expect.objectContaining({ blame: 'usage', remedy }));
  });
});

describe('waxman', () => {
  const bridgeLinks = (wanted: Wanted) =>
    generate('waxman', wanted).links.filter(({ from }) => from.startsWith('b'));

  it('has more links with beta, and longer ones with alpha', () => {
    const mean = (wanted: Wanted): number => {
      const links = bridgeLinks(wanted);
      return links.reduce((sum, { up }) => sum + up.latency, 0) / links.length;
    };
    const base = { nodes: 200, alpha: 0.1, beta: 0.2 };
    expect(bridgeLinks({ ...base, beta: 0.4 }).length / bridgeLinks(base).length).toBeCloseTo(2, 0);
    expect(mean({ ...base, alpha: 0.9 })).toBeGreaterThan(1.3 * mean(base));
  });

  it('gives links the latency of their distance, within the range', () => {
    const ranges = { ...DEFAULT_RANGES, latency: parseLatencyRange('0ms..100ms') };
    const latencies = bridgeLinks({ nodes: 100, alpha: 1, beta: 1, ranges }).map(({ up }) => up.latency);
    expect(Math.max(...latencies)).toBeLessThanOrEqual(100_000);
    // The mean distance in a unit square is 0.5214, of a diagonal of 1.414; long links are rarer here.
    const mean = latencies.reduce((sum, one) => sum + one, 0) / latencies.length / 1000;
    expect(mean).toBeGreaterThan(25);
    expect(mean).toBeLessThan(37);
  });

  it('joins what chance leaves apart with as few links as there are gaps', () => {
    const topology = generate('waxman', { nodes: 40, alpha: 0.001, beta: 0.001 });
    expect(topology.links).toHaveLength(39 + 40);
  });
});

describe('traffic', () => {
  const runs = (topology: Topology) => new Map(topology.services.map(({ name, run }) => [name, run]));

  it('ping: every service pings another, and each is pinged once', () => {
    const topology = generate('ring', { nodes: 25, traffic: 'ping' });
    const pinged = [...runs(topology)].map(([name, run]) => {
      const target = /^exec ping -i 1 (\w+)$/.exec(run!)![1]!;
      expect(target).not.toBe(name);
      return target;
    });
    expect(new Set(pinged)).toEqual(new Set(topology.services.map(({ name }) => name)));
  });

  it('iperf3: half of the services send to the other half', () => {
    const commands = runs(generate('star', { nodes: 9, traffic: 'iperf3' }));
    const senders = [...commands].filter(([, run]) => run?.includes('iperf3 -c'));
    expect(senders).toHaveLength(4);
    const targets = senders.map(([, run]) => /-c (\w+) /.exec(run!)![1]!);
    expect(new Set(targets).size).toBe(4);
    for (const target of targets) expect(commands.get(target)).toBe('exec iperf3 -s');
    expect([...commands.values()].filter((run) => run === undefined)).toHaveLength(1);
  });

  it('in a dumbbell crosses the middle, client by client', () => {
    const iperf3 = runs(generate('dumbbell', { nodes: 6, traffic: 'iperf3' }));
    expect(iperf3.get('client2')).toContain('iperf3 -c server2 ');
    const ping = runs(generate('dumbbell', { nodes: 6, traffic: 'ping' }));
    expect(ping.get('server1')).toBe('exec ping -i 1 client1');
  });
});

describe('ranges', () => {
  it.each([
    ['10ms..1ms', 'begins above its end'],
    ['1ms..2ms..3ms', 'has more than two ends'],
    ['1ms..', 'is not a time'],
    ['5', 'has no unit'],
  ])('%s is refused: it %s', (range, why) => {
    expect(() => parseLatencyRange(range)).toThrow(why);
  });

  it('are written exactly, however long the number', () => {
    const ranges = {
      ...DEFAULT_RANGES,
      accessLatency: parseLatencyRange('1.234567s'),
      accessBandwidth: parseBandwidthRange('1234567891bps'),
    };
    const [link] = generate('star', { nodes: 2, ranges }).links;
    expect(link!.up).toMatchObject({ latency: 1_234_567, bandwidth: 1_234_567_891 });
  });
});
