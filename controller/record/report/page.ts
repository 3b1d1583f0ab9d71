/** A record as one HTML file, which needs nothing else: it opens from the disk, without a network. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { formatMicros, formatRate, formatRatio, fromMillis, millisToSeconds } from '../../../proto/units.ts';
import { count } from '../../../proto/words.ts';
import type { RecordSummary } from '../read.ts';
import type { ReportData } from './data.ts';

/** Rows of a table; a reader who wants all has `netfold export`. */
const MOST_ROWS = 500;
/** A chart of each agent's cost. */
const MOST_AGENTS = 8;

/** `linkTo` gives the address of a file in the record, or nothing if it is not beside the report. */
export function reportPage(data: ReportData, linkTo: (path: string) => string | undefined): string {
  const { summary, flows, agents } = data;
  const { description } = summary;
  const shownAgents = agents.slice(0, MOST_AGENTS);
  const charts = {
    flows: flows.map(({ seconds, rate, least, most, share }) => ({ seconds, rate, least, most, share })),
    agents: shownAgents,
    events: summary.events.map(({ tMs, dueMs }) => millisToSeconds(tMs ?? dueMs)),
  };
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${inert(description.id)}</title>
<style>${asset('uplot/dist/uPlot.min.css')}
${own('page.css')}</style>
<header>
<h1>${inert(description.experiment)}</h1>
<p class="facts">${facts(summary).map(inert).join('<br>')}</p>
${verdict(summary)}
</header>
<main>
${flowSection(data)}
${pathSection(data)}
${eventSection(summary)}
${agentSection(shownAgents.map(({ host }) => host))}
${fileSection(summary, linkTo)}
</main>
<script type="application/json" id="data">${json(charts)}</script>
<script>${asset('uplot/dist/uPlot.iife.min.js')}</script>
<script>${own('page.js')}</script>
</html>
`;
}

function facts({ description, state, lastMs, samples }: RecordSummary): string[] {
  const { startedAt, endpoints, hosts, machine, versions, delayBackend, platform } = description;
  const commit = versions.commit === null ? '' : ` (${versions.commit.slice(0, 12)})`;
  return [
    `${startedAt.slice(0, 19).replace('T', ' ')} UTC, for ${formatMicros(fromMillis(lastMs))}; ${count(samples, 'sample')}${state === 'complete' ? '' : `; ${state}`}`,
    `${count(endpoints, 'endpoint')} on ${count(hosts.length, 'host')} (${platform}), ${delayBackend}`,
    `netfold ${versions.netfold}${commit}, Linux ${machine.kernel}, ${machine.distribution}, ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB${machine.virtual === null ? '' : `, ${machine.virtual}`}`,
  ];
}

function verdict({ verdicts, description: { problems } }: RecordSummary): string {
  const last = verdicts.at(-1);
  const worst =
    verdicts.find(({ state }) => state === 'invalid') ?? verdicts.find(({ state }) => state !== 'faithful');
  const text = worst?.state ?? 'nothing was degraded';
  const why = verdicts
    .filter(({ state }) => state !== 'faithful')
    .slice(0, 10)
    .map(({ tMs, host, message }) => `<li>${inert(`${formatMicros(fromMillis(tMs))}, ${host}: ${message}`)}`);
  const missing = problems.map((problem) => `<li>missing in this record: ${inert(problem)}`);
  const list = [...why, ...missing];
  const again = worst && last?.state === 'faithful' ? ' <span class="note">(not at the end)</span>' : '';
  return `<p class="verdict ${worst ? 'bad' : 'good'}">${worst ? '✗' : '✓'} ${inert(text)}</p>${again}
${list.length === 0 ? '' : `<ul>${list.join('')}</ul>`}`;
}

function flowSection({ flows, summary }: ReportData): string {
  if (summary.flows.length === 0) return '<h2>Flows</h2><p class="note">No endpoint sent anything.</p>';
  const figures = flows.map(
    ({ source, destination }, index) =>
      `<figure><figcaption>${inert(`${source} → ${destination}`)}</figcaption><div id="flow-${index}"></div></figure>`,
  );
  const rows = summary.flows.map(
    ({ source, destination, meanRateBps, mostRateBps, meanShareBps, samples }) => [
      `${source} → ${destination}`,
      rate(meanRateBps),
      rate(mostRateBps),
      meanShareBps === null ? 'no limit' : rate(meanShareBps),
      meanShareBps === null ? '' : formatRatio(rounded(meanRateBps / meanShareBps)),
      samples.toLocaleString('en'),
    ],
  );
  const rest = summary.flows.length - flows.length;
  return `<h2>Flows</h2>
<p class="legend"><span>measured rate, with its least and greatest</span><span class="asked">share that it may use</span><span class="event">an event</span></p>
<div class="charts">${figures.join('\n')}</div>
${rest > 0 ? `<p class="note">${count(rest, 'other flow')} in the table only.</p>` : ''}
${table(['flow', 'mean rate', 'greatest', 'mean share', 'used', 'seconds'], rows)}`;
}

/** More digits than this say nothing of a mean. */
const rounded = (value: number): number => Number(value.toPrecision(4));
const rate = (bps: number): string => formatRate(rounded(bps));

function pathSection({ paths }: ReportData): string {
  if (paths.length === 0) return '';
  const ms = (value: number): string => `${value.toFixed(3)} ms`;
  const rows = paths.map(({ source, destination, targetMs, meanMs, leastMs, mostMs, samples }) => [
    `${source} → ${destination}`,
    ms(targetMs),
    ms(meanMs),
    ms(meanMs - targetMs),
    `${ms(leastMs)} … ${ms(mostMs)}`,
    samples.toLocaleString('en'),
  ]);
  return `<h2>Paths: asked and measured</h2>
${table(['path', 'asked', 'measured', 'error', 'range', 'samples'], rows)}`;
}

function eventSection({ events }: RecordSummary): string {
  if (events.length === 0) return '';
  const rows = events.map(({ dueMs, tMs, origin, text, outcome }) => [
    formatMicros(fromMillis(dueMs)),
    tMs === null ? (outcome ?? '') : `${(tMs - dueMs).toFixed(1)} ms`,
    origin,
    text,
  ]);
  return `<h2>Events</h2>
${table(['at', 'in force after', 'by', 'event'], rows, [0, 1])}`;
}

function agentSection(hosts: readonly string[]): string {
  const figures = hosts.flatMap((host, index) => [
    `<figure><figcaption>${inert(host)}: processor</figcaption><div id="cores-${index}"></div></figure>`,
    `<figure><figcaption>${inert(host)}: memory</figcaption><div id="memory-${index}"></div></figure>`,
  ]);
  return figures.length === 0
    ? ''
    : `<h2>What the emulator itself took</h2><div class="charts">${figures.join('\n')}</div>`;
}

function fileSection({ description }: RecordSummary, linkTo: (path: string) => string | undefined): string {
  const paths = Object.keys(description.files);
  if (paths.length === 0) return '';
  const items = paths.slice(0, MOST_ROWS).map((path) => {
    const address = linkTo(path);
    return `<li>${address === undefined ? inert(path) : `<a href="${inert(address)}">${inert(path)}</a>`}`;
  });
  return `<h2>Files of the record</h2><ul>${items.join('')}</ul>`;
}

function table(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  numeric: readonly number[] = heading.map((_, at) => at).slice(1),
): string {
  const kind = (at: number): string => (numeric.includes(at) ? ' class="number"' : ' class="text"');
  const line = (tag: string, row: readonly string[]): string =>
    `<tr>${row.map((text, at) => `<${tag}${kind(at)}>${inert(text)}</${tag}>`).join('')}</tr>`;
  const rest = rows.length - MOST_ROWS;
  return `<div class="scroll"><table><thead>${line('th', heading)}</thead><tbody>
${rows
  .slice(0, MOST_ROWS)
  .map((row) => line('td', row))
  .join('\n')}
</tbody></table></div>${rest > 0 ? `<p class="note">and ${count(rest, 'more row')}: netfold export has all</p>` : ''}`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Names come from a user's file: none of them is markup. */
const inert = (text: string): string => text.replace(/[&<>"']/g, (one) => ENTITIES[one]!);

/** In a script element, nothing ends it but itself. */
const json = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c');

const own = (name: string): string => readFileSync(join(import.meta.dirname, name), 'utf8');

function asset(path: string): string {
  const packages = dirname(createRequire(import.meta.url).resolve('uplot/package.json'));
  return readFileSync(join(packages, path.replace(/^uplot\//, '')), 'utf8');
}
