import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  amountIn,
  bitsOf,
  bitsPerSecond,
  bps,
  bytesOf,
  formatBps,
  formatMemory,
  formatMicros,
  formatRate,
  formatRatio,
  fromBytesPerSecond,
  fromMillis,
  fromSeconds,
  gigabytes,
  megabytes,
  micros,
  millisToNanos,
  millisToSeconds,
  millisToSend,
  nanosToMillis,
  nanosToSeconds,
  parseBandwidth,
  parseDuration,
  parseLatency,
  parseMemory,
  parsePercentage,
  partsPerMillion,
  perSecond,
  ratePerMilli,
  ratePerSecond,
  secondsToMillis,
  toBytesPerSecond,
  toMillis,
  toNanos,
  toSeconds,
  wholeOfParts,
} from '../../../proto/units.ts';

describe('what users write', () => {
  it('is read exactly', () => {
    expect(parseLatency('10ms')).toBe(10_000);
    expect(parseLatency('0.3ms')).toBe(300);
    expect(parseLatency('250us')).toBe(250);
    expect(parseLatency('1.5s')).toBe(1_500_000);
    expect(parseBandwidth('128Kbps')).toBe(128_000);
    expect(parseBandwidth('60 Mbps')).toBe(60e6);
    expect(parseBandwidth('2.5Gbps')).toBe(2.5e9);
    expect(parsePercentage('0.1%')).toBe(0.001);
    expect(parseDuration('1m30s')).toBe(90e6);
    expect(parseDuration('500ms')).toBe(500_000);
  });

  const refused: [() => unknown, string][] = [
    [() => parseLatency('10'), 'UNIT_MISSING'],
    [() => parseLatency('10Mbps'), 'UNIT_UNKNOWN'],
    [() => parseLatency('fast'), 'UNIT_SYNTAX'],
    [() => parseLatency('-1ms'), 'UNIT_RANGE'],
    [() => parseLatency('11m'), 'UNIT_RANGE'],
    [() => parseLatency('99999999h'), 'UNIT_RANGE'],
    [() => parseLatency('0.1us'), 'UNIT_PRECISION'],
    [() => parseBandwidth('7bps'), 'UNIT_RANGE'],
    [() => parseBandwidth('101Gbps'), 'UNIT_RANGE'],
    [() => parseBandwidth('0.5bps'), 'UNIT_PRECISION'],
    [() => parseBandwidth('10MB'), 'UNIT_UNKNOWN'],
    [() => parsePercentage('0.01'), 'UNIT_MISSING'],
    [() => parsePercentage('101%'), 'UNIT_RANGE'],
    [() => parseDuration('1m 30'), 'UNIT_MISSING'],
    [() => parseDuration('1m-30s'), 'UNIT_SYNTAX'],
    [() => parseDuration('9999h'), 'UNIT_RANGE'],
  ];
  it.each(refused)('%s is refused with %s', (parse, code) => {
    expect(parse).toThrow(
      expect.objectContaining({ code, blame: 'input', remedy: expect.stringMatching(/\w/) }),
    );
  });
});

