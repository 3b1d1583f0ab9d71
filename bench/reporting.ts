/** What all benches have in common: measure, print, save. */
import { relative } from 'node:path';
import { print, step, table } from '../controller/cli/terminal/output.ts';
import { millisToSeconds } from '../proto/units.ts';
import type { Results } from './bench.ts';
import { readMachineFacts } from './report/machine.ts';
import type { Report } from './report/model.ts';
import { saveJson, saveResults } from './report/save.ts';
import { summary, terminalText } from './report/text.ts';

export interface ReportOptions {
  readonly quick: boolean;
  /** A complete and undisturbed run: a result to keep. */
  readonly isWhole: boolean;
  /** File for the JSON. */
  readonly json?: string;
  /** Folder for JSON, Markdown and figures. */
  readonly save?: string;
}

export async function report(
  bench: string,
  options: ReportOptions,
  measure: () => Promise<Results>,
): Promise<void> {
  const began = performance.now();
  const machine = await readMachineFacts();
  const results = await measure();
  if ('machine' in results) {
    listFiles(save(results, options));
    print(summary(results));
    return;
  }
  const seconds = millisToSeconds(performance.now() - began);
  const measured = 'tables' in results ? results : { tables: results };
  const result: Report = {
    bench,
    date: new Date().toISOString(),
    quick: options.quick,
    seconds,
    machine,
    ...measured,
  };
  const saved = save(result, options);
  print(terminalText(result, table));
  listFiles(saved);
  print(`\n${summary(result)}`);
}

function listFiles(files: readonly string[]): void {
  for (const file of files) step(`saved ${relative(process.cwd(), file)}`);
}

/** Returns the files. */
function save(result: Report, { isWhole, json, save: folder }: ReportOptions): string[] {
  const saved = isWhole ? saveResults(result) : [];
  if (json !== undefined) {
    saveJson(result, json);
    saved.push(json);
  }
  if (folder !== undefined) saved.push(...saveResults(result, folder));
  return saved;
}
