/** How long an operation of some milliseconds takes, measured repeatedly in one process. */
import { least } from '../report/judge.ts';
import type { Row } from '../report/model.ts';
import { interval99, median } from './statistics.ts';

export interface Timed {
  readonly what: string;
  /** The bound of the median. */
  readonly boundMs: number;
  /** Runs that do not count: the compiler optimizes what has run often. */
  readonly warmUp: number;
  readonly samples: number;
  /** Called before each run; its time does not count. */
  readonly prepare?: () => void;
  readonly run: () => void;
  readonly note?: string;
}

/** The row of a table: median and middle 99 % of the samples. */
export function timed({ what, boundMs, warmUp, samples, prepare, run, note = '' }: Timed): Row {
  const durations: number[] = [];
  for (let sample = -warmUp; sample < samples; sample++) {
    prepare?.();
    const began = performance.now();
    run();
    if (sample >= 0) durations.push(performance.now() - began);
  }
  return atMost(what, 'ms', boundMs, durations, note);
}

/** A row whose median has to be small. */
export function atMost(
  what: string,
  unit: Row['unit'],
  bound: number,
  values: readonly number[],
  note = '',
): Row {
  return least(what, unit, bound, {
    measured: median(values),
    spread: values.length > 1 ? interval99(values) : null,
    samples: values.length,
    note,
  });
}
