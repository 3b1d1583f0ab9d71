/** Tables of the benches of size and cost: which row is held against which bound. */
import { describe, expect, it } from 'vitest';
import { forecast } from '../../../bench/all.ts';
import type { Bench } from '../../../bench/bench.ts';
import { BENCHES } from '../../../bench/benches.ts';
import type { CpuRun } from '../../../bench/cpu/model.ts';
import * as cpu from '../../../bench/cpu/tables.ts';
import type { CpuUse } from '../../../bench/measure/cpu/cpu-watch.ts';
import type { CrowdError } from '../../../bench/measure/traffic/ping-crowd.ts';
import { tablesOf as overheadTables, type Pair } from '../../../bench/overhead/tables.ts';
import { publishedCpu, publishedError, publishedErrors } from '../../../bench/published.ts';
import type { Table } from '../../../bench/report/model.ts';
import { figuresOf } from '../../../bench/scale/figures.ts';
import type { ScaleRun } from '../../../bench/scale/model.ts';
import * as scale from '../../../bench/scale/tables.ts';
import * as setup from '../../../bench/setup/tables.ts';
import { parseSizes } from '../../../bench/sizes.ts';

function use(...agents: readonly number[]): CpuUse {
  return {
    agents: agents.map((cores) => [cores, cores]),
    traffic: [0.3, 0.3],
    bench: [0, 0],
    softirq: [0, 0],
    machine: [0.8, 1],
    stolen: [0, 0],
    threads: new Map([['line', 0.02]]),
    seconds: 10,
  };
}

/** The verdict of a row: `within`, `outside` or `told`. */
const verdict = (tables: readonly Table[], what: string): string | undefined =>
  tables.flatMap(({ rows }) => rows).find((row) => row.what === what)?.verdict;

describe('cpu', () => {
  const run = (...agents: number[]): CpuRun => ({
    nodes: 200,
    use: use(...agents),
    heldPerSecond: 1234.4,
    work: undefined,
    memory: agents.map((_, index) => ({ nowBytes: 1e8 * (index + 1), mostBytes: 4e8 })),
    spent: [],
  });

  it('allows each agent 5 %, and all of them 10 %', () => {
    const fine = cpu.tablesOf([run(0.049, 0.04)], 'delay-line');
    expect(verdict(fine, '200 nodes: the busiest agent')).toBe('within');
    expect(verdict(fine, '200 nodes: all agents')).toBe('within');
    const busy = cpu.tablesOf([run(0.051, 0.05)], 'delay-line');
    expect(verdict(busy, '200 nodes: the busiest agent')).toBe('outside');
    expect(verdict(busy, '200 nodes: all agents')).toBe('outside');
  });

  it('has packets and the largest agent, and draws all agents together', () => {
    const tables = cpu.tablesOf([run(0.02, 0.03)], 'delay-line');
    expect(tables[0]!.rows.at(-1)!.note).toBe('1,234 packets/s held');
    expect(tables[2]!.rows[0]).toMatchObject({ measured: 200, note: '400 MB at most' });
    const [all] = cpu.figureOf([run(0.02, 0.03)]).plot.series;
    expect(all!.points).toEqual([[200, 5]]);
  });
});

describe('scale', () => {
  const error = (meanSquaredMs2: number, received = 4): CrowdError => ({
    sent: 4,
    received,
    meanSquaredMs2,
    pairsMs2: [0.001, 0.003],
    excessMs: [0.1, 0.3],
  });
  const run = (ms2: number, cores: number, memoryBytes: number, received?: number): ScaleRun => ({
    nodes: 4000,
    names: ['a.0', 'b.0'],
    idle: use(0.01),
    first: error(9, received),
    steady: { error: error(ms2), use: use(cores) },
    unshaped: { error: error(0.002), use: use() },
    span: { fromMicros: 0, untilMicros: 1 },
    work: undefined,
    memoryBytes,
    mostMemoryBytes: 5e8,
    spent: [],
  });
  const NAME = '4,000 nodes, 2 endpoints';

  it('judges error, time and memory', () => {
    const fine = scale.tablesOf([run(0.029, 0.09, 3.9e8)], 'delay-line');
    expect(verdict(fine, NAME)).toBe('within');
    expect(fine.flatMap(({ rows }) => rows).filter((row) => row.verdict === 'outside')).toEqual([]);
    const bad = scale.tablesOf([run(0.031, 0.11, 4.1e8, 3)], 'delay-line');
    const outside = bad.filter(({ rows }) => rows.some((row) => row.verdict === 'outside'));
    expect(outside.map(({ id }) => id)).toEqual(['scale-cpu', 'scale-error', 'scale-first', 'scale-memory']);
  });

  it('has the machine’s own error, and what is published, beside', () => {
    const table = scale.tablesOf([run(0.01, 0.05, 1e8)], 'delay-line')[1]!;
    expect(table.rows[0]!.note).toBe(
      'the median pair has 0.0020 ms²; published: 0.065 ms² on four hosts with 64 cores each',
    );
    expect(verdict([table], `${NAME}, without netfold`)).toBe('told');
    const [, figure] = figuresOf([run(0.01, 0.05, 1e8)]);
    const drawn = figure!.plot.series.map(({ name, points }) => [name, points[0]![1]]);
    expect(drawn).toEqual([
      ['netfold', 0.01],
      ['this machine without netfold', 0.002],
      ['Kollaps 2.0, as published', 0.065],
    ]);
  });

  it('quotes only sizes that are published', () => {
    expect(publishedError(60)).toBe('');
    expect(publishedCpu(2000)).toBe('');
    expect(publishedCpu(4000)).toContain('3.8 cores busy on each of four hosts');
    expect(publishedErrors([500, 60, 2000])).toEqual([
      [500, 0.03],
      [2000, 0.046],
    ]);
  });
});

