/** What a report says of files beside the samples: measurements of `netfold verify`, and traffic of netfold's own. Pure. */
import { formatRatio } from '../../../proto/units.ts';
import type { TrafficRow } from '../../traffic-rows.ts';
import type { Findings, RecordedFinding } from '../findings.ts';
import { type Cell, ms, rate, rounded, section, table } from './html.ts';

export function findingSection(found: Findings | undefined): string {
  if (!found) return '';
  const rows = found.findings.map((one): Cell[] => [
    `${one.what}, ${one.path}`,
    amountOf(one, one.target),
    one.measured === null ? 'none' : amountOf(one, one.measured),
    `± ${one.tolerance}`,
    { markup: one.ok ? '<span class="good">✓</span>' : '<span class="bad">✗ outside</span>' },
  ]);
  const heading = ['what was measured', 'asked', 'measured', 'allowed', ''];
  return section(
    'measured',
    found.faithful ? 'Measured with real traffic: faithful' : 'Measured with real traffic: not faithful',
    table(heading, rows, [1, 2, 3], 'verify.json has all'),
  );
}

function amountOf({ unit }: RecordedFinding, value: number): string {
  if (unit === 'ms') return ms(value);
  return unit === 'ratio' ? formatRatio(rounded(value)) : rate(value);
}

export function trafficSection(rows: readonly TrafficRow[]): string {
  if (rows.length === 0) return '';
  const heading = [
    'traffic',
    'from, to',
    'sources',
    'sent',
    'refused',
    'late',
    'received',
    'lost',
    'mean delay',
    'longest',
  ];
  const cells = rows.map((row): Cell[] => [
    `${row.name} (${row.kind}, ${row.protocol})`,
    `${row.from} → ${row.to}`,
    ...[row.sources, row.sent, row.refused, row.late, row.received].map((one) => one.toLocaleString('en')),
    row.lost === null ? '' : row.lost.toLocaleString('en'),
    row.meanDelayMs === null ? '' : ms(row.meanDelayMs),
    row.mostDelayMs === null ? '' : ms(row.mostDelayMs),
  ]);
  return section(
    'traffic',
    "Traffic of netfold's own",
    table(heading, cells, [2, 3, 4, 5, 6, 7, 8, 9], 'traffic.json has all'),
  );
}
