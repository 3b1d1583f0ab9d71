import { describe, expect, it } from 'vitest';
import { axisOf } from '../../../controller/workbench/studies/axis.ts';
import { readStudy } from '../../../controller/workbench/studies/definition.ts';
import { valueIn, wantedOf } from '../../../controller/workbench/studies/extract.ts';
import type { RunLine } from '../../../controller/workbench/studies/journal.ts';
import { spaceOf } from '../../../controller/workbench/studies/points.ts';
import { isNarrow, Progress, runAll, type Task } from '../../../controller/workbench/studies/schedule.ts';
import { studentT, summarize } from '../../../controller/workbench/studies/statistics.ts';
import { csv } from '../../../controller/workbench/studies/table.ts';

const study = (rest: string) => readStudy(`study: s\ntopology: lab.yaml\n${rest}`, 's.yaml');
const points = (rest: string): string[] => {
  const space = spaceOf(study(rest));
  return Array.from({ length: space.count }, (_, index) =>
    Object.values(space.at(index).parameters).join(' '),
  );
};

describe('the points of a study', () => {
  it('are a grid, a zip, or a list', () => {
    expect(points('parameters: { a: [1, 2], b: [x, y, z] }')).toEqual([
      '1 x',
      '1 y',
      '1 z',
      '2 x',
      '2 y',
      '2 z',
    ]);
    expect(points('parameters: { a: [1, 2], b: [x, y], c: k }\ncombine: zip')).toEqual(['1 x k', '2 y k']);
    expect(points('list: [{ a: 1, b: x }, { a: 2, b: y }]')).toEqual(['1 x', '2 y']);
  });
  it('have ranges, linear and logarithmic', () => {
    expect(points('parameters: { a: { from: 0ms, to: 10ms, steps: 5 } }')).toEqual([
      '0ms',
      '2.5ms',
      '5ms',
      '7.5ms',
      '10ms',
    ]);
    expect(points('parameters: { a: { from: 1Mbps, to: 100Mbps, steps: 3, scale: log } }')).toEqual([
      '1Mbps',
      '10Mbps',
      '100Mbps',
    ]);
  });
  it('are drawn from a seed', () => {
    const text = (seed: number) =>
      `parameters: { a: { from: 0ms, to: 10ms }, b: [x, y] }\ncombine: random\npoints: 200\nseed: ${seed}`;
    const drawn = points(text(7));
    expect(points(text(7))).toEqual(drawn);
    expect(points(text(8))).not.toEqual(drawn);
    const numbers = drawn.map((one) => Number.parseFloat(one));
    expect(numbers.every((one) => one >= 0 && one <= 10)).toBe(true);
    expect(numbers.reduce((sum, one) => sum + one, 0) / 200).toBeCloseTo(5, -0.5);
    expect(drawn.filter((one) => one.endsWith('x')).length).toBeGreaterThan(70);
  });
  it('of a million need no memory before they are used', () => {
    const steps = (name: string) => `${name}: { from: 1, to: 100, steps: 100 }`;
    const space = spaceOf(study(`parameters: { ${['a', 'b', 'c'].map(steps).join(', ')} }`));
    expect(space.count).toBe(1_000_000);
    expect(space.at(999_999).parameters).toEqual({ a: '100', b: '100', c: '100' });
  });
  it.each([
    ['parameters: { a: [1, 2], b: [1, 2, 3] }\ncombine: zip', 'a has 2 values, and others have 3'],
    ['parameters: { a: { from: 1ms, to: 2s, steps: 3 } }', 'from is in "ms" and to in "s"'],
    ['parameters: { a: { from: 0, to: 2, steps: 3, scale: log } }', 'no 0'],
    ['parameters: { a: { from: 0, to: 2 } }', 'how many values'],
    ['parameters: { a: [1] }\npoints: 3', 'points: belongs to combine: random'],
    ['', 'no parameters'],
    ['list: [{ a: 1 }, { b: 1 }]', 'same parameters'],
    ['parameters: { a: [1] }\nrepaet: 3', 's.yaml:1: '],
    ['parameters: { a: [1] }\nresults: { r: { log: x } }', 'where in the log'],
    ['parameters: { a: [1] }\nresults: { r: { log: x, pattern: "(" } }', 'Invalid regular expression'],
    ['parameters: { a: [1] }\nuntil: { result: r, within: 5% }', 'there is no result "r"'],
    ['parameters: { a: [1] }\nresults: { r: rtt a b }\nuntil: { result: r, within: wide }', 'is no width'],
    ['parameters: { a: [1] }\nduration: 5', 'duration'],
  ])('%j is refused', (text, message) => {
    expect(() => spaceOf(study(text))).toThrow(message);
  });
});

