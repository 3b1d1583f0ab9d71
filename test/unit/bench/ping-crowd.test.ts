/** Errors of round-trip times from the summaries of pings. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scaleFreeText } from '../../../bench/measure/scale-free.ts';
import { median } from '../../../bench/measure/statistics.ts';
import { crowdError, parseRoundTrips } from '../../../bench/measure/traffic/ping-crowd.ts';
import { circle, pingPairs, unshapedPairs } from '../../../bench/scale/ring.ts';
import { planLab } from '../../../controller/platform/lab/lab-plan.ts';
import { expandGraph } from '../../../topology/fold/graph.ts';
import { loadTopology } from '../../../topology/load.ts';

const OUTPUT = `PING 10.1.0.2 (10.1.0.2) 56(84) bytes of data.

--- 10.1.0.2 ping statistics ---
60 packets transmitted, 58 received, 3.33333% packet loss, time 59077ms
rtt min/avg/max/mdev = 100.101/142.345/150.000/2.500 ms
`;

describe('ping’s last words', () => {
  it('have count, mean and deviation', () => {
    expect(parseRoundTrips(OUTPUT)).toEqual({ sent: 60, received: 58, meanMs: 142.345, varianceMs2: 6.25 });
  });

  it('have no times where nothing came back', () => {
    const text = '1 packets transmitted, 0 received, 100% packet loss, time 0ms\n';
    expect(parseRoundTrips(text)).toMatchObject({ sent: 1, received: 0, meanMs: Number.NaN });
  });

  it('are refused where they can’t be read', () => {
    expect(() => parseRoundTrips('ping: unknown host')).toThrow(
      expect.objectContaining({ code: 'OUTPUT_UNREADABLE' }),
    );
  });
});

describe('the error', () => {
  it('is the mean of the squares over all round trips', () => {
    const trips = fc.array(fc.double({ min: 0, max: 50, noNaN: true }), { minLength: 1, maxLength: 9 });
    const pairs = fc.array(fc.tuple(fc.double({ min: 0, max: 50, noNaN: true }), trips), { minLength: 1 });
    fc.assert(
      fc.property(pairs, (all) => {
        const summaries = all.map(([, times]) => {
          const meanMs = times.reduce((sum, time) => sum + time, 0) / times.length;
          const varianceMs2 = times.reduce((sum, time) => sum + (time - meanMs) ** 2, 0) / times.length;
          return { sent: times.length, received: times.length, meanMs, varianceMs2 };
        });
        const targets = all.map(([target]) => target);
        const squares = all.flatMap(([target, times]) => times.map((time) => (time - target) ** 2));
        const expected = squares.reduce((sum, one) => sum + one, 0) / squares.length;
        expect(crowdError(targets, summaries).meanSquaredMs2).toBeCloseTo(expected, 6);
      }),
    );
  });

  it('leaves out pairs without an answer, and counts what they have lost', () => {
    const error = crowdError(
      [10, 20],
      [
        { sent: 3, received: 0, meanMs: Number.NaN, varianceMs2: Number.NaN },
        { sent: 3, received: 2, meanMs: 20.5, varianceMs2: 0.25 },
      ],
    );
    expect(error).toEqual({
      sent: 6,
      received: 2,
      meanSquaredMs2: 0.5,
      pairsMs2: [0.5],
      excessMs: [0.5],
    });
    expect(median(error.excessMs)).toBe(0.5);
  });
});

describe('a circle', () => {
  it('leads through all endpoints, the same way for a seed', () => {
    const next = circle(50, 7);
    const seen = new Set<number>();
    for (let at = 0; !seen.has(at); at = next[at]!) seen.add(at);
    expect(seen.size).toBe(50);
    expect(circle(50, 7)).toEqual(next);
    expect(circle(50, 8)).not.toEqual(next);
  });

  it('has the round trips of the folded topology, and none where nothing is shaped', () => {
    const text = `services: { a: {}, b: {} }
links: [{ from: a, to: b, latency: 7ms, oneway: true }, { from: b, to: a, latency: 2ms, oneway: true }]
`;
    const graph = expandGraph(loadTopology(text, 'bench.yaml').topology);
    const { endpoints } = planLab('x', graph.endpoints, 1);
    const pairs = pingPairs(graph, endpoints, 1);
    const ends = pairs.map(({ from, to, targetMs }) => [from.name, to.name, targetMs]);
    expect(ends).toEqual([
      ['a.0', 'b.0', 9],
      ['b.0', 'a.0', 9],
    ]);
    expect(unshapedPairs(endpoints, 1).map(({ targetMs }) => targetMs)).toEqual([0, 0]);
  });

  it('fits what is generated', () => {
    const graph = expandGraph(loadTopology(scaleFreeText(60, 1), 'bench.yaml').topology);
    expect(pingPairs(graph, planLab('x', graph.endpoints, 1).endpoints, 1)).toHaveLength(40);
  });
});
