/** Several records as one page, which needs nothing else: what differs, and their rates and round trips one over the other. */
import { formatMicros, fromMillis, millisToSeconds } from '../../../proto/units.ts';
import { count } from '../../../proto/words.ts';
import { type Compared, type Comparison, SIGNIFICANCE } from '../compare/compare.ts';
import { type RecordSummary, readRecord, withDatabase } from '../read.ts';
import { figure, inert, json, ms, rate, section, table } from './html.ts';
import { asset, reportScript, reportStyle } from './page.ts';

/** A chart is as wide as a screen; more points than this are not seen. */
const MOST_POINTS = 600;
const LEAST_BUCKET_MS = 1000;
/** Of flows, and of paths: those that differ, and then those with most. */
const MOST_CHARTS = 12;

export interface OverlaidChart {
  readonly kind: Compared['kind'];
  readonly source: string;
  readonly destination: string;
  readonly seconds: readonly number[];
  /** Of each record; null where it has no sample. Bits per second of a flow, milliseconds of a path. */
  readonly lines: readonly (readonly (number | null)[])[];
}

/**
 * `comparisons`: of the first one with each of the others. `warnings`: what a reader has to know before he believes it. Throws
 * `ControllerError` (`RECORD_UNREADABLE`).
 */
export function overlaidPage(
  folders: readonly string[],
  comparisons: readonly Comparison[],
  warnings: readonly string[] = [],
): string {
  const summaries = folders.map((folder) => readRecord(folder));
  const charts = overlaidCharts(folders, comparisons, Math.max(...summaries.map(({ lastMs }) => lastMs)));
  const isSame = comparisons.every(({ same }) => same);
  const ids = summaries.map(({ description }) => description.id);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${inert(ids.join(', '))}</title>
<style>${asset('uplot/dist/uPlot.min.css')}
${reportStyle()}</style>
<header>
<h1>${inert(summaries[0]!.description.experiment)}: ${count(summaries.length, 'run')} compared</h1>
<p class="facts">${summaries.map((one) => inert(factOf(one))).join('<br>')}</p>
<p class="verdict ${isSame ? 'good' : 'bad'}">${isSame ? '✓ no difference beyond chance' : '✗ they differ'}</p>
${warnings.length === 0 ? '' : `<ul>${warnings.map((one) => `<li class="bad">${inert(one)}`).join('')}</ul>`}
</header>
<main>
${comparisons.map(comparisonSection).join('\n')}
${chartSection('flow', 'Rates', charts)}
${chartSection('path', 'Round trips', charts)}
</main>
<script type="application/json" id="data">${json({ overlays: charts.map((chart) => overlayOf(chart, charts, ids)) })}</script>
<script>${asset('uplot/dist/uPlot.iife.min.js')}</script>
<script>${reportScript()}</script>
</html>
`;
}

const factOf = ({
  description: { id, versions, machine, delayBackend },
  lastMs,
  samples,
}: RecordSummary): string =>
  `${id}: ${formatMicros(fromMillis(lastMs))}, ${count(samples, 'sample')}; netfold ${versions.netfold}, Linux ${machine.kernel}, ${machine.cpu}, ${delayBackend}`;

function comparisonSection({ a, b, inputs, comparedMs, results }: Comparison, number: number): string {
  const rows = results.map((one) => [
    `${one.source} → ${one.destination}`,
    amountOf(one, one.a),
    amountOf(one, one.b),
    `${one.difference < 0 ? '−' : '+'}${amountOf(one, Math.abs(one.difference))}`,
    one.effectSize === null ? '' : one.effectSize.toFixed(2),
    one.probability === null ? '' : one.probability.toPrecision(2),
    one.verdict === 'differs' ? { markup: '<span class="bad">differs</span>' } : one.verdict,
  ]);
  const heading = ['flow or path', 'a', 'b', 'difference', 'effect size', 'p', ''];
  return section(
    `comparison-${number}`,
    `${b} beside ${a}`,
    `<p class="note">The first ${formatMicros(fromMillis(comparedMs))} of both, by a signed-rank test of means of 5 s; what differs does so with a chance of ${SIGNIFICANCE} at most that any of it is chance. ${outcomeOf(results)}</p>`,
    inputs.length === 0
      ? '<p class="note">What was run is the same.</p>'
      : table(
          ['differs in what was run', 'a', 'b'],
          inputs.map((one) => [one.what, one.a, one.b]),
          [],
        ),
    rows.length === 0 ? '' : table(heading, rows, [1, 2, 3, 4, 5], 'netfold compare --json has all'),
  );
}

function outcomeOf(results: Comparison['results']): string {
  const short = results.filter(({ verdict }) => verdict === 'too short').length;
  if (short > 0) return `Of ${count(results.length, 'row')}, ${short} have too little in common to say.`;
  return results.some(({ verdict }) => verdict === 'differs') ? '' : 'Nothing differs.';
}

const amountOf = ({ kind }: Pick<Compared, 'kind'>, value: number): string =>
  kind === 'flow' ? rate(value) : ms(value);

const nameOf = (kind: Compared['kind'], number: number): string => `overlaid-${kind}-${number}`;

function chartSection(kind: Compared['kind'], title: string, charts: readonly OverlaidChart[]): string {
  const own = charts.filter((one) => one.kind === kind);
  if (own.length === 0) return '';
  const figures = own.map(({ source, destination }, number) =>
    figure(nameOf(kind, number), `${source} → ${destination}`),
  );
  return section(kind, title, `<div class="charts">${figures.join('\n')}</div>`);
}

/** As page-script.js draws it. */
function overlayOf(chart: OverlaidChart, charts: readonly OverlaidChart[], ids: readonly string[]): object {
  const number = charts.filter(({ kind }) => kind === chart.kind).indexOf(chart);
  return {
    ...{ id: nameOf(chart.kind, number), kind: chart.kind, seconds: chart.seconds },
    lines: chart.lines.map((values, index) => ({ label: ids[index], values })),
  };
}

type Key = Pick<Compared, 'kind' | 'source' | 'destination'>;

const keyOf = ({ kind, source, destination }: Key): string => JSON.stringify([kind, source, destination]);

export function overlaidCharts(
  folders: readonly string[],
  comparisons: readonly Comparison[],
  lastMs: number,
): OverlaidChart[] {
  const bucketMs = Math.max(LEAST_BUCKET_MS, Math.ceil(lastMs / MOST_POINTS));
  const buckets = Math.floor(lastMs / bucketMs) + 1;
  const seconds = Array.from({ length: buckets }, (_, bucket) => millisToSeconds(bucket * bucketMs));
  const found = folders.map((folder) => linesOf(folder, bucketMs, buckets));
  const none = seconds.map(() => null);
  return (['flow', 'path'] as const).flatMap((kind) =>
    shown(comparisons, kind).map((key) => ({
      ...{ kind, source: key.source, destination: key.destination, seconds },
      lines: found.map((lines) => lines.get(keyOf(key)) ?? none),
    })),
  );
}

function shown(comparisons: readonly Comparison[], kind: Compared['kind']): Key[] {
  const known = new Map<string, { key: Key; differs: boolean; most: number }>();
  for (const one of comparisons.flatMap(({ results }) => results)) {
    if (one.kind !== kind) continue;
    const other = known.get(keyOf(one));
    known.set(keyOf(one), {
      key: one,
      differs: one.verdict === 'differs' || other?.differs === true,
      most: Math.max(one.a, one.b, other?.most ?? 0),
    });
  }
  return [...known.values()]
    .sort((a, b) => Number(b.differs) - Number(a.differs) || b.most - a.most)
    .slice(0, MOST_CHARTS)
    .map(({ key }) => key);
}

/** One pass over each table. */
const POINTS: Readonly<Record<Compared['kind'], string>> = {
  flow: `SELECT source, destination, t_ms / ?1 AS bucket, avg(rate_bps) AS value
FROM flow_sample WHERE t_ms >= 0 GROUP BY source, destination, bucket`,
  path: `SELECT source, destination, t_ms / ?1 AS bucket, avg(measured_ms) AS value
FROM path_sample WHERE t_ms >= 0 AND measured_ms IS NOT NULL GROUP BY source, destination, bucket`,
};

interface Point extends Pick<Key, 'source' | 'destination'> {
  readonly bucket: number;
  readonly value: number;
}

function linesOf(folder: string, bucketMs: number, buckets: number): Map<string, (number | null)[]> {
  const lines = new Map<string, (number | null)[]>();
  withDatabase(folder, (database) => {
    for (const kind of ['flow', 'path'] as const)
      for (const row of database.prepare(POINTS[kind]).iterate(BigInt(bucketMs))) {
        const { source, destination, bucket, value } = row as unknown as Point;
        if (bucket >= buckets) continue;
        const name = keyOf({ kind, source, destination });
        if (!lines.has(name)) lines.set(name, Array<number | null>(buckets).fill(null));
        lines.get(name)![bucket] = value;
      }
  });
  return lines;
}