describe('a result', () => {
  const take = (log: string, how: Record<string, string>): number =>
    valueIn(log, 'r', { log: 'a', take: 'last', unit: '', ...how } as Parameters<typeof valueIn>[2]);
  it('is a number in a log', () => {
    const log = 'rtt 5\nnoise\nrtt 7.5\n';
    expect(take(log, { pattern: 'rtt ([\\d.]+)' })).toBe(7.5);
    expect(take(log, { pattern: '^rtt ([\\d.]+)$', take: 'first' })).toBe(5);
    expect(take(log, { pattern: 'rtt ([\\d.]+)', take: 'mean' })).toBe(6.25);
    expect(take(log, { pattern: 'nothing', take: 'count' })).toBe(0);
    expect(() => take(log, { pattern: 'nothing' })).toThrow('nothing that matches');
    expect(() => take(log, { pattern: '(noise)' })).toThrow('is no number');
  });
  it('is a number in JSON, also between other lines, or of lines', () => {
    expect(
      take('warning: x\n{ "end": {\n "rates": [{ "bps": 3 }, { "bps": 4e6 }] } }\ndone\n', {
        json: 'end.rates.1.bps',
      }),
    ).toBe(4e6);
    expect(take('{"a":1}\nnoise\n{"a":2}\n', { json: 'a', take: 'sum' })).toBe(3);
    expect(take('{"a":[1,5,3]}', { json: 'a.*', take: 'max' })).toBe(5);
    expect(() => take('{"a":{}}', { json: 'a.b' })).toThrow('nothing at a.b');
    expect(() => take('{"a":{}}', { json: 'constructor.name' })).toThrow('nothing at');
  });
  it('names endpoints that the topology has', () => {
    const wanted = (results: Parameters<typeof wantedOf>[0]['results']) =>
      wantedOf({ results }, 's.yaml', ['a.0', 'b.0']);
    expect(wanted({ r: 'rtt a b p99 from 1s to 2s' }).measures.get('r')).toMatchObject({
      what: 'rtt',
      statistic: { part: 0.99 },
    });
    expect(wanted({ r: 'rtt a b' }).units.get('r')).toBe('ms');
    expect(() => wanted({ r: 'rtt a c' })).toThrow('no endpoint c.0');
    expect(() => wanted({ r: 'delay a b' })).toThrow('is no measure');
    expect(() => wanted({ r: 'rtt a b sometimes' })).toThrow('a comparison');
  });
});

describe('intervals', () => {
  it("are Student's", () => {
    // From the table in Abramowitz and Stegun, 26.10.
    for (const [freedom, t] of [
      [1, 12.706],
      [2, 4.303],
      [3, 3.182],
      [4, 2.776],
      [10, 2.228],
      [30, 2.042],
      [120, 1.98],
    ] as const)
      expect(studentT(0.95, freedom)).toBeCloseTo(t, 3);
    expect(studentT(0.99, 5)).toBeCloseTo(4.032, 3);
    const { mean, low, high, deviation } = summarize([1, 2, 3, 4, 5])!;
    expect(mean).toBe(3);
    expect(deviation).toBeCloseTo(Math.sqrt(2.5), 12);
    expect(high! - low!).toBeCloseTo((2 * 2.7764 * Math.sqrt(2.5)) / Math.sqrt(5), 3);
    expect(summarize([7])).toMatchObject({ mean: 7, low: null, high: null });
    expect(summarize([])).toBeUndefined();
  });
  it('decide when a point is known', () => {
    const until = { result: 'r', within: { part: 0.05 }, confidence: 0.95, least: 3, most: 9 };
    expect(isNarrow([100, 101], until)).toBe(false);
    expect(isNarrow([100, 101, 99], until)).toBe(true);
    expect(isNarrow([100, 120, 80], until)).toBe(false);
    expect(isNarrow([100, 120, 80], { ...until, within: { amount: 60 } })).toBe(true);
  });
});

