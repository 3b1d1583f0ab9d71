/** A row as text, the same on the terminal and in Markdown. Pure. */
import { formatBps, formatRatio } from '../../proto/units.ts';
import type { Bound, Row, Table, Unit } from './model.ts';

export const HEADING = [
  '',
  'target',
  'measured',
  'error',
  'bound',
  'spread',
  'samples',
  'tries',
  '',
] as const;
/** Columns of numbers, which are aligned to the right. */
export const NUMERIC = [1, 2, 3, 4, 6, 7] as const;

const SIGNS = { both: '± ', above: '≤ ', below: '≥ −' } as const;
const MARKS = { within: '✓', outside: '✗', beyond: '–', told: '' } as const;

export function cells(row: Row): string[] {
  const { unit, target, measured, error, bound, spread, samples, tries, verdict, note } = row;
  // The smaller the better: it has a bound, but no target.
  const hasTarget = !(bound?.bad === 'above' && target === 0);
  return [
    row.what,
    target === null || !hasTarget ? '' : value(target, unit),
    measured === null ? '–' : value(measured, unit),
    bound === null || !hasTarget ? '' : error === null ? '–' : difference(error, bound, unit),
    bound === null ? '' : `${SIGNS[bound.bad ?? 'both']}${amount(bound.value, bound, unit)}`,
    spread === null ? '' : `${value(spread.low, unit)} … ${value(spread.high, unit)}`,
    samples.toLocaleString('en'),
    String(tries),
    [MARKS[verdict], note].filter((part) => part !== '').join(' '),
  ];
}

/** `delay line: loss`, with the design's names; only the title if nothing was delayed. */
export function titleOf({ backend, title }: Table): string {
  return backend === undefined ? title : `${backend.replace('-', ' ')}: ${title}`;
}

function value(number: number, unit: Unit): string {
  if (unit === 'MB') return `${number.toFixed(1)} MB`;
  if (unit === 'µs') return `${number.toFixed(2)} µs`;
  if (unit === 'factor') return `× ${number.toFixed(2)}`;
  if (unit === 'ms') return `${number.toFixed(3)} ms`;
  if (unit === 'ms²') return `${number.toFixed(4)} ms²`;
  if (unit === 's') return `${number.toFixed(2)} s`;
  if (unit === 'cores') return `${(number * 100).toFixed(2)} %`;
  if (unit === 'ratio') return formatRatio(number < 0.5 ? number : Number(number.toFixed(4)));
  if (unit === 'bit/s') return formatBps(Math.round(number));
  if (unit === 'count') return number.toLocaleString('en');
  const scaled = [1e6, 1e3, 1].find((one) => number >= one) ?? 1;
  const prefix = { 1e6: 'M', 1e3: 'k', 1: '' }[scaled]!;
  const digits = number === 0 ? '0' : (number / scaled).toPrecision(4);
  return unit === 'B/s' ? `${digits} ${prefix}B/s` : `${number.toFixed(2)}/s`;
}

function difference(error: number, bound: Bound, unit: Unit): string {
  return `${error < 0 ? '−' : '+'}${amount(Math.abs(error), bound, unit)}`;
}

/** A bound or an error, without sign. */
function amount(number: number, { kind }: Bound, unit: Unit): string {
  if (kind === 'relative') return `${(number * 100).toFixed(2)} %`;
  return value(number, unit);
}
