/** A record as one HTML file, which needs nothing else: it opens from the disk, without a network. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { formatMicros, formatRatio, fromMillis, millisToSeconds } from '../../../proto/units.ts';
import { count } from '../../../proto/words.ts';
import type { RecordSummary } from '../read.ts';
import type { ReportData } from './data.ts';
import { inert, json, ms, rate, rounded } from './html.ts';
import { findingSection, trafficSection } from './measured.ts';
import { chartedLinks, networkSection } from './network.ts';
import {
  costSection,
  endpointSection,
  eventSection,
  fileSection,
  flowSection,
  type LinkTo,
  pathSection,
} from './sections.ts';

/** A chart of each agent's cost. */
const MOST_AGENTS = 8;

/**
 * `linkTo` gives the address of a file in the record, or nothing if it is not beside the report. `warnings`: what a reader has to know
 * before he believes it.
 */
export function reportPage(data: ReportData, linkTo: LinkTo, warnings: readonly string[] = []): string {
  const { summary } = data;
  const { description } = summary;
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
${verdict(summary, warnings)}
${tiles(data)}
</header>
<main>
${findingSection(data.findings)}
${data.loads ? networkSection(data.loads, description.experiment) : `<p class="note">The topology can't be read: ${inert(data.noLoads ?? '')}</p>`}
${flowSection(data)}
${pathSection(data)}
${trafficSection(data.traffic)}
${eventSection(summary)}
${costSection(data, MOST_AGENTS)}
${endpointSection(summary, linkTo)}
${fileSection(summary, linkTo)}
</main>
<script type="application/json" id="data">${json(chartsOf(data))}</script>
<script>${asset('uplot/dist/uPlot.iife.min.js')}</script>
<script>${reportScript()}</script>
</html>
`;
}

/** What page-script.js draws. */
function chartsOf({ summary, flows, agents, clocks, paths, lags, loads }: ReportData): object {
  return {
    flows: flows.map(({ seconds, rate, least, most, share }) => ({ seconds, rate, least, most, share })),
    links: loads
      ? chartedLinks(loads).map(({ link }) => ({
          ...{ seconds: loads.seconds, rate: loads.series(link), capacity: loads.capacities(link) },
        }))
      : [],
    errors: { ms: paths.errors, below: paths.below },
    lag: { seconds: lags.seconds, ms: lags.latestMs },
    agents: agents.slice(0, MOST_AGENTS),
    clocks: clocks.slice(0, MOST_AGENTS),
    lastSeconds: millisToSeconds(summary.lastMs),
    events: summary.events.map(({ tMs, dueMs }) => millisToSeconds(tMs ?? dueMs)),
  };
}

/** The numbers that a reader looks for first. */
function tiles({ summary, paths: { paths }, lags, loads }: ReportData): string {
  const total = summary.flows.reduce((sum, { meanRateBps }) => sum + meanRateBps, 0);
  const samples = paths.reduce((sum, one) => sum + one.samples, 0);
  const off = paths.reduce((sum, one) => sum + Math.abs(one.meanMs - one.targetMs) * one.samples, 0);
  const busiest = loads?.links[0];
  const latest = lags.hosts.reduce((most, { p99Ms }) => Math.max(most, p99Ms), 0);
  const cores = summary.agents.reduce((sum, one) => sum + one.cores, 0);
  const all: [string, string, string][] = [
    [String(summary.flows.length), 'flows', `${rate(total)} in all, on average`],
    ...(samples > 0
      ? [
          [ms(off / samples), 'mean error of round trips', `of ${count(paths.length, 'path')}`] as [
            string,
            string,
            string,
          ],
        ]
      : []),
    ...(busiest?.used == null
      ? []
      : [
          [
            formatRatio(rounded(busiest.used)),
            'of the busiest link was used',
            `${busiest.from} → ${busiest.to}`,
          ] as [string, string, string],
        ]),
    ...(lags.hosts.length > 0
      ? [
          [
            `${latest.toFixed(1)} ms`,
            'late, 99 % of changes at most',
            count(summary.events.length, 'event'),
          ] as [string, string, string],
        ]
      : []),
    [formatRatio(rounded(cores)), 'of a core for all agents', count(summary.agents.length, 'agent')],
  ];
  const items = all.map(
    ([value, what, more]) =>
      `<div><strong>${inert(value)}</strong><span>${inert(what)}</span><small>${inert(more)}</small></div>`,
  );
  return `<div class="tiles">${items.join('')}</div>`;
}

function facts({ description, state, lastMs, samples }: RecordSummary): string[] {
  const { startedAt, endpoints, hosts, machine, versions, delayBackend, platform, kernel } = description;
  const control = kernel?.settings['net.ipv4.tcp_congestion_control'];
  const commit = versions.commit === null ? '' : ` (${versions.commit.slice(0, 12)})`;
  return [
    `${startedAt.slice(0, 19).replace('T', ' ')} UTC, for ${formatMicros(fromMillis(lastMs))}; ${count(samples, 'sample')}${state === 'complete' ? '' : `; ${state}`}`,
    `${count(endpoints, 'endpoint')} on ${count(hosts.length, 'host')} (${platform}), ${delayBackend}${control === undefined ? '' : `, TCP with ${control}`}`,
    `netfold ${versions.netfold}${commit}, Linux ${machine.kernel}, ${machine.distribution}, ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB${machine.virtual === null ? '' : `, ${machine.virtual}`}`,
  ];
}

function verdict(
  { verdicts, description: { problems } }: RecordSummary,
  warnings: readonly string[],
): string {
  const last = verdicts.at(-1);
  const worst =
    verdicts.find(({ state }) => state === 'invalid') ?? verdicts.find(({ state }) => state !== 'faithful');
  const text = worst?.state ?? 'nothing was degraded';
  const why = verdicts
    .filter(({ state }) => state !== 'faithful')
    .slice(0, 10)
    .map(({ tMs, host, message }) => `<li>${inert(`${formatMicros(fromMillis(tMs))}, ${host}: ${message}`)}`);
  const missing = problems.map((problem) => `<li>missing in this record: ${inert(problem)}`);
  const list = [...warnings.map((one) => `<li class="bad">${inert(one)}`), ...why, ...missing];
  const again = worst && last?.state === 'faithful' ? ' <span class="note">(not at the end)</span>' : '';
  return `<p class="verdict ${worst ? 'bad' : 'good'}">${worst ? '✗' : '✓'} ${inert(text)}</p>${again}
${list.length === 0 ? '' : `<ul>${list.join('')}</ul>`}`;
}

/** The style of all pages that netfold writes. */
export const reportStyle = (): string => own('page.css');

/** What draws the charts of a page, from the element `data`. */
export const reportScript = (): string => own('page-script.js');

const own = (name: string): string => readFileSync(join(import.meta.dirname, name), 'utf8');

/** A file of the package uplot. */
export function asset(path: string): string {
  const packages = dirname(createRequire(import.meta.url).resolve('uplot/package.json'));
  return readFileSync(join(packages, path.replace(/^uplot\//, '')), 'utf8');
}
