/** When sources send: rates, distributions, seeds. */
import { describe, expect, it } from 'vitest';
import { Counters } from '../../../agent/traffic/counters.ts';
import { readHead, writeHead } from '../../../agent/traffic/datagram.ts';
import { intervalOf, type TimedTraffic, timetableOf } from '../../../agent/traffic/packet-times.ts';
import { TELNET_INTERARRIVALS } from '../../../agent/traffic/tcplib.ts';
import { type Micros, micros } from '../../../proto/units.ts';
import { packetTraceText } from '../../../topology/model/packet-trace.ts';
import { NEVER } from '../../../topology/model/traffic.ts';

const BASE: TimedTraffic = {
  ...{ kind: 'constant', rate: 1e6, size: 958, on: micros(500_000), off: micros(500_000), shape: 1.5 },
  ...{ protocol: 'udp', seed: 1 },
};

interface Asked {
  readonly changes?: Partial<TimedTraffic>;
  readonly index?: number;
  readonly from?: Micros;
  readonly until?: Micros;
  readonly turn?: number;
}

const table = ({ changes = {}, index = 0, from = micros(0), until = NEVER, turn = 0 }: Asked = {}) =>
  timetableOf({ ...BASE, ...changes }, index, { from, until }, turn);

function first(count: number, asked: Asked = {}): number[] {
  const times = table(asked);
  return Array.from({ length: count }, () => {
    const { due } = times;
    times.advance();
    return due;
  });
}

/** Bursts and pauses, in seconds: a pause is longer than what lies between two datagrams of a burst. */
function bursts(kind: 'exponential' | 'pareto', count: number, changes: Partial<TimedTraffic> = {}) {
  const traffic = { ...BASE, kind, rate: 100e6, ...changes };
  const times = table({ changes: traffic, index: 3 });
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
    expect(first(4, { from: micros(5000) })).toEqual([5000, 13_000, 21_000, 29_000]);
    const odd = first(100_001, { changes: { rate: 3e6 } });
    expect(odd[100_000]).toBeCloseTo((100_000 * 8000) / 3, 3);
  });

  it('ends at its stop', () => {
    expect(first(4, { until: micros(17_000) })).toEqual([0, 8000, 16_000, Number.POSITIVE_INFINITY]);
  });

  it('leaves out what is too late', () => {
    const times = table();
    expect(times.skipTo(80_001)).toBe(11);
    expect(times.due).toBe(88_000);
    const bursty = table({ changes: { kind: 'exponential' } });
    const same = table({ changes: { kind: 'exponential' } });
    const left = bursty.skipTo(3e6);
    for (let at = 0; at < left; at++) same.advance();
    expect(bursty.due).toBe(same.due);
    expect(bursty.due).toBeGreaterThanOrEqual(3e6);
  });

  it('in bursts sends at the same times for the same seed, and at others for another, and for each source', () => {
    const changes = { kind: 'pareto' } as const;
    const once = first(500, { changes });
    expect(first(500, { changes })).toEqual(once);
    expect(first(500, { changes: { ...changes, seed: 2 } })).not.toEqual(once);
    expect(first(500, { changes, turn: 1 })).not.toEqual(once);
    expect(first(500, { changes, index: 1 })).not.toEqual(once);
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

describe('a source of telnet', () => {
  const telnet = (count: number, changes: Partial<TimedTraffic> = {}): number[] => {
    const due = first(count + 1, { changes: { kind: 'telnet', size: 1, ...changes } });
    return due.slice(1).map((at, index) => (at - due[index]!) / 1e6);
  };

  it("has tcplib's times between keys", () => {
    const distribution = (x: number): number => {
      const above = TELNET_INTERARRIVALS.findIndex(([, seconds]) => seconds >= x);
      if (above <= 0) return above === 0 ? 0 : 1;
      const [[below, from], [until, to]] = [TELNET_INTERARRIVALS[above - 1]!, TELNET_INTERARRIVALS[above]!];
      return below + ((until - below) * Math.log(x / from)) / Math.log(to / from);
    };
    expect(distance(telnet(2000), distribution)).toBeLessThan(1.63 / Math.sqrt(2000));
    // Paxson and Floyd (1995, section 4): far more than what is exponential with this mean.
    const sample = telnet(20_000);
    const mean = sample.reduce((sum, one) => sum + one, 0) / sample.length;
    expect(mean).toBeGreaterThan(0.5);
    expect(mean).toBeLessThan(2);
    expect(sample.filter((one) => one > 10 * mean).length / sample.length).toBeGreaterThan(0.002);
  });

  it('has exponential ones with an interval', () => {
    const sample = telnet(2000, { interval: micros(200_000) });
    expect(distance(sample, (x) => 1 - Math.exp(-x / 0.2))).toBeLessThan(1.63 / Math.sqrt(2000));
  });
});

it('a source of a trace plays it from the beginning of each window', () => {
  const trace = packetTraceText({
    at: Float64Array.from([0, 500, 500, 9000]),
    size: Uint16Array.from([100, 200, 40, 1472]),
  });
  const changes = { kind: 'trace', trace } as const;
  const times = table({ changes, from: micros(1000), until: micros(10_000) });
  const played: [number, number][] = [];
  for (; Number.isFinite(times.due); times.advance()) played.push([times.due, times.size]);
  expect(played).toEqual([
    [1000, 100],
    [1500, 200],
    [1500, 40],
  ]);
  expect(first(5, { changes, turn: 3 })).toEqual([0, 500, 500, 9000, Number.POSITIVE_INFINITY]);
});

it('a source of flows has a message for each, or their datagrams at equal distances', () => {
  const flows = 'flows: 500 100 9, 1000 3000 900000, 1100 1 0';
  const played = (protocol: 'tcp' | 'udp'): [number, number][] => {
    const times = table({ changes: { kind: 'flows', flows, protocol }, from: micros(1000) });
    const found: [number, number][] = [];
    for (; Number.isFinite(times.due); times.advance()) found.push([times.due, times.size]);
    return found;
  };
  expect(played('tcp')).toEqual([
    [1500, 100],
    [2000, 3000],
    [2100, 1],
  ]);
  expect(played('udp')).toEqual([
    ...[
      [1500, 100],
      [2000, 1472],
      [2100, 1],
    ],
    [302_000, 1472],
    [602_000, 56],
  ]);
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
  writeHead(view(data), 0, 77, 1_767_225_600_123.25);
  expect(readHead(view(data), 0, 24)).toEqual({ source: 77, sentMs: 1_767_225_600_123.25 });
  expect(readHead(view(data), 0, 15)).toBeUndefined();
  expect(readHead(view(Buffer.from('GET / HTTP/1.1\r\n')), 0, 16)).toBeUndefined();
});

function view({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length);
}
