/** Writes reports as JSON and as Markdown, with their figures as SVG. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Report } from './model.ts';
import { renderSvg } from './plot.ts';
import { type DrawnFigure, markdown } from './text.ts';

export const RESULTS_FOLDER = join(import.meta.dirname, '../results');

/** bench/results/BENCH-linux-RELEASE.{json,md} and BENCH-FIGURE-linux-RELEASE.svg: the latest for each kernel. Returns the files. */
export function saveResults(report: Report, folder = RESULTS_FOLDER): string[] {
  const { bench, machine } = report;
  const base = join(folder, `${bench}-linux-${machine.kernel}`);
  const figures = (report.figures ?? []).map(({ id, plot }) => {
    const file = join(folder, `${bench}-${id}-linux-${machine.kernel}.svg`);
    return { file, title: plot.title, svg: renderSvg(plot) };
  });
  saveJson(report, `${base}.json`);
  for (const { file, svg } of figures) writeFileSync(file, svg);
  const drawn = figures.map(({ file, title }): DrawnFigure => ({ file: basename(file), title }));
  writeFileSync(`${base}.md`, markdown(report, drawn));
  return [`${base}.json`, `${base}.md`, ...figures.map(({ file }) => file)];
}

/** Without the figures' points, which the figures contain. */
export function saveJson(report: Report, file: string): void {
  const { figures: _, ...numbers } = report;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(numbers, null, 2)}\n`);
}
