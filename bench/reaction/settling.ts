/** When a changing value reaches its final value. Pure; times in milliseconds. */

/** A value, and its start; `undefined`: there is none. */
export interface Change {
  readonly atMs: number;
  readonly value: number | undefined;
}

export interface Window {
  readonly fromMs: number;
  readonly untilMs: number;
}

/**
 * The first instant in the window from which on the value is right until the end of the window; NaN if it is not
 * right at the end.
 */
export function settledAt(
  changes: readonly Change[],
  isRight: (value: number | undefined) => boolean,
  { fromMs, untilMs }: Window,
): number {
  let settled = isRight(valueAt(changes, fromMs)) ? fromMs : Number.NaN;
  for (const { atMs, value } of changes) {
    if (atMs <= fromMs || atMs >= untilMs) continue;
    if (!isRight(value)) settled = Number.NaN;
    else if (Number.isNaN(settled)) settled = atMs;
  }
  return settled;
}

/** The changes are in order of time. */
export function valueAt(changes: readonly Change[], atMs: number): number | undefined {
  return changes.findLast((change) => change.atMs <= atMs)?.value;
}

/** The first of `inARow` consecutive right values; NaN if there is none. `values[i]` is the value at `atMs[i]`. */
export function steadyFrom(
  atMs: readonly number[],
  values: readonly number[],
  isRight: (value: number) => boolean,
  inARow: number,
): number {
  let run = 0;
  for (let index = 0; index < values.length; index++) {
    run = isRight(values[index]!) ? run + 1 : 0;
    if (run === inARow) return atMs[index - inARow + 1]!;
  }
  return Number.NaN;
}
