/** When sources send: rates, distributions, seeds. */
import { describe, expect, it } from 'vitest';
import { Counters } from '../../../agent/traffic/counters.ts';
import { readHead, writeHead } from '../../../agent/traffic/datagram.ts';
import { intervalOf, PacketTimes, type TimedTraffic } from '../../../agent/traffic/packet-times.ts';
import { micros } from '../../../proto/units.ts';

const BASE: TimedTraffic = {
  ...{ kind: 'constant', rate: 1e6, size: 958, on: micros(500_000), off: micros(500_000), shape: 1.5 },
  ...{ start: micros(0), seed: 1 },
};

function first(count: number, changes: Partial<TimedTraffic> = {}, index = 0): number[] {
  const times = new PacketTimes({ ...BASE, ...changes }, index);
  return Array.from({ length: count }, () => {
    const { due } = times;
    times.advance();
    return due;
  });
}

/** Bursts and pauses, in seconds: a pause is longer than what lies between two datagrams of a burst. */
function bursts(kind: 'exponential' | 'pareto', count: number, changes: Partial<TimedTraffic> = {}) {
  const traffic = { ...BASE, kind, rate: 100e6, ...changes };
  const times = new PacketTimes(traffic, 3);
  const interval = intervalOf(traffic);
  const found: { on: number; off: number }[] = [];
  let [begin, last] = [times.due, times.due];
  while (found.length < count) {
    times.advance();
    if (times.due - last > 1.5 * interval) {
      found.push({ on: (last + interval - begin) / 1e6, off: (times.due - last - interval) / 1e6 });
      begin = times.due;
    }
    last = times.due;
  }
  return found;
}

/** The greatest distance of the sample from a distribution function (Kolmogorov 1933). */
function distance(sample: readonly number[], distribution: (x: number) => number): number {
  const sorted = [...sample].sort((a, b) => a - b);
  return Math.max(
    ...sorted.map((x, at) =>
      Math.max(distribution(x) - at / sorted.length, (at + 1) / sorted.length - distribution(x)),
    ),
  );
}

describe('a source', () => {
  it('of a constant rate sends at equal distances, without a drift', () => {
    // 1,000 bytes of a frame at 1 Mb/s.
    expect(intervalOf(BASE)).toBe(8000);
    expect(first(4, { start: micros(5000) })).toEqual([5000, 13_000, 21_000, 29_000]);
    const odd = first(100_001, { rate: 3e6 });
    expect(odd[100_000]).toBeCloseTo((100_000 * 8000) / 3, 3);
  });

  it('ends at its stop', () => {
    expect(first(4, { stop: micros(17_000) })).toEqual([0, 8000, 16_000, Number.POSITIVE_INFINITY]);
  });

  it('leaves out what is too late', () => {
    const times = new PacketTimes(BASE, 0);
    expect(times.skipTo(80_001)).toBe(11);
    expect(times.due).toBe(88_000);
    const bursty = new PacketTimes({ ...BASE, kind: 'exponential' }, 0);
    const same = new PacketTimes({ ...BASE, kind: 'exponential' }, 0);
    const left = bursty.skipTo(3e6);
    for (let at = 0; at < left; at++) same.advance();
    expect(bursty.due).toBe(same.due);
    expect(bursty.due).toBeGreaterThanOrEqual(3e6);
  });

  it('in bursts sends at the same times for the same seed, and at others for another, and for each source', () => {
    const once = first(500, { kind: 'pareto' });
    expect(first(500, { kind: 'pareto' })).toEqual(once);
    expect(first(500, { kind: 'pareto', seed: 2 })).not.toEqual(once);
    expect(first(500, { kind: 'pareto' }, 1)).not.toEqual(once);
  });

  // Of 2,000 draws, one in a hundred samples of the distribution itself is further away than 1.63 / √2000.
  const FAR = 1.63 / Math.sqrt(2000);

  it('has exponential times of bursts and pauses', () => {
    const found = bursts('exponential', 2000);
    const distribution = (x: number): number => 1 - Math.exp(-x / 0.5);
    for (const part of ['on', 'off'] as const)
      expect(
        distance(
          found.map((one) => one[part]),
          distribution,
        ),
      ).toBeLessThan(FAR);
  });

  it("has Pareto's times of bursts and pauses", () => {
    const found = bursts('pareto', 2000);
    const least = (0.5 * 0.5) / 1.5;
    const distribution = (x: number): number => (x < least ? 0 : 1 - (least / x) ** 1.5);
    for (const part of ['on', 'off'] as const)
      expect(
        distance(
          found.map((one) => one[part]),
          distribution,
        ),
      ).toBeLessThan(FAR);
  });
});

it('counts are those of each source, also seen from another thread', () => {
  const counters = new Counters(3);
  const other = new Counters(3, counters.memory);
  other.sent(1, 958);
  other.received(2, 958, 7);
  other.received(2, 958, 3);
  other.late(0, 5);
  expect([counters.get(1, 'sent'), counters.get(1, 'sentBytes')]).toEqual([1, 958]);
  expect([
    counters.get(2, 'received'),
    counters.get(2, 'delaySumMs'),
    counters.get(2, 'delayMostMs'),
  ]).toEqual([2, 10, 7]);
  expect([counters.get(0, 'late'), counters.get(0, 'sent')]).toEqual([5, 0]);
});

it("a datagram says whose it is; somebody else's is none", () => {
  const data = Buffer.alloc(24);
  writeHead(data, 77, 1_767_225_600_123.25);
  expect(readHead(data, 24)).toEqual({ source: 77, sentMs: 1_767_225_600_123.25 });
  expect(readHead(data, 15)).toBeUndefined();
  expect(readHead(Buffer.from('GET / HTTP/1.1\r\n'), 16)).toBeUndefined();
});
