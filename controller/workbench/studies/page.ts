/** The results of a study as one HTML file, which needs nothing else: it opens from the disk, without a network. */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { count } from '../../../proto/words.ts';
import { type Cell, inert, json, table } from '../../record/report/html.ts';
import { asset, reportStyle } from '../../record/report/page.ts';
import { axisOf } from './axis.ts';
import type { StudyTable } from './table-model.ts';

/** More points than this are in the tables only: a browser draws no more at once. */
const MOST_POINTS = 20_000;

export function studyPage(found: StudyTable): string {
  const { study, topology, netfold, points, runs, results } = found;
  const ok = runs.filter(({ state }) => state === 'ok').length;
  const facts = [
    `${topology}; ${count(points.length, 'point')}, ${count(runs.length, 'run')}, of which ${ok} ok; netfold ${netfold}`,
    ...(points.length > MOST_POINTS ? [`the charts show the first ${MOST_POINTS} points`] : []),
  ];
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${inert(study)}</title>
<style>${asset('uplot/dist/uPlot.min.css')}
${reportStyle()}
${own('page.css')}</style>
<header>
<h1>${inert(study)}</h1>
<p class="facts">${facts.map(inert).join('<br>')}</p>
</header>
<main>
${Object.keys(results).length === 0 ? '<p class="note">The study names no results.</p>' : CHARTS}
${failureSection(found)}
${pointSection(found)}
</main>
<script type="application/json" id="data">${json(chartData(found))}</script>
<script>${asset('uplot/dist/uPlot.iife.min.js')}</script>
<script>${own('page-script.js')}</script>
</html>
`;
}

const CHARTS = `<div id="controls" class="controls"></div>
<div id="keys" class="keys"></div>
<div id="charts" class="charts"></div>
<p class="note" id="bars"></p>`;

/** Parameters with their values in order, and points as places in these lists. */
function chartData({ parameters, results, points, confidence }: StudyTable) {
  const axes = parameters.map((name) => {
    const seen = [...new Set(points.map(({ parameters: values }) => values[name]!))];
    const { unit, numbers } = axisOf(seen);
    const order =
      numbers === null
        ? seen
        : seen.toSorted((a, b) => numbers[seen.indexOf(a)]! - numbers[seen.indexOf(b)]!);
    return {
      name,
      unit,
      values: order,
      numbers: numbers && order.map((value) => numbers[seen.indexOf(value)]!),
    };
  });
  const places = axes.map(({ values }) => new Map(values.map((value, place) => [value, place])));
  return {
    ...{ axes, results, confidence },
    points: points.slice(0, MOST_POINTS).map(({ parameters: values, results: found }) => ({
      at: parameters.map((name, place) => places[place]!.get(values[name]!)),
      found: Object.fromEntries(
        Object.entries(found).map(([name, { mean, low, high, runs }]) => [name, [mean, low, high, runs]]),
      ),
    })),
  };
}

function failureSection({ runs, parameters }: StudyTable): string {
  const failed = runs.filter(({ state }) => state !== 'ok');
  if (failed.length === 0) return '';
  const rows = failed.map(({ parameters: values, repetition, state, reason, kept }): Cell[] => [
    ...parameters.map((name) => values[name] ?? ''),
    String(repetition),
    state,
    reason,
    { markup: kept === null ? '' : linkOf(kept) },
  ]);
  return `<h2>Runs that are not ok</h2>${tableOf([...parameters, 'repetition', 'state', 'why', 'kept'], rows)}`;
}

function pointSection({ parameters, results, points }: StudyTable): string {
  const names = Object.entries(results).map(([name, unit]) => (unit === '' ? name : `${name} (${unit})`));
  const rows = points.map(({ parameters: values, ok, results: found, records }): Cell[] => [
    ...parameters.map((name) => values[name] ?? ''),
    String(ok),
    ...Object.keys(results).map((name) => {
      const one = found[name];
      if (!one) return '–';
      const half = one.low === null ? '' : ` ± ${digits(one.mean - one.low)}`;
      return `${digits(one.mean)}${half}`;
    }),
    { markup: records.map(linkOf).join(' ') },
  ]);
  return `<h2>Points</h2>${tableOf([...parameters, 'runs', ...names, 'records'], rows)}`;
}

/** Beside the page. */
const linkOf = (record: string): string => `<a href="${inert(record)}/">${inert(basename(record))}</a>`;

const digits = (value: number): string => String(Number(value.toPrecision(4)));

const tableOf = (heading: readonly string[], rows: readonly (readonly Cell[])[]): string =>
  table(
    heading,
    rows,
    heading.map((_, at) => at),
    'the CSV files have all',
  );

const own = (name: string): string => readFileSync(join(import.meta.dirname, name), 'utf8');