describe('setup', () => {
  const round = (up: number, down: number) => ({
    up: { planning: 1, endpoints: 2, agentStart: 3, shaping: up - 6, whole: up, agentCpu: 5 },
    down: { agentStop: down - 1, namespaces: 1, whole: down },
  });
  const tables = (...rounds: ReturnType<typeof round>[]) =>
    setup.tablesOf([{ nodes: 4000, endpoints: 2668, rounds, spent: [] }], 'delay-line');

  it('judges the medians of the rounds', () => {
    const fine = tables(round(29, 14), round(20, 9), round(90, 90));
    expect(verdict(fine, '2,668 endpoints: up')).toBe('within');
    expect(verdict(fine, '2,668 endpoints: down')).toBe('within');
    const bad = tables(round(31, 16));
    expect(verdict(bad, '2,668 endpoints: up')).toBe('outside');
    expect(verdict(bad, '2,668 endpoints: down')).toBe('outside');
  });

  it('has stages that add up', () => {
    const [, stages] = tables(round(29, 14));
    const measured = stages!.rows.map((row) => row.measured!);
    expect(measured.slice(0, 4).reduce((sum, one) => sum + one)).toBe(29);
    expect(measured.slice(4, 6).reduce((sum, one) => sum + one)).toBe(14);
  });
});

describe('overhead', () => {
  const tables = (rates: readonly Pair[], delays: readonly Pair[]) =>
    overheadTables({
      rates,
      delays,
      effort: { tcp: { seconds: 4 }, pings: { count: 9, intervalMs: 10 } },
      backend: 'delay-line',
    });
  const RATIO = 'netfold by HTB set by hand';
  const ADDED = 'added to a round trip';

  it('compares round by round', () => {
    const rates = [
      { netfold: 99, bare: 100 },
      { netfold: 49, bare: 50 },
      { netfold: 10, bare: 20 },
    ];
    const delays = [
      { netfold: 0.05, bare: 0.04 },
      { netfold: 0.09, bare: 0.08 },
      { netfold: 0.9, bare: 0.1 },
    ];
    const fine = tables(rates, delays);
    expect(fine[0]!.rows[0]!.measured).toBeCloseTo(0.98);
    expect(fine[1]!.rows[0]!.measured).toBeCloseTo(0.01);
  });

  it('allows 2 % and 20 µs, and more throughput or less latency than without', () => {
    const one = (netfold: number, bare: number): Pair[] => [{ netfold, bare }];
    expect(verdict(tables(one(97, 100), one(0.061, 0.04)), RATIO)).toBe('outside');
    expect(verdict(tables(one(97, 100), one(0.061, 0.04)), ADDED)).toBe('outside');
    expect(verdict(tables(one(150, 100), one(0.01, 0.09)), RATIO)).toBe('within');
    expect(verdict(tables(one(150, 100), one(0.01, 0.09)), ADDED)).toBe('within');
  });
});

describe('the command line', () => {
  it('reads sizes', () => {
    expect(parseSizes('20,50', 'nodes')).toEqual([20, 50]);
    expect(parseSizes(undefined, 'nodes')).toBeUndefined();
    for (const text of ['', '20,', '1', '2.5', 'all']) {
      const wrong = expect.objectContaining({ code: 'SIZES_WRONG' });
      expect(() => parseSizes(text, 'nodes'), text).toThrow(wrong);
    }
  });

  it('says how long all benches take', () => {
    const benches = [
      { minutes: { whole: 7, quick: 1 } },
      { minutes: { whole: 20.5, quick: 0.2 } },
    ] as unknown as Bench[];
    const noon = new Date(2026, 0, 1, 12, 0);
    expect(forecast(benches, false, noon)).toBe('2 benches, about 28 minutes, until 12:27');
    expect(forecast(benches, true, noon)).toBe('2 benches, about 2 minutes, until 12:01');
  });

  it('has each bench once', () => {
    const names = BENCHES.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining(['cpu', 'scale', 'setup', 'shares', 'overhead']));
  });
});
