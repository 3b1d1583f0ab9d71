import { describe, expect, it } from 'vitest';
import { beyond, judge, type Target, tried, triedTable } from '../../../bench/report/judge.ts';

const RATE: Target = {
  what: '10Mbps',
  unit: 'bit/s',
  target: 10e6,
  bound: { kind: 'relative', value: 0.01 },
};
const DELAY: Target = { what: '5ms', unit: 'ms', target: 10, bound: { kind: 'absolute', value: 0.15 } };
const measurement = (measured: number) => ({ measured, spread: { low: 1, high: 2 }, samples: 7 });

describe('a row', () => {
  it('is within a part of its target, on both sides', () => {
    expect(judge(RATE, measurement(10.09e6)).verdict).toBe('within');
    expect(judge(RATE, measurement(9.91e6)).verdict).toBe('within');
    expect(judge(RATE, measurement(10.11e6)).verdict).toBe('outside');
    expect(judge(RATE, measurement(9.89e6)).verdict).toBe('outside');
  });
  it('is within an amount of its unit', () => {
    expect(judge(DELAY, measurement(10.14)).verdict).toBe('within');
    expect(judge(DELAY, measurement(9.84)).verdict).toBe('outside');
  });
  it('keeps the signed error, in the kind of its bound', () => {
    expect(judge(RATE, measurement(9.5e6)).error).toBeCloseTo(-0.05);
    expect(judge(DELAY, measurement(10.4)).error).toBeCloseTo(0.4);
  });
  it('is never wrong in the good direction, where there is one', () => {
    const above = { ...DELAY, bound: { ...DELAY.bound, bad: 'above' } } as const;
    expect(judge(above, measurement(3)).verdict).toBe('within');
    expect(judge(above, measurement(10.16)).verdict).toBe('outside');
    const below = { ...RATE, bound: { ...RATE.bound, bad: 'below' } } as const;
    expect(judge(below, measurement(20e6)).verdict).toBe('within');
    expect(judge(below, measurement(9.89e6)).verdict).toBe('outside');
    expect(judge(above, measurement(Number.NaN)).verdict).toBe('outside');
  });
  it('is outside where nothing could be measured, and stays JSON', () => {
    const row = judge(DELAY, measurement(Number.NaN));
    expect(row).toMatchObject({ verdict: 'outside', measured: null, error: null });
  });
  it('has no verdict if the machine is too slow', () => {
    expect(beyond(RATE, 'slow')).toMatchObject({
      verdict: 'beyond',
      measured: null,
      samples: 0,
      note: 'slow',
    });
  });
});

describe('another try', () => {
  async function triesOf(...values: number[]) {
    let next = 0;
    const row = await tried(async () => judge(DELAY, measurement(values[next++]!)));
    return { tries: row.tries, measured: row.measured, asked: next };
  }
  it('is made once, and only for what is outside', async () => {
    expect(await triesOf(10)).toEqual({ tries: 1, measured: 10, asked: 1 });
    expect(await triesOf(11, 10.1)).toEqual({ tries: 2, measured: 10.1, asked: 2 });
    expect(await triesOf(11, 12, 10)).toEqual({ tries: 2, measured: 12, asked: 2 });
  });
  it('is made of a whole table where one row is outside', async () => {
    let asked = 0;
    const table = await triedTable(async () => {
      const rows = [judge(DELAY, measurement(10)), judge(DELAY, measurement(asked++ === 0 ? 11 : 10))];
      return { ...{ id: 't', title: 't', source: '', method: '', sampled: '' }, rows };
    });
    expect({ asked, tries: table.rows.map(({ tries }) => tries) }).toEqual({ asked: 2, tries: [2, 2] });
  });
  it('is not made for what the machine can’t', async () => {
    expect((await tried(async () => beyond(RATE, 'slow'))).tries).toBe(1);
  });
});
