/**
 * The result of every bench: tables of rows, each with a target and a measured value. Plain data; this is the JSON.
 */
import type { DelayBackendName } from '../../agent/linux/probe/probe.ts';
import type { Interval } from '../measure/statistics.ts';
import type { MachineFacts } from './machine.ts';
import type { Plot } from './plot.ts';

/**
 * `bit/s`; `B/s`, bytes; `1/s`; `µs`, `ms`, `s`; `ms²`, a mean of squares; `MB` of a million bytes; `ratio` in 0..1; `factor`, a ratio of any size; `cores`,
 * processor time by time, shown as a part of one core; `count`.
 */
export type Unit =
  | 'bit/s'
  | 'B/s'
  | '1/s'
  | 'µs'
  | 'ms'
  | 's'
  | 'ms²'
  | 'MB'
  | 'ratio'
  | 'factor'
  | 'cores'
  | 'count';

/** How far off a row may be: a part of its target, or an amount in its unit. */
export interface Bound {
  readonly kind: 'relative' | 'absolute';
  readonly value: number;
  /** Which direction is bad: `above` or `below` the target. Absent: both. */
  readonly bad?: 'above' | 'below';
}

/** `beyond`: this machine is too slow for the row, so nothing follows for netfold. `told`: the row has no bound. */
export type Verdict = 'within' | 'outside' | 'beyond' | 'told';

export interface Row {
  readonly what: string;
  readonly unit: Unit;
  /** null: none. */
  readonly target: number | null;
  /** null: not measured. */
  readonly measured: number | null;
  /** Signed; a ratio or an amount, as the bound. */
  readonly error: number | null;
  /** null: none. */
  readonly bound: Bound | null;
  /** The range of the single samples, or of parts of the measurement. */
  readonly spread: Interval | null;
  readonly samples: number;
  readonly verdict: Verdict;
  /** How often it was measured until it was within. */
  readonly tries: number;
  /** What a reader must know to believe the row. */
  readonly note: string;
}

export interface Table {
  readonly id: string;
  readonly title: string;
  /** The delay backend; absent: no packets took part. */
  readonly backend?: DelayBackendName;
  /** Where the table comes from. */
  readonly source: string;
  /** What was sent, counted and judged. */
  readonly method: string;
  /** What `samples` counts. */
  readonly sampled: string;
  readonly rows: readonly Row[];
}

/** A figure of the measurements, saved as SVG next to the numbers. */
export interface Figure {
  /** Part of the file's name. */
  readonly id: string;
  readonly plot: Plot;
}

export interface Report {
  readonly bench: string;
  /** ISO 8601, UTC. */
  readonly date: string;
  /** A short run: a look, not a result. */
  readonly quick: boolean;
  readonly seconds: number;
  readonly machine: MachineFacts;
  readonly tables: readonly Table[];
  /** Absent: none. */
  readonly figures?: readonly Figure[];
}

export interface Tally {
  readonly within: number;
  readonly judged: number;
  readonly beyond: number;
}

export function tally(tables: readonly Table[]): Tally {
  const verdicts = tables.flatMap(({ rows }) => rows.map(({ verdict }) => verdict));
  const of = (wanted: Verdict): number => verdicts.filter((verdict) => verdict === wanted).length;
  return { within: of('within'), judged: of('within') + of('outside'), beyond: of('beyond') };
}
