/** Writes reports as JSON and as Markdown. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Report } from './model.ts';
import { markdown } from './text.ts';

export const RESULTS_FOLDER = join(import.meta.dirname, '../results');

/** bench/results/BENCH-linux-RELEASE.{json,md}: one result for each kernel, the latest. Returns the files. */
export function saveResults(report: Report, folder = RESULTS_FOLDER): string[] {
  const base = join(folder, `${report.bench}-linux-${report.machine.kernel}`);
  saveJson(report, `${base}.json`);
  writeFileSync(`${base}.md`, markdown(report));
  return [`${base}.json`, `${base}.md`];
}

export function saveJson(report: Report, file: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
}
