import { describe, expect, it } from 'vitest';
import { meanRate, passedSince, slidingRates } from '../../../bench/measure/traffic/rates.ts';
import { settledAt, steadyFrom, valueAt } from '../../../bench/reaction/settling.ts';

const changes = [
  { atMs: 10, value: 5 },
  { atMs: 130, value: 8 },
  { atMs: 150, value: 9 },
  { atMs: 180, value: 7 },
  { atMs: 190, value: 9 },
  { atMs: 400, value: 3 },
];
const WINDOW = { fromMs: 100, untilMs: 400 };

describe('a value has settled', () => {
  it('from when on it is right until the end, not when it was right for a while', () => {
    expect(settledAt(changes, (value) => value === 9, WINDOW)).toBe(190);
  });
  it('at the beginning where it was right before', () => {
    expect(settledAt(changes, (value) => value === 5, { fromMs: 20, untilMs: 130 })).toBe(20);
  });
  it('never where it is wrong at the end', () => {
    expect(settledAt(changes, (value) => value === 8, WINDOW)).toBeNaN();
  });
  it('also to there being none', () => {
    const ending = [...changes, { atMs: 420, value: undefined }];
    expect(settledAt(ending, (value) => value === undefined, { fromMs: 400, untilMs: 500 })).toBe(420);
    expect(settledAt([], (value) => value === undefined, WINDOW)).toBe(100);
  });
  it('valueAt gives what holds at an instant', () => {
    expect([9, 10, 149, 150].map((ms) => valueAt(changes, ms))).toEqual([undefined, 5, 8, 9]);
  });
});

describe('values are steady', () => {
  const at = [10, 20, 30, 40, 50, 60];
  it('from the first of several in a row', () => {
    expect(steadyFrom(at, [1, 9, 1, 9, 9, 9], (value) => value === 9, 2)).toBe(40);
    expect(steadyFrom(at, [1, 9, 1, 9, 9, 9], (value) => value === 9, 1)).toBe(20);
  });
  it('never where there are not as many', () => {
    expect(steadyFrom(at, [1, 9, 1, 9, 9, 9], (value) => value === 9, 4)).toBeNaN();
  });
});

describe('counters', () => {
  /** 1,000 bytes in each 10 ms, from 30 ms on 3,000. */
  const counts = [0, 1, 2, 3, 4, 5, 6].map((step) => ({
    atMs: step * 10,
    bytes: 1000 * step + 2000 * Math.max(0, step - 3),
  }));
  it('give rates over the time before each of them', () => {
    expect(slidingRates(counts, 20)).toEqual([
      { atMs: 20, bps: 800e3 },
      { atMs: 30, bps: 800e3 },
      { atMs: 40, bps: 1600e3 },
      { atMs: 50, bps: 2400e3 },
      { atMs: 60, bps: 2400e3 },
    ]);
  });
  it('that came late give the rate of the time that it was', () => {
    const late = [counts[0]!, counts[1]!, counts[6]!];
    expect(slidingRates(late, 20)).toEqual([{ atMs: 60, bps: (11_000 * 8000) / 50 }]);
  });
  it('give the mean of a time', () => {
    expect(meanRate(counts, 30, 60)).toBe(2400e3);
    expect(meanRate(counts, 31, 39)).toBeNaN();
  });
  it('tell when the first of many bytes had not passed yet', () => {
    expect(passedSince(counts, 10, 1000)).toBe(10);
    expect(passedSince(counts, 10, 2500)).toBe(30);
    expect(passedSince(counts, 10, 50_000)).toBeNaN();
  });
});
