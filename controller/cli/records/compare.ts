/** `netfold compare`: records side by side. */
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
  compareWithFirst,
  SIGNIFICANCE,
} from '../../record/compare/compare.ts';
import { readDescription } from '../../record/description.ts';
import { findRecord, nameOfRecord } from '../../record/folders.ts';
import { print, printJson, styled, table, warn } from '../terminal/output.ts';
import { writeOutput } from '../terminal/write-output.ts';
import { editedIn } from './export.ts';

const HELP = `
  netfold compare lab@2026-11-30T10 lab@2026-11-30T11
  netfold compare first second third -o compared.html      the first with each of the others, and all in one page

Means of ${millisToSeconds(BUCKET_MS)} s are compared with those of the same time in the other run, by a signed-rank test; what differs is told with a
chance of ${formatRatio(ratio(SIGNIFICANCE))} at most that any of it is chance. docs/records.md has the rest. Exit code 1 if anything differs.`;

export function addCompareCommand(program: Command): void {
  program
    .command('compare <a> <b> [more...]')
    .description('what differs between recorded runs, and whether by more than chance')
    .option('-o, --output <file>', 'write a page with all of them, one over the other')
    .option('--json', 'print JSON; of more than two records, a list')
    .addHelpText('after', HELP)
    .action((a: string, b: string, more: readonly string[], options: CompareOptions) =>
      compare([a, b, ...more], options),
    );
}

interface CompareOptions {
  readonly output?: string;
  readonly json?: boolean;
}

async function compare(given: readonly string[], { output, json }: CompareOptions): Promise<void> {
  const folders = given.map((one) => findRecord(one));
  const edits: string[] = [];
  for (const folder of folders)
    for (const edit of await editedIn(folder, readDescription(folder)))
      edits.push(`${nameOfRecord(folder)}: ${edit}`);
  for (const edit of edits) warn(edit);
  const comparisons = compareWithFirst(folders[0]!, folders.slice(1));
  if (json) printJson(comparisons.length === 1 ? comparisons[0] : comparisons);
  else print(comparisons.map((one) => linesOf(one).join('\n')).join('\n\n'));
  if (output !== undefined) {
    const { overlaidPage } = await import('../../record/report/overlaid.ts');
    writeOutput(overlaidPage(folders, comparisons, edits), output);
  }
  if (comparisons.some(({ same }) => !same)) process.exitCode = EXIT_CODE.input;
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
