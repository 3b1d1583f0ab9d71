/** Lines of CSV in files of packets and of flows. */
import { fromMillis, fromSeconds, type Micros, micros } from '../../../../proto/units.ts';
import { type Findings, quote } from '../../../model/diagnostics.ts';
import { fieldOf, type Origin, placeOf } from './origins.ts';

/** What is wrong with a line of a file. */
export class LineProblem extends Error {
  readonly line: number;
  readonly remedy: string;

  constructor(line: number, message: string, remedy: string) {
    super(message);
    this.line = line;
    this.remedy = remedy;
  }
}

/** Columns of times, and their units. */
export const TIMES: ReadonlyMap<string, (value: number) => Micros> = new Map([
  ['time', fromSeconds],
  ['time_s', fromSeconds],
  ['time_ms', fromMillis],
  ['time_us', micros],
]);

const NUMBER = /^(?:\d{1,15}(?:\.\d{0,12})?|\.\d{1,12})$/;

/** Throws `LineProblem`. */
export function numberIn(cell: string | undefined, line: number, remedy: string): number {
  if (cell === undefined || !NUMBER.test(cell))
    throw new LineProblem(line, `${quote(cell ?? '')} is no number`, remedy);
  return Number(cell);
}

/** Tells a `LineProblem`; throws any other error. */
export function refuseLine(error: unknown, file: string, origin: Origin, findings: Findings): undefined {
  if (!(error instanceof LineProblem)) throw error;
  const { line, message, remedy } = error;
  const place = { ...placeOf(origin), line, column: 1, file };
  findings.error('VALUE_INVALID', place, fieldOf(origin), message, remedy);
  return undefined;
}
