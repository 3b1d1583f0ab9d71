/** The sections of a report that are tables and charts of the tables of a record. Pure. */
import { formatRatio, megabytes, ratio, toPercent } from '../../../proto/units.ts';
import { count } from '../../../proto/words.ts';
import { LOGS, OUTPUTS } from '../description.ts';
import type { RecordSummary } from '../read.ts';
import type { ReportData } from './data.ts';
import type { PathRow } from './distributions.ts';
import {
  type Cell,
  figure,
  inert,
  instant,
  type Markup,
  MOST_ROWS,
  ms,
  rate,
  rounded,
  section,
  table,
} from './html.ts';

export type LinkTo = (path: string) => string | undefined;

export function flowSection({ flows, summary }: ReportData): string {
  if (summary.flows.length === 0)
    return section('flows', 'Flows', '<p class="note">No endpoint sent anything.</p>');
  const figures = flows.map(({ source, destination }, index) =>
    figure(`flow-${index}`, `${source} → ${destination}`),
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
  return section(
    'flows',
    'Flows',
    '<p class="legend"><span>measured rate, with its least and greatest</span><span class="asked">share that it may use</span><span class="event">an event</span></p>',
    `<div class="charts">${figures.join('\n')}</div>`,
    rest > 0 ? `<p class="note">${count(rest, 'other flow')} in the table only.</p>` : '',
    table(['flow', 'mean rate', 'greatest', 'mean share', 'used', 'seconds'], rows),
  );
}

export function pathSection({ paths: { paths } }: ReportData): string {
  if (paths.length === 0) return '';
  const scale = scaleOf(paths);
  const rows = paths.map((path): Cell[] => {
    const { source, destination, targetMs, meanMs, samples } = path;
    return [
      `${source} → ${destination}`,
      ms(targetMs),
      ms(meanMs),
      signed(meanMs - targetMs),
      boxOf(path, scale),
      samples.toLocaleString('en'),
    ];
  });
  return section(
    'paths',
    'Paths: round trips, asked and measured',
    `<div class="charts">${figure('errors', 'all samples: which part is at most so far off')}</div>`,
    `<p class="note">Boxes: half of the samples are in the box, nine in ten on the line; from ${signed(scale.low)} to ${signed(scale.high)}, and the upright line is what was asked.</p>`,
    table(['path', 'asked', 'measured', 'error', 'distribution of the error', 'samples'], rows, [1, 2, 3, 5]),
  );
}

const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(3)} ms`;

interface Scale {
  readonly low: number;
  readonly high: number;
}

/** Of all paths, so that they can be compared; 0 is on it. */
function scaleOf(paths: readonly PathRow[]): Scale {
  let [low, high] = [-0.1, 0.1];
  for (const { quantiles } of paths) {
    low = Math.min(low, quantiles[0]!);
    high = Math.max(high, quantiles.at(-1)!);
  }
  return { low, high };
}

const BOX = { width: 240, height: 18 } as const;

/** From the first to the last quantile a line, from the second to the fourth a box. */
function boxOf({ quantiles }: PathRow, { low, high }: Scale): Markup {
  const x = (value: number): string => (((value - low) / (high - low)) * (BOX.width - 4) + 2).toFixed(1);
  const [least, quarter, half, threeQuarters, most] = quantiles.map(x) as [
    string,
    string,
    string,
    string,
    string,
  ];
  const width = Math.max(1, Number(threeQuarters) - Number(quarter)).toFixed(1);
  return {
    markup: `<svg class="box" width="${BOX.width}" height="${BOX.height}" viewBox="0 0 ${BOX.width} ${BOX.height}"><line class="zero" x1="${x(0)}" x2="${x(0)}" y1="0" y2="18"/><line class="range" x1="${least}" x2="${most}" y1="9" y2="9"/><rect x="${quarter}" y="4" width="${width}" height="10" rx="2"/><line class="half" x1="${half}" x2="${half}" y1="3" y2="15"/></svg>`,
  };
}

export function eventSection({ events }: RecordSummary): string {
  if (events.length === 0) return '';
  const rows = events.map(({ dueMs, tMs, origin, text, outcome }) => [
    instant(dueMs),
    tMs === null ? (outcome ?? '') : `${(tMs - dueMs).toFixed(1)} ms`,
    origin,
    text,
  ]);
  return section('events', 'Events', table(['at', 'in force after', 'by', 'event'], rows, [0, 1]));
}

export function costSection({ lags, agents, clocks: followed, summary }: ReportData, shown: number): string {
  const figures = [
    ...agents
      .slice(0, shown)
      .flatMap(({ host }, index) => [
        figure(`cores-${index}`, `${host}: processor`),
        figure(`memory-${index}`, `${host}: memory`),
      ]),
    ...followed
      .slice(0, shown)
      .map(({ host }, index) =>
        figure(`clock-${index}`, `${host}: how far the clock that all follow was ahead, and its error`),
      ),
  ];
  const clocks = summary.description.clocks ?? {};
  const lagOf = new Map(lags.hosts.map((one) => [one.host, one]));
  const hosts = [...new Set([...summary.agents.map(({ host }) => host), ...lagOf.keys()])];
  if (hosts.length === 0) return '';
  const rows = hosts.map((host) => {
    const [cost, lag, clock] = [
      summary.agents.find((one) => one.host === host),
      lagOf.get(host),
      clocks[host],
    ];
    return [
      host,
      cost ? `${toPercent(ratio(cost.cores)).toFixed(1)} %` : '',
      cost ? `${megabytes(cost.mostMemoryBytes).toFixed(0)} MB` : '',
      cost ? `${cost.mostTickMs.toFixed(2)} ms` : '',
      lag ? `${lag.meanMs.toFixed(1)} ms` : '',
      lag ? `${lag.p99Ms.toFixed(1)} ms` : '',
      lag ? `${lag.mostMs.toFixed(1)} ms` : '',
      clock?.offsetMs == null ? '' : `${clock.offsetMs.toFixed(2)} ± ${(clock.errorMs ?? 0).toFixed(2)} ms`,
    ];
  });
  return section(
    'cost',
    'Lag and cost of the emulator itself',
    table(['host', 'of a core', 'memory', 'tick', 'events late, mean', '99 %', 'most', 'clock'], rows),
    `<div class="charts">${[...(lags.seconds.length > 0 ? [figure('lag', 'how late changes were in force on the last host')] : []), ...figures].join('\n')}</div>`,
  );
}

export function endpointSection({ description }: RecordSummary, linkTo: LinkTo): string {
  const { placement = {}, processes = {}, images = {}, files } = description;
  const paths = Object.keys(files);
  const logged = new Set(paths);
  const names = [...new Set([...Object.keys(placement), ...Object.keys(processes)])];
  if (names.length === 0) return '';
  const ofEndpoint = Map.groupBy(
    paths.filter((path) => path.startsWith(`${OUTPUTS}/`)),
    (path) => path.split('/')[1]!,
  );
  const rows = names.map((name): Cell[] => {
    const log = `${LOGS}/${name}.log`;
    const left = ofEndpoint.get(name) ?? [];
    const shown = left.slice(0, 5).map((path) => anchor(path, path.split('/').slice(2).join('/'), linkTo));
    const more = left.length > 5 ? [`and ${left.length - 5} more`] : [];
    return [
      name,
      placement[name] ?? '',
      processes[name] ?? '',
      images[name]?.name ?? '',
      { markup: logged.has(log) ? anchor(log, 'log', linkTo) : '' },
      { markup: [...shown, ...more].join(', ') },
    ];
  });
  return section(
    'endpoints',
    'Endpoints',
    table(['endpoint', 'host', 'its command', 'image', 'output', 'files'], rows, []),
  );
}

function anchor(path: string, text: string, linkTo: LinkTo): string {
  const address = linkTo(path);
  return address === undefined ? inert(text) : `<a href="${inert(address)}">${inert(text)}</a>`;
}

export function fileSection({ description }: RecordSummary, linkTo: LinkTo): string {
  const paths = Object.keys(description.files);
  if (paths.length === 0) return '';
  const items = paths.slice(0, MOST_ROWS).map((path) => `<li>${anchor(path, path, linkTo)}`);
  return section(
    'files',
    'Files of the record',
    `<details><summary>${count(paths.length, 'file')}</summary><ul>${items.join('')}</ul></details>`,
  );
}
