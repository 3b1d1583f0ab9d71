import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compareRecords, compareWithFirst } from '../../../controller/record/compare/compare.ts';
import {
  adjusted,
  leastPairs,
  signedRankProbability,
} from '../../../controller/record/compare/signed-rank.ts';
import { RunDatabase } from '../../../controller/record/database.ts';
import { writeDescription } from '../../../controller/record/description.ts';
import { overlaidCharts, overlaidPage } from '../../../controller/record/report/overlaid.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'netfold-compare-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Numbers in 0..1 that are the same in every run of the test. */
function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
}

interface Run {
  readonly seconds?: number;
  readonly rate?: number;
  readonly roundTripMs?: number;
  readonly seed: number;
  readonly hash?: string;
}

/** A flow with 10 % of noise, and a path with a tenth of a millisecond. */
function record(
  id: string,
  { seconds = 120, rate = 10e6, roundTripMs = 40, seed, hash = 'same' }: Run,
): string {
  const folder = mkdtempSync(join(root, id));
  const random = noise(seed);
  const moments = Array.from({ length: seconds }, (_, second) => ({
    tMs: second * 1000 + 3,
    flows: [
      {
        source: 'a',
        destination: 'b',
        rateBps: rate * (0.95 + 0.1 * random()),
        shareBps: null,
        limitedBy: null,
      },
    ],
    paths: [
      { source: 'a', destination: 'b', targetMs: 40, measuredMs: roundTripMs + 0.1 * random(), lost: 0 },
    ],
    agents: [{ host: 'host0', cpuSeconds: second, memoryBytes: 1, tickMs: 1 }],
    clocks: [],
  }));
  const database = new RunDatabase(join(folder, 'run.sqlite'));
  database.append({ moments, events: [], epochs: [], verdicts: [], positions: [] });
  database.complete();
  const at = '2026-01-01T00:00:00.000Z';
  writeDescription(folder, {
    ...{ format: 1, id, experiment: 'lab', state: 'complete', writer: null },
    ...{ startedAt: at, beganAt: at, endedAt: at },
    versions: { netfold: '0.1.0', commit: null, node: '24' },
    machine: { cpu: 'x', cores: 2, memoryGiB: 1, virtual: null, distribution: 'd', kernel: 'k' },
    ...{ platform: 'lab', delayBackend: 'netem', hosts: ['host0'], endpoints: 2, seeds: { host0: 1 } },
    ...{ topology: { file: 'lab.yaml', hash, texts: ['topology.yaml'] }, problems: [], files: {} },
  });
  return folder;
}

describe('the signed-rank test', () => {
  it('counts all assignments of signs where it can', () => {
    // Of 64, the real one and its opposite are the most extreme.
    expect(signedRankProbability([1, 2, 3, 4, 5, 6])).toBe(2 / 64);
    expect(signedRankProbability([1, -1, 1, -1, 1, -1])).toBe(1);
    expect(signedRankProbability([0, 0, 0, 0, 0, 0])).toBe(1);
    expect(signedRankProbability([1, 2, 3, 4, 5])).toBeNaN();
  });
  it('lets one interval count no more than any other', () => {
    const slower = [2, 2.1, 1.9, 2.2, 1.8, 2.05, 1.95, 2.15, 1.85, 2.3, 1.7, 2.4, -40];
    expect(signedRankProbability(slower)).toBeLessThan(0.05);
    expect(signedRankProbability(slower.map((one) => 1e3 * one))).toBe(signedRankProbability(slower));
  });
  it('says of chance that it is chance, as often as it should', () => {
    const random = noise(1);
    const rare = Array.from({ length: 400 }, () =>
      signedRankProbability(Array.from({ length: 10 }, () => random() - 0.5)),
    ).filter((p) => p <= 0.05).length;
    // 20 are expected; 99.9 % of all binomial counts are within.
    expect(rare).toBeGreaterThan(6);
    expect(rare).toBeLessThan(37);
  });
  it('is adjusted for many by Holm', () => {
    expect(adjusted([0.01, 0.04, 0.03])).toEqual([0.03, 0.06, 0.06]);
    expect(adjusted([Number.NaN, 0.5, 0.9])).toEqual([Number.NaN, 1, 1]);
  });
});

