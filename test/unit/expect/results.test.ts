/** What `netfold test` runs, and what it says of many runs. */
import { describe, expect, it } from 'vitest';
import { exitCodeOf, summaryOf } from '../../../controller/cli/records/test-results.ts';
import { tasksOf } from '../../../controller/cli/records/test-runs.ts';
import type { RunResult } from '../../../controller/expect/result.ts';

const result = (run: number, outcome: RunResult['outcome'], more: Partial<RunResult> = {}): RunResult => ({
  ...{ file: 'tests/lab.yaml', run, seconds: 1, outcome, judgements: [], ...more },
});

describe('what is run', () => {
  it('is each file so often, one after the other', () => {
    const tasks = [...tasksOf(['a.yaml', 'b.yaml'], { repeat: 2 }, new Set())];
    expect(tasks.map(({ file, run }) => `${file} ${run}`)).toEqual([
      'a.yaml 1',
      'a.yaml 2',
      'b.yaml 1',
      'b.yaml 2',
    ]);
  });
  it('is each file until it fails, then the next', () => {
    const failed = new Set<string>();
    const seen: string[] = [];
    for (const { file, run } of tasksOf(['a.yaml', 'b.yaml'], { repeat: 1, untilFail: true }, failed)) {
      seen.push(`${file} ${run}`);
      if (run === (file === 'a.yaml' ? 3 : 1)) failed.add(file);
    }
    expect(seen).toEqual(['a.yaml 1', 'a.yaml 2', 'a.yaml 3', 'b.yaml 1']);
  });
});

describe('what is said of several runs', () => {
  const runs = [
    ...[1, 2, 3, 4, 5, 6, 7, 8].map((run) => result(run, 'holds')),
    ...[9, 10].map((run) => result(run, 'fails')),
    result(11, 'inconclusive'),
  ];
  it('is in which part of them it holds, with the interval; those that could not be judged do not count', () => {
    expect(summaryOf(runs)).toEqual([
      '11 runs: 8 hold, 2 fail, 1 inconclusive',
      'lab.yaml holds in 80% of runs (95 %: 49.02% to 94.33%)',
    ]);
    expect(summaryOf(runs.slice(-2))).toHaveLength(1);
  });
  it('is an exit code: 1 if one fails, 3 if the machine can not, 4 if none could be judged', () => {
    expect(exitCodeOf(runs)).toBe(1);
    expect(exitCodeOf(runs.slice(0, 8))).toBe(0);
    expect(exitCodeOf([result(1, 'holds'), result(2, 'inconclusive')])).toBe(4);
    expect(exitCodeOf([result(1, 'inconclusive', { blame: 'machine' })])).toBe(3);
  });
});
