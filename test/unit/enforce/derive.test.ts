import { describe, expect, test } from 'vitest';
import {
  bufferBytes,
  burstBytes,
  fifoQueue,
  gsoSegments,
  netemLimit,
} from '../../../agent/enforce/derive.ts';
import { wholeBytesPerSecond } from '../../../agent/enforce/path-class.ts';
import { micros } from '../../../proto/units.ts';

/** Rate → what 2 ms of it are, one frame at least; the packets in 1 ms of it, 1 to 44; the queue at 80 ms. */
test.each([
  // Longer than 274 s does not fit tc's 32 bits.
  { rate: '8 b/s', bytes: 1, burst: 274, segments: 1, queue: 24_224 },
  { rate: '48 b/s', bytes: 6, burst: 1514, segments: 1, queue: 24_224 },
  { rate: '8 kb/s', bytes: 1e3, burst: 1514, segments: 1, queue: 24_224 },
  { rate: '128 kb/s', bytes: 16e3, burst: 1514, segments: 1, queue: 24_224 },
  { rate: '1 Mb/s', bytes: 125e3, burst: 1514, segments: 1, queue: 72_672 },
  { rate: '6 Mb/s', bytes: 750e3, burst: 1514, segments: 1, queue: 72_672 },
  { rate: '7 Mb/s', bytes: 875e3, burst: 1750, segments: 1, queue: 78_750 },
  { rate: '25 Mb/s', bytes: 3.125e6, burst: 6250, segments: 2, queue: 281_250 },
  { rate: '100 Mb/s', bytes: 12.5e6, burst: 25_000, segments: 8, queue: 1_125_000 },
  { rate: '1 Gb/s', bytes: 125e6, burst: 250_000, segments: 44, queue: 11_250_000 },
  { rate: '100 Gb/s', bytes: 12.5e9, burst: 25e6, segments: 44, queue: 1_125e6 },
])('$rate: burst, GSO size and queue', ({ bytes, burst, segments, queue }) => {
  expect(burstBytes(bytes)).toBe(burst);
  expect(gsoSegments(bytes)).toBe(segments);
  expect(bufferBytes(bytes, micros(80e3), segments)).toBe(queue);
});

test('a burst where netem keeps the pace of the slowest link: late timers are made up for', () => {
  expect(burstBytes(1.5e6, 1.5e6)).toBe(150_000);
  expect(burstBytes(1.4e6, 1.5e6)).toBe(14_000);
  expect(burstBytes(1000, 1.5e6)).toBe(1514);
});

describe('the queue', () => {
  test('grows with the round trip', () => {
    expect(bufferBytes(12.5e6, micros(0), 8)).toBe(125_000);
    expect(bufferBytes(12.5e6, micros(20e3), 8)).toBe(375_000);
    expect(bufferBytes(12.5e6, micros(190e3), 8)).toBe(2_500_000);
  });

  test('has room for two GSO packets, which pass or fail as one', () => {
    expect(bufferBytes(1e6, micros(0), 44)).toBe(2 * 44 * 1514);
    expect(bufferBytes(1e6, micros(0), 25)).toBe(2 * 25 * 1514);
    expect(bufferBytes(1e6, micros(0), 8)).toBe(72_672);
  });

  test('has room for the largest IP packet, whose fragments come at once', () => {
    const fragments = Math.ceil(65_515 / 1480);
    expect(bufferBytes(125e3, micros(0), 1)).toBeGreaterThan(fragments * 1514);
    // Unless that takes seconds.
    expect(bufferBytes(16e3, micros(0), 1)).toBe(24_224);
  });

  test('is what the user says, in packets, however long', () => {
    expect(fifoQueue(1_125_000, 200)).toEqual({ kind: 'pfifo', limit: 200 });
    expect(fifoQueue(24_224, 1)).toEqual({ kind: 'pfifo', limit: 1 });
    expect(fifoQueue(24_224)).toEqual({ kind: 'bfifo', limit: 24_224 });
  });

  test('is never longer than the kernel can count', () => {
    expect(bufferBytes(12.5e9, micros(600e6), 44)).toBe(0x7fffffff);
  });

  test('is whole bytes, also at odd rates', () => {
    expect(bufferBytes(2_345_678, micros(33_333), 1)).toBe(101_646);
  });
});

describe('netem', () => {
  test('has room for all that is under way and in the buffer, were it the smallest packets', () => {
    // 12.5 MB/s for 50 ms and 1,125,000 bytes, 60 bytes each.
    expect(netemLimit(12.5e6, micros(50e3), 1_125_000)).toBe(29_167);
    expect(netemLimit(12.5e6, micros(0), 1_125_000)).toBe(18_750);
    expect(netemLimit(1e3, micros(1), 60)).toBe(16);
  });

  test('is bounded where neither rate nor buffer bounds it, and never longer than the kernel can count', () => {
    expect(netemLimit(125e9, micros(300e3), 0)).toBe(1_000_000);
    expect(netemLimit(12.5e9, micros(60e6), 0x7fffffff)).toBe(0x7fffffff);
  });
});

test('rates are whole bytes per second, never more than asked for, and never none', () => {
  expect([1, 8, 15, 16, 17_777_777.7, 100e9].map(wholeBytesPerSecond)).toEqual([
    1, 1, 1, 2, 2_222_222, 12_500_000_000,
  ]);
});
