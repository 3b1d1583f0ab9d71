/** The table of a study, as `results.json` has it. */
import type { RunLine } from './journal.ts';
import type { Point } from './points.ts';
import type { Summary } from './statistics.ts';

export interface RunRow extends RunLine {
  /** Of its record, in that of the study; null: there is none, or not any more. */
  readonly record: string | null;
}

export interface PointRow extends Point {
  readonly runs: number;
  readonly ok: number;
  /** Of the runs that are ok; a result that none has is absent. */
  readonly results: Readonly<Record<string, Summary>>;
  /** Folders of the records of its runs, in that of the study. */
  readonly records: readonly string[];
}

export interface StudyTable {
  readonly study: string;
  readonly topology: string;
  /** That the topology is a version of, by its whole id. */
  readonly template?: { readonly name: string; readonly version: string };
  readonly netfold: string;
  readonly parameters: readonly string[];
  /** Name → unit; empty: none was given. */
  readonly results: Readonly<Record<string, string>>;
  /** Of 1: of the intervals. */
  readonly confidence: number;
  /** Those that have a run. */
  readonly points: readonly PointRow[];
  readonly runs: readonly RunRow[];
}
