/** What a run must satisfy: the lines of `expect:`. */
import type { Bps, Micros, Ratio } from '../../proto/units.ts';
import type { NodeReference } from './names.ts';
import type { Position } from './position.ts';

export type Comparison = '<' | '<=' | '>' | '>=' | '=';

/** Of the samples in the window. A percentile is a part of 1. */
export type Statistic =
  | { readonly kind: 'mean' | 'least' | 'greatest' }
  | { readonly kind: 'percentile'; readonly part: Ratio };

/** An instant, or the first event of the run whose line or command contains a text. */
export type Instant = { readonly at: Micros } | { readonly event: string };

export type When =
  /** The whole run. */
  | { readonly kind: 'run' }
  | { readonly kind: 'window'; readonly from: Micros; readonly to: Micros }
  /** At the latest then. */
  | { readonly kind: 'by'; readonly by: Micros }
  | { readonly kind: 'within'; readonly within: Micros; readonly after: Instant };

export interface MeasureExpectation {
  /** `rtt` of an echo request, `loss` of requests or their answers; `rate` and `bytes` are what the counters of the endpoint saw. */
  readonly what: 'rtt' | 'loss' | 'rate' | 'bytes';
  readonly from: NodeReference;
  readonly to: NodeReference;
  readonly statistic: Statistic;
  readonly when: When;
  readonly comparison: Comparison;
  /** Microseconds, a part of 1, bits per second, or bytes. */
  readonly value: Micros | Ratio | Bps | number;
}

export interface ReachExpectation {
  readonly what: 'reach';
  readonly from: NodeReference;
  readonly to: NodeReference;
  /** false: it must not be reached. */
  readonly isReached: boolean;
  readonly when: When;
}

export interface ExitExpectation {
  readonly what: 'exit';
  readonly node: NodeReference;
  readonly code: number;
  readonly when: When;
}

export interface LogExpectation {
  readonly what: 'log';
  readonly node: NodeReference;
  readonly text: string;
  /** false: the text must not be in it. */
  readonly contains: boolean;
  readonly when: When;
  /** The text must be there before this one. */
  readonly before?: { readonly node: NodeReference; readonly text: string };
}

export interface VerdictExpectation {
  readonly what: 'verdict';
}

export type Expectation = (
  | MeasureExpectation
  | ReachExpectation
  | ExitExpectation
  | LogExpectation
  | VerdictExpectation
) & {
  /** As it stands in the file. */
  readonly line: string;
  readonly position: Position;
};
