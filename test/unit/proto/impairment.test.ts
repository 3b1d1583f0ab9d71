import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DISTRIBUTIONS,
  decodeImpairment,
  encodeImpairment,
  encodePacketImpairment,
  foldImpairments,
  type Impairment,
  impairment,
  impairsPackets,
  isSameImpairment,
  isSamePacketImpairment,
  PROPERTY_LIST,
  packetImpairment,
} from '../../../proto/impairment.ts';
import { bps, fromMillis, micros, nanosPerByte, ratio, UNLIMITED } from '../../../proto/units.ts';

const impairments = fc
  .record({
    latency: fc.integer({ min: 0, max: 600e6 }).map(micros),
    jitter: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 600e6 })).map(micros),
    distribution: fc.constantFrom(undefined, ...DISTRIBUTIONS),
    loss: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true })).map(ratio),
    bandwidth: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 8, max: 100e9 })).map(bps),
    queuePackets: fc.option(fc.integer({ min: 1, max: 10_000_000 }), { nil: undefined }),
  })
  .map(impairment);

/** The formulas, with the order of their operations; what the table makes has the same bits. */
function foldedByHand(links: readonly Impairment[]): Impairment {
  let [latency, squares, none, bandwidth, queue] = [
    0,
    0,
    1,
    Number.POSITIVE_INFINITY,
    Number.POSITIVE_INFINITY,
  ];
  for (const link of links) {
    latency += link.latency;
    squares += link.jitter * link.jitter;
    none *= 1 - link.loss;
    bandwidth = Math.min(bandwidth, link.bandwidth);
    queue = Math.min(queue, link.queuePackets ?? queue);
  }
  const shaken = links.filter(({ jitter }) => jitter !== 0);
  const byteTimes = links.map((link) => 8e9 / link.bandwidth);
  const lossy = links.filter(({ loss }) => loss !== 0);
  return impairment({
    latency: micros(latency),
    jitter: micros(Math.sqrt(squares)),
    distribution: shaken.length === 1 ? shaken[0]!.distribution : undefined,
    loss: ratio(lossy.length === 1 ? lossy[0]!.loss : 1 - none),
    bandwidth: bps(bandwidth),
    transmission: nanosPerByte(byteTimes.reduce((sum, time) => sum + time, 0)),
    spacing: nanosPerByte(Math.max(0, ...byteTimes)),
    queuePackets: Number.isFinite(queue) ? queue : undefined,
  });
}

describe('an impairment', () => {
  it('has defaults, and leaves out what is optional and has its own', () => {
    expect(impairment({ distribution: 'normal' })).toStrictEqual({
      latency: 0,
      jitter: 0,
      loss: 0,
      bandwidth: UNLIMITED,
    });
  });

  it('folds to the bits that the formulas give', () => {
    fc.assert(
      fc.property(fc.array(impairments, { minLength: 1, maxLength: 8 }), (links) => {
        const order = links.map((_, index) => links.length - 1 - index);
        const folded = foldImpairments(order, links);
        expect(folded).toStrictEqual(foldedByHand(order.map((index) => links[index]!)));
      }),
    );
  });

  it('is the same as another where every property is, and only there', () => {
    const one = impairment({ jitter: fromMillis(1), bandwidth: bps(1e6) });
    const others: Impairment[] = [
      { ...one, latency: fromMillis(1) },
      { ...one, jitter: fromMillis(2) },
      { ...one, distribution: 'pareto' },
      { ...one, quantiles: '1 2 3 4 5 6 7 8' },
      { ...one, jitterCorrelation: ratio(0.1) },
      { ...one, loss: ratio(0.1) },
      { ...one, lossModel: 'every 3 packets' },
      { ...one, duplicate: ratio(0.1) },
      { ...one, corrupt: ratio(0.1) },
      { ...one, reorder: ratio(0.1) },
      { ...one, reorderDistance: 3 },
      { ...one, slots: '5ms' },
      { ...one, transmission: nanosPerByte(8) },
      { ...one, spacing: nanosPerByte(8) },
      { ...one, overhead: 'atm' },
      { ...one, overheadTime: 8 },
      { ...one, cellTime: 8 },
      { ...one, bandwidth: bps(2e6) },
      { ...one, mtu: 1400 },
      { ...one, trace: 'loop 0 10: 0 5' },
      { ...one, queuePackets: 3 },
      { ...one, queueBytes: 3000 },
      { ...one, queueTime: fromMillis(3) },
      { ...one, aqm: 'codel target=5ms interval=100ms' },
      { ...one, rules: 'drop only icmp' },
      { ...one, ruleDelays: 'delay 5ms only icmp' },
    ];
    expect(others).toHaveLength(PROPERTY_LIST.length);
    expect(isSameImpairment(one, { ...one })).toBe(true);
    expect(others.map((other) => isSameImpairment(one, other))).toEqual(others.map(() => false));
    expect(others.map((other) => isSamePacketImpairment(one, other))).toEqual([
      ...new Array(17).fill(false),
      ...[true, true, true, true, true, true, true, true, false],
    ]);
    expect([isSameImpairment(undefined, undefined), isSameImpairment(one, undefined)]).toEqual([true, false]);
  });

  it('does something to packets where it delays, shakes or loses them', () => {
    expect(impairsPackets(impairment({ bandwidth: bps(1e6), queuePackets: 4 }))).toBe(false);
    expect(impairsPackets(impairment({ latency: micros(1) }))).toBe(true);
    expect(impairsPackets(impairment({ jitter: micros(1) }))).toBe(true);
    expect(impairsPackets(impairment({ loss: ratio(1) }))).toBe(true);
    expect(impairsPackets(impairment({ transmission: nanosPerByte(8), spacing: nanosPerByte(8) }))).toBe(
      false,
    );
    expect(impairsPackets(impairment({ transmission: nanosPerByte(800) }))).toBe(true);
  });

  it('is plain data with units in its names', () => {
    const one = impairment({
      latency: micros(1500),
      distribution: 'uniform',
      jitter: micros(20),
      loss: ratio(0.5),
    });
    expect(JSON.stringify(encodeImpairment(one))).toBe(
      '{"latencyMs":1.5,"jitterMs":0.02,"distribution":"uniform","loss":0.5,"bandwidthBps":null}',
    );
    expect(encodePacketImpairment(packetImpairment(one))).toStrictEqual({
      ...{ latencyMs: 1.5, jitterMs: 0.02 },
      ...{ distribution: 'uniform', loss: 0.5 },
    });
  });

  it('comes back from plain data', () => {
    fc.assert(
      fc.property(impairments, (one) => {
        const back = decodeImpairment(JSON.parse(JSON.stringify(encodeImpairment(one))));
        expect({ ...back, latency: Math.round(back.latency), jitter: Math.round(back.jitter) }).toStrictEqual(
          one,
        );
      }),
    );
  });
});
