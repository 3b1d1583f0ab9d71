/** Target, measurement and bound → row. Pure. */
import type { Interval } from '../measure/statistics.ts';
import type { Bound, Row, Table, Unit } from './model.ts';

export interface Target {
  readonly what: string;
  readonly unit: Unit;
  readonly target: number;
  readonly bound: Bound;
}

export interface Measurement {
  readonly measured: number;
  readonly spread: Interval | null;
  readonly samples: number;
  readonly note?: string;
}

export function judge(
  { what, unit, target, bound }: Target,
  { measured, spread, samples, note = '' }: Measurement,
): Row {
  const error = bound.kind === 'relative' ? measured / target - 1 : measured - target;
  const off = bound.bad === 'above' ? error : bound.bad === 'below' ? -error : Math.abs(error);
  const verdict = off <= bound.value ? 'within' : 'outside';
  const known = Number.isFinite(error);
  return {
    what,
    unit,
    target,
    measured: known ? measured : null,
    error: known ? error : null,
    bound,
    spread,
    samples,
    verdict,
    tries: 1,
    note,
  };
}

/** A row that has to be small; a smaller value is never wrong. */
export function least(what: string, unit: Unit, most: number, measurement: Measurement): Row {
  const bound = { kind: 'absolute', value: most, bad: 'above' } as const;
  return judge({ what, unit, target: 0, bound }, measurement);
}

/** A row without a bound. */
export function reported(
  what: string,
  unit: Unit,
  { measured, spread, samples, note = '' }: Measurement,
): Row {
  const nothing = { target: null, error: null, bound: null };
  return { what, unit, measured, spread, samples, ...nothing, verdict: 'told', tries: 1, note };
}

/** A row for which this machine is too slow; `why` gives the reason. */
export function beyond({ what, unit, target, bound }: Target, why: string): Row {
  const nothing = { measured: null, error: null, spread: null, samples: 0 };
  return { what, unit, target, bound, ...nothing, verdict: 'beyond', tries: 1, note: why };
}

/** A real error repeats. A machine that paused has spoiled only one measurement. */
const MAX_TRIES = 2;

/** Repeats the measurement while the row is outside; `tries` counts. */
export async function tried(measure: () => Promise<Row>): Promise<Row> {
  for (let tries = 1; ; tries++) {
    const row = { ...(await measure()), tries };
    if (tries === MAX_TRIES || row.verdict !== 'outside') return row;
  }
}

/** The same for a table whose rows come from one run. */
export async function triedTable(measure: () => Promise<Table>): Promise<Table> {
  for (let tries = 1; ; tries++) {
    const table = await measure();
    const rows = table.rows.map((row) => ({ ...row, tries }));
    if (tries === MAX_TRIES || rows.every(({ verdict }) => verdict !== 'outside')) return { ...table, rows };
  }
}
