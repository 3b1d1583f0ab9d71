import { describe, expect, it } from 'vitest';
import { bps } from '../../../../proto/units.ts';
import {
  isRate,
  readFraction,
  readNumber,
  readRate,
  readTime,
} from '../../../../topology/networks/spellings.ts';
import { growthOf } from '../../../support/growth.ts';

describe('a rate of another program', () => {
  it.each([
    ['10 Gbit/s', 10e9],
    ['10Gbps', 10e9],
    ['1 Gbit', 1e9],
    ['100 Mbit', 100e6],
    ['81920 Kibit', 81920 * 1024],
    ['2.5 G', 2.5e9],
    ['155 Mb/s', 155e6],
    ['100 MB/s', 800e6],
    ['10 KiB/s', 10 * 8192],
    ['3 megabits', undefined],
    ['5 Mbit / s', 5e6],
    ['1e6', 1e6],
    ['1e999', undefined],
    ['64 kbps', 64e3],
    ['9600 bits/sec', 9600],
    ['0', undefined],
    ['-5 Mbps', undefined],
    ['<10 Mbps', undefined],
    ['', undefined],
    ['fast', undefined],
    ['10constructor', undefined],
  ])('%s', (text, value) => {
    expect(readRate(text)?.value).toBe(value);
  });

  it('without a unit has the one that its place says, and this is said', () => {
    expect(readRate('100')).toEqual({ value: 100, isBare: true, isRounded: false });
    expect(readRate('100', 'KiB')).toMatchObject({ value: 100 * 8192, isBare: true });
    expect(readRate('1.5', 'Mbit')).toMatchObject({ value: 1.5e6 });
    expect(readRate('1.3 bit')).toEqual({ value: 1, isBare: false, isRounded: true });
  });

  it('may be one that netfold can keep', () => {
    expect([7, 8, 100e9, 400e9].map((value) => isRate(bps(value)))).toEqual([false, true, true, false]);
  });
});

describe('a time of another program', () => {
  it.each([
    ['10 ms', 10_000],
    ['10 milliseconds', 10_000],
    ['1 millisecond', 1000],
    ['7500 us', 7500],
    ['7500µs', 7500],
    ['0.5 s', 500_000],
    ['2 seconds', 2e6],
    ['1 min', 60e6],
    ['5000 ns', 5],
    ['0', 0],
    ['-0', 0],
    ['11 minutes', undefined],
    ['-1 ms', undefined],
    ['10 parsecs', undefined],
    ['10toString', undefined],
    ['soon', undefined],
  ])('%s', (text, value) => {
    expect(readTime(text, 'ms')?.value).toBe(value);
  });

  it('is exact where it can be', () => {
    expect(readTime('0.3', 'ms')).toEqual({ value: 300, isBare: true, isRounded: false });
    expect(readTime('0.0004', 'ms')).toEqual({ value: 0, isBare: true, isRounded: true });
    expect(readTime('3', 's')?.value).toBe(3e6);
  });
});

describe('numbers and fractions', () => {
  it.each([
    ['0.01', 0.01],
    ['1%', 0.01],
    ['1', 1],
    ['0.0', 0],
    ['1.5', undefined],
    ['-0.1', undefined],
    ['101%', undefined],
    ['0.1 ms', undefined],
  ])('%s', (text, value) => {
    expect(readFraction(text)).toBe(value);
  });

  it('are decimal', () => {
    expect(['1', ' -2.5e1 ', '.5', '0x10', 'NaN', 'Infinity', '1 2', ''].map(readNumber)).toEqual([
      ...[1, -25, 0.5],
      ...[undefined, undefined, undefined, undefined, undefined],
    ]);
  });

  it('take time in their length', { timeout: 60_000 }, () => {
    for (const text of ['1', 'm', ' ', '1.', '/s', 'e1'])
      for (const read of [readNumber, readRate, readFraction, (one: string) => readTime(one, 'ms')])
        expect(growthOf(20_000, (size) => void read(`1${text.repeat(size)}!`))).toBeLessThan(10);
  });
});