describe('what is printed', () => {
  it('has the largest unit that keeps it above one', () => {
    expect([0, 250, 10_000, 1_500_000].map(formatMicros)).toEqual(['0ms', '250us', '10ms', '1.5s']);
    expect([800, 128e3, 17_777_778, 4e9, Number.POSITIVE_INFINITY].map(formatBps)).toEqual([
      '800bps',
      '128Kbps',
      '17.777778Mbps',
      '4Gbps',
      'unlimited',
    ]);
    expect(formatRatio(0.001)).toBe('0.1%');
    expect([17_777_777.78, 123_456.78, Number.POSITIVE_INFINITY].map(formatRate)).toEqual([
      '17.7778Mbps',
      '123.457Kbps',
      'unlimited',
    ]);
  });

  it('is read back as it was, for whole bits and microseconds', () => {
    const returns = <T>(most: number, format: (value: number) => string, parse: (text: string) => T): void =>
      fc.assert(
        fc.property(
          fc.oneof(fc.integer({ min: 8, max: most }), fc.integer({ min: 8, max: Math.min(most, 1e7) })),
          (value) => parse(format(value)) === value,
        ),
        { numRuns: 1000 },
      );
    returns(600e6, formatMicros, parseLatency);
    returns(366 * 24 * 3600e6, formatMicros, parseDuration);
    returns(100e9, formatBps, parseBandwidth);
    expect(parseDuration(formatMicros(8_640_000_123_457))).toBe(8_640_000_123_457);
  });

  it('is read back as it was, for percentages that somebody wrote', () => {
    const percentage = fc.tuple(fc.integer({ min: 0, max: 100_000_000 }), fc.integer({ min: 6, max: 12 }));
    fc.assert(
      fc.property(percentage, ([whole, decimals]) => {
        const text = `${(whole / 10 ** decimals).toFixed(decimals)}%`;
        return parsePercentage(formatRatio(parsePercentage(text))) === parsePercentage(text);
      }),
    );
  });

  it('can always be read, also if it was computed', () => {
    const value = fc.double({ min: 0, max: 100e9, noNaN: true });
    fc.assert(
      fc.property(value, (some) => {
        parseDuration(formatMicros(some));
        if (some >= 8) parseBandwidth(formatBps(some));
        if (some >= 8) parseBandwidth(formatRate(some));
        parsePercentage(formatRatio(some / 100e9));
      }),
    );
    expect(formatRatio(1 - (1 - 0.001) ** 2)).toBe('0.1999%');
    expect(formatRatio(1e-9)).toBe('0.0000001%');
  });
});

describe('conversions', () => {
  it.each([
    [toNanos(micros(1.5)), 1500],
    [toMillis(micros(1500)), 1.5],
    [toSeconds(micros(2_500_000)), 2.5],
    [fromMillis(0.25), 250],
    [fromSeconds(1.5), 1_500_000],
    [millisToNanos(2), 2_000_000],
    [nanosToMillis(2_000_000), 2],
    [nanosToSeconds(2_000_000_000), 2],
    [millisToSeconds(50), 0.05],
    [secondsToMillis(0.05), 50],
    [bitsOf(1514), 12_112],
    [bytesOf(12_112), 1514],
    [toBytesPerSecond(bps(8e6)), 1e6],
    [fromBytesPerSecond(1e6), 8e6],
    [megabytes(3e6), 3],
    [gigabytes(3e9), 3],
    [perSecond(micros(20_000)), 50],
    [ratePerSecond(100, 2000), 50],
    [bitsPerSecond(500, 2000), 2000],
    [ratePerMilli(50), 0.05],
    [amountIn(micros(20_000), 1e6), 20_000],
    [millisToSend(12_000, 1e6), 12],
    [partsPerMillion(2e6, 500), 1000],
    [wholeOfParts(1000, 500), 2e6],
  ])('%#: %d is %d', (value, expected) => expect(value).toBe(expected));
});

describe('memory', () => {
  it.each([
    ['512B', 512],
    ['1.5KB', 1500],
    ['16GB', 16e9],
    ['16GiB', 16 * 1024 ** 3],
    ['2TB', 2e12],
    ['1TiB', 1024 ** 4],
  ])('%s is %d bytes', (text, bytes) => expect(parseMemory(text)).toBe(bytes));

  it.each(['16', '16G', '-1GB', '0.1B', '2000TiB', 'much'])('%s is refused', (text) => {
    expect(() => parseMemory(text)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^UNIT_/) }),
    );
  });

  it('what is printed can be typed', () => {
    fc.assert(
      fc.property(fc.nat({ max: 1024 ** 5 }), (bytes) => {
        expect(parseMemory(formatMemory(bytes))).toBe(bytes);
      }),
    );
    expect([0, 1023, 4e9, 1.5e6].map(formatMemory)).toEqual(['0B', '1.023KB', '4GB', '1.5MB']);
  });
});
