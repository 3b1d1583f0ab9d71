/** What `netfold test` prints and writes of its results. */
import { basename } from 'node:path';
import { EXIT_CODE } from '../../../proto/errors.ts';
import { formatRatio, ratio } from '../../../proto/units.ts';
import { count } from '../../../proto/words.ts';
import type { Judgement } from '../../../topology/judge/judge.ts';
import { annotationsOf, junitOf, sentenceOf, tapOf } from '../../expect/report/files.ts';
import { type RunResult, wilson } from '../../expect/result.ts';
import { nameOfRecord } from '../../record/folders.ts';
import { print, printJson, styled } from '../terminal/output.ts';
import { writeOutput } from '../terminal/write-output.ts';

export interface ResultOptions {
  readonly junit?: string;
  readonly tap?: string;
  readonly json?: boolean;
}

const MARKS: Readonly<Record<Judgement['outcome'], string>> = {
  holds: styled('green', '✓'),
  fails: styled('red', '✗'),
  inconclusive: styled('yellow', '?'),
};

export function linesOf({ file, run, seconds, judgements, record }: RunResult): string[] {
  const again = run > 1 ? `, run ${run}` : '';
  return [
    `${file}${again} (${seconds.toFixed(1)} s)`,
    ...judgements.map((one) => `  ${MARKS[one.outcome]} ${one.expectation.line}: ${sentenceOf(one)}`),
    ...(record === undefined ? [] : [`  its record: netfold records show ${nameOfRecord(record)}`]),
  ];
}

/** `more`: of the JSON. */
export function writeResults(
  results: readonly RunResult[],
  { junit, tap, json }: ResultOptions,
  more: object = {},
): void {
  if (junit !== undefined) writeOutput(junitOf(results), junit);
  if (tap !== undefined) writeOutput(tapOf(results), tap);
  if (process.env.GITHUB_ACTIONS === 'true' && !json) for (const line of annotationsOf(results)) print(line);
  if (json) printJson({ results, ...countsOf(results), ...more });
  else print(summaryOf(results).join('\n'));
}

const countsOf = (results: readonly RunResult[]): Record<Judgement['outcome'], number> => ({
  holds: results.filter(({ outcome }) => outcome === 'holds').length,
  fails: results.filter(({ outcome }) => outcome === 'fails').length,
  inconclusive: results.filter(({ outcome }) => outcome === 'inconclusive').length,
});

export function summaryOf(results: readonly RunResult[]): string[] {
  const { holds, fails, inconclusive } = countsOf(results);
  const parts = [`${holds} hold`, `${fails} fail`, `${inconclusive} inconclusive`];
  const lines = [`${count(results.length, 'run')}: ${parts.join(', ')}`];
  for (const [file, runs] of Map.groupBy(results, (one) => one.file)) {
    const judged = runs.filter(({ outcome }) => outcome !== 'inconclusive');
    if (judged.length < 2) continue;
    const held = judged.filter(({ outcome }) => outcome === 'holds').length;
    const { low, high } = wilson(held, judged.length);
    const part = (value: number): string => formatRatio(ratio(Number(value.toFixed(4))));
    lines.push(
      `${basename(file)} holds in ${part(held / judged.length)} of runs (95 %: ${part(low)} to ${part(high)})`,
    );
  }
  return lines;
}

/** A machine that can't run it says so; all else that can't be judged is not the application's. */
export function exitCodeOf(results: readonly RunResult[]): number {
  const { fails, inconclusive } = countsOf(results);
  if (fails > 0) return EXIT_CODE.input;
  if (results.some(({ blame }) => blame === 'machine')) return EXIT_CODE.machine;
  return inconclusive > 0 ? EXIT_CODE.internal : 0;
}
