import { describe, expect, it } from 'vitest';
import { Folding } from '../../../topology/fold/fold.ts';
import { expandGraph } from '../../../topology/fold/graph.ts';
import type { Path } from '../../../topology/model/model.ts';
import { native } from './support.ts';

function path(text: string, from: string, to: string): Path | undefined {
  const graph = expandGraph(native(text));
  return new Folding(graph).path(graph.endpoints.indexOf(from), graph.endpoints.indexOf(to));
}

const CHAIN = `
services: { a: {}, b: {}, relay: {} }
bridges: [s1, s2]
links:
  - { from: a, to: s1, latency: 5ms, jitter: 3ms, loss: 10%, up: 10Mbps, down: 2Mbps }
  - { from: s1, to: s2, latency: 10ms, jitter: 4ms, loss: 20%, bandwidth: 60Mbps, queue: 200 packets }
  - { from: s2, to: b, latency: 250us, up: 100Mbps, down: 40Mbps, queue: 70 packets }
  - { from: relay, to: a, latency: 1ms }
  - { from: relay, to: b, latency: 1ms }
`;

describe('folding a path', () => {
  it('adds latencies, adds jitter as variances, multiplies what passes, takes the least bandwidth and queue', () => {
    const folded = path(CHAIN, 'a.0', 'b.0')!;
    expect(folded).toMatchObject({
      latency: 15_250,
      jitter: 5000,
      bandwidth: 10e6,
      hops: 3,
      queuePackets: 70,
    });
    expect(folded.loss).toBeCloseTo(0.28, 12);
  });

  it('keeps the distribution of the only link that has jitter; several together are normal', () => {
    const shape = (first: string, second: string): unknown =>
      path(
        `services: { a: {}, b: {} }\nbridges: [s]\nlinks: [{ from: a, to: s, ${first} }, { from: s, to: b, ${second} }]`,
        'b.0',
        'a.0',
      )?.distribution;
    expect(shape('jitter: 2ms, distribution: pareto', 'latency: 1ms')).toBe('pareto');
    expect(shape('latency: 1ms', 'jitter: 2ms, distribution: uniform')).toBe('uniform');
    expect(shape('jitter: 2ms', 'distribution: uniform')).toBeUndefined();
    expect(shape('jitter: 2ms, distribution: pareto', 'distribution: uniform')).toBe('pareto');
    expect(shape('jitter: 2ms, distribution: pareto', 'jitter: 1ms')).toBeUndefined();
    expect(shape('jitter: 2ms, distribution: uniform', 'jitter: 1ms, distribution: uniform')).toBeUndefined();
  });

  it('adds the time that a byte takes at each link, unless the file says otherwise', () => {
    const timesOf = (settings: string): unknown => {
      const { transmission, spacing } = path(`${settings}\n${CHAIN}`, 'a.0', 'b.0')!;
      return { transmission, spacing };
    };
    // 10, 60 and 100 Mb/s.
    expect(timesOf('')).toEqual({ transmission: 800 + 8e9 / 60e6 + 80, spacing: 800 });
    expect(timesOf('transmission: every link')).toEqual(timesOf(''));
    expect(timesOf('transmission: bottleneck')).toEqual({ transmission: 800, spacing: 800 });
    expect(timesOf('transmission: none')).toEqual({});
  });

  it('keeps the directions of each link apart', () => {
    expect(path(CHAIN, 'b.0', 'a.0')!.bandwidth).toBe(2e6);
    expect(path(CHAIN, 'a.0', 'b.0')!.bandwidth).toBe(10e6);
  });

  it('keeps the exact loss of a single lossy link', () => {
    const text = 'services: { a: {}, b: {} }\nlinks: [{ from: a, to: b, loss: 0.1% }]';
    expect(path(text, 'a.0', 'b.0')!.loss).toBe(0.001);
  });

  it('does not lead through a service that does not forward, and does through one that does', () => {
    expect(path(CHAIN, 'a.0', 'b.0')!.hops).toBe(3);
    expect(path(CHAIN.replace('relay: {}', 'relay: { forward: true }'), 'a.0', 'b.0')!).toMatchObject({
      hops: 2,
      latency: 2000,
    });
  });

  it('goes by fewest hops where the file says so, and by latency otherwise', () => {
    const text = `
services: { a: {}, b: {} }
bridges: [s1]
links:
  - { from: a, to: b, latency: 50ms }
  - { from: a, to: s1, latency: 1ms }
  - { from: s1, to: b, latency: 1ms }
`;
    expect(path(text, 'a.0', 'b.0')).toMatchObject({ latency: 2000, hops: 2 });
    expect(path(`routing: hops\n${text}`, 'a.0', 'b.0')).toMatchObject({ latency: 50_000, hops: 1 });
  });

  it('has no path from an endpoint to itself, against a one-way link, or for numbers that are no endpoints', () => {
    const graph = expandGraph(
      native('services: { a: {}, b: {} }\nlinks: [{ from: a, to: b, oneway: true }]'),
    );
    const folding = new Folding(graph);
    expect(folding.path(0, 0)).toBeUndefined();
    expect(folding.path(1, 0)).toBeUndefined();
    expect(folding.path(0, 1)).toBeDefined();
    for (const wrong of [-1, 2, 0.5, Number.NaN]) expect(folding.path(wrong, 1)).toBeUndefined();
  });

  it('has no limit where no link has one', () => {
    const folded = path('services: { a: {}, b: {} }\nlinks: [{ from: a, to: b }]', 'a.0', 'b.0')!;
    expect(folded).toEqual({
      from: 0,
      to: 1,
      latency: 0,
      jitter: 0,
      loss: 0,
      bandwidth: Number.POSITIVE_INFINITY,
      hops: 1,
      links: [0],
    });
  });

  it('answers the same after its trees have left the cache', () => {
    const names = Array.from({ length: 40 }, (_, index) => `h${index}`);
    const text = `services: { ${names.map((name) => `${name}: {}`).join(', ')} }\nbridges: [s]\nlinks:\n${names.map((name, index) => `  - { from: ${name}, to: s, latency: ${index}ms }`).join('\n')}`;
    const folding = new Folding(expandGraph(native(text)));
    const first = folding.path(3, 4);
    for (let source = 0; source < 40; source++) folding.path(source, (source + 1) % 40);
    expect(folding.path(3, 4)).toEqual(first);
  });
});