describe('two records', () => {
  it('of the same run are the same, ten times of ten', () => {
    const first = record('a', { seed: 1 });
    for (let seed = 2; seed < 12; seed++) {
      const { same, results, inputs } = compareRecords(first, record(`b${seed}`, { seed }));
      expect(results.map(({ kind, verdict }) => [kind, verdict])).toEqual([
        ['flow', 'same'],
        ['path', 'same'],
      ]);
      expect([same, inputs]).toEqual([true, []]);
    }
  });
  it('differ where a path is 2 ms slower, and only there', () => {
    const found = compareRecords(
      record('a', { seed: 1 }),
      record('b', { seed: 2, roundTripMs: 42, hash: 'other' }),
    );
    expect(found.same).toBe(false);
    expect(found.results.map(({ verdict }) => verdict)).toEqual(['same', 'differs']);
    expect(found.results[1]!.difference).toBeCloseTo(2, 1);
    expect(found.inputs).toEqual([{ what: 'topology', a: 'same', b: 'other' }]);
  });
  it('differ where a flow got a tenth less', () => {
    const { results } = compareRecords(record('a', { seed: 1 }), record('b', { seed: 2, rate: 9e6 }));
    expect(results.map(({ verdict }) => verdict)).toEqual(['differs', 'same']);
  });
  it('are compared over the time that both have, if that says anything', () => {
    const long = record('a', { seed: 1 });
    expect(compareRecords(long, record('b', { seed: 2, seconds: 41 })).comparedMs).toBe(40_003);
    const short = compareRecords(long, record('c', { seed: 3, seconds: 12 }));
    expect(short.results.map(({ verdict, probability }) => [verdict, probability])).toEqual([
      ['too short', null],
      ['too short', null],
    ]);
  });
});

describe('several records', () => {
  it('are compared with the first, with one chance of a wrong word for all', () => {
    const first = record('a', { seed: 1 });
    const others = [2, 3, 4].map((seed) => record(`b${seed}`, { seed }));
    const slower = record('c', { seed: 9, roundTripMs: 42 });
    const found = compareWithFirst(first, [...others, slower]);
    expect(found.map(({ same }) => same)).toEqual([true, true, true, false]);
    const alone = compareRecords(first, slower).results.map(({ probability }) => probability!);
    const among = found[3]!.results.map(({ probability }) => probability!);
    for (const [index, probability] of among.entries())
      expect(probability).toBeGreaterThanOrEqual(alone[index]!);
  });

  it('are one page, with their lines one over the other', () => {
    const folders = [
      record('first', { seed: 1 }),
      record('second', { seed: 2, roundTripMs: 42, seconds: 60 }),
    ];
    const comparisons = compareWithFirst(folders[0]!, folders.slice(1));
    const charts = overlaidCharts(folders, comparisons, 119_003);
    expect(charts.map(({ kind, source, destination }) => `${kind} ${source} ${destination}`)).toEqual([
      'flow a b',
      'path a b',
    ]);
    const [, paths] = charts;
    expect(paths!.seconds).toHaveLength(120);
    const [first, second] = paths!.lines;
    expect(second![30]! - first![30]!).toBeGreaterThan(1.5);
    expect(second![90]).toBeNull();
    expect(first![90]).toBeGreaterThan(39);
    const page = overlaidPage(folders, comparisons, ['<edited>']);
    const texts = [
      '✗ they differ',
      '&lt;edited&gt;',
      'second beside first',
      '"overlaid-path-0"',
      'id="overlaid-flow-0"',
    ];
    expect(texts.filter((text) => !page.includes(text))).toEqual([]);
    expect(/(src|href)="http/.test(page)).toBe(false);
  });
});

describe('how many pairs are enough', () => {
  const clearest = (pairs: number): number => signedRankProbability(Array<number>(pairs).fill(1));

  it.each([1, 2, 5, 8, 40, 41, 100, 101, 600, 5000])(
    'for %i tests: as many as the clearest difference needs',
    (tests) => {
      const pairs = leastPairs(tests, 0.01);
      expect(tests * clearest(pairs)).toBeLessThan(0.01);
      expect(pairs).toBeLessThan(40);
    },
  );

  it.each([2, 5, 8, 40])('for %i tests: with one less, nothing would differ', (tests) => {
    expect(tests * clearest(leastPairs(tests, 0.01) - 1)).toBeGreaterThanOrEqual(0.01);
  });
});