const line = (rest: Partial<RunLine>): RunLine => ({
  ...{ kind: 'run', key: 'k', point: 0, parameters: {}, repetition: 1, state: 'ok', reason: '' },
  ...{ expectations: null, results: {}, startedAt: '', seconds: 1, beside: 0, kept: null },
  ...rest,
});

describe('runs', () => {
  const tasks = (count: number): Task[] =>
    Array.from({ length: count }, (_, point) => ({ point, repetition: 1 }));

  it('go on side by side, and what is not ok once more, alone', async () => {
    const log: string[] = [];
    let [running, most] = [0, 0];
    const tried = new Map<number, number>();
    const run = async ({ point }: Task, alone: boolean) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      tried.set(point, (tried.get(point) ?? 0) + 1);
      log.push(`${point}${alone ? ' alone' : ''}`);
      if (point === 1) return 'failed' as const;
      return point === 2 && !alone ? ('unfaithful' as const) : ('ok' as const);
    };
    await runAll(tasks(5), { jobs: 2, tries: 3 }, { run, tell: () => {} });
    expect(most).toBe(2);
    expect(log.slice(0, 5).sort()).toEqual(['0', '1', '2', '3', '4']);
    expect(log.slice(5)).toEqual(['1 alone', '1 alone', '2 alone']);
  });
  it('become fewer where the machine does not keep them faithful', async () => {
    const told: string[] = [];
    const run = async (_: Task, alone: boolean) => (alone ? ('ok' as const) : ('unfaithful' as const));
    const jobs = await runAll(tasks(20), { jobs: 3, tries: 2 }, { run, tell: (text) => told.push(text) });
    expect(jobs).toBe(1);
    expect(told).toHaveLength(2);
  });
  it('end when the study ends', async () => {
    let runs = 0;
    const run = async () => (++runs > 3 ? undefined : ('failed' as const));
    await runAll(tasks(100), { jobs: 2, tries: 3 }, { run, tell: () => {} });
    expect(runs).toBeLessThan(7);
  });
  it('that are ok stay so, and only they have results', () => {
    const progress = new Progress([
      line({ repetition: 1, state: 'failed' }),
      line({ repetition: 1, results: { r: 5 } }),
      line({ repetition: 2, state: 'unfaithful', results: { r: 9 } }),
      line({ repetition: 1, state: 'failed' }),
    ]);
    expect(progress.isDone('k', 1)).toBe(true);
    expect(progress.isDone('k', 2)).toBe(false);
    expect(progress.valuesOf('k', 'r')).toEqual([5]);
    expect(progress.runsOf('k').map(({ state }) => state)).toEqual(['ok', 'unfaithful']);
  });
});

it('values of a parameter are numbers on an axis, whatever units they are written in', () => {
  expect(axisOf(['500Kbps', '1Mbps'])).toEqual({ unit: 'Mb/s', numbers: [0.5, 1] });
  expect(axisOf(['1ms', '1s'])).toEqual({ unit: 'ms', numbers: [1, 1000] });
  expect(axisOf(['0%', '2.5%'])).toEqual({ unit: '%', numbers: [0, 2.5] });
  expect(axisOf(['3', '10'])).toEqual({ unit: '', numbers: [3, 10] });
  expect(axisOf(['cubic', 'bbr']).numbers).toBeNull();
});

it('a CSV file quotes what needs it, and has no formulas', () => {
  expect(
    csv([
      ['a,b', 1.5, null],
      ['say "x"', '=cmd()', '-5ms'],
    ]),
  ).toBe('"a,b",1.5,\n"say ""x""",\'=cmd(),-5ms\n');
});
