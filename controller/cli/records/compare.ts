/** `netfold compare`: two records side by side. */
import type { Command } from 'commander';
import { EXIT_CODE } from '../../../proto/errors.ts';
import {
  formatMicros,
  formatRate,
  formatRatio,
  fromMillis,
  millisToSeconds,
  ratio,
} from '../../../proto/units.ts';
import {
  BUCKET_MS,
  type Compared,
  type Comparison,
  compareRecords,
  SIGNIFICANCE,
} from '../../record/compare/compare.ts';
import { readDescription } from '../../record/description.ts';
import { findRecord, nameOfRecord } from '../../record/folders.ts';
import { print, printJson, styled, table, warn } from '../terminal/output.ts';
import { editedIn } from './export.ts';

const HELP = `
  netfold compare lab@2026-11-30T10 lab@2026-11-30T11

Means of ${millisToSeconds(BUCKET_MS)} s are compared with those of the same time in the other run, by a sign-flip test; what differs is told with a
chance of ${formatRatio(ratio(SIGNIFICANCE))} at most that any of it is chance. docs/records.md has the rest. Exit code 1 if anything differs.`;

export function addCompareCommand(program: Command): void {
  program
    .command('compare <a> <b>')
    .description('what differs between two recorded runs, and whether by more than chance')
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action(async (a: string, b: string, { json }: { json?: boolean }) => {
      const folders = [findRecord(a), findRecord(b)] as const;
      for (const folder of folders)
        for (const edit of await editedIn(folder, readDescription(folder)))
          warn(`${nameOfRecord(folder)}: ${edit}`);
      const comparison = compareRecords(...folders);
      if (json) printJson(comparison);
      else print(linesOf(comparison).join('\n'));
      if (!comparison.same) process.exitCode = EXIT_CODE.input;
    });
}

function linesOf({ a, b, inputs, comparedMs, results, same }: Comparison): string[] {
  const lines = [`a: ${a}`, `b: ${b}`, `compared: the first ${formatMicros(fromMillis(comparedMs))}`, ''];
  if (inputs.length > 0)
    lines.push(
      table(
        ['differs in what was run', 'a', 'b'],
        inputs.map((one) => [one.what, one.a, one.b]),
      ),
      '',
    );
  const rows = results.map((one) => [
    `${one.source} → ${one.destination}`,
    value(one, one.a),
    value(one, one.b),
    `${one.difference < 0 ? '−' : '+'}${value(one, Math.abs(one.difference))}`,
    one.effectSize === null ? '' : one.effectSize.toFixed(2),
    one.probability === null ? '' : one.probability.toPrecision(2),
    one.verdict === 'differs' ? styled('red', one.verdict) : one.verdict,
  ]);
  if (rows.length > 0)
    lines.push(
      table(['flow or path', 'a', 'b', 'difference', 'effect size', 'p', ''], rows, [1, 2, 3, 4, 5]),
      '',
    );
  lines.push(same ? 'no difference beyond chance' : 'they differ');
  return lines;
}

const value = ({ kind }: Compared, number: number): string =>
  kind === 'flow' ? formatRate(number) : `${number.toFixed(3)} ms`;
