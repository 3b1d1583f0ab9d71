/** What a run must satisfy: the lines of `expect:`. */
import type { Bps, Micros, Ratio } from '../../proto/units.ts';
import type { NodeReference } from './names.ts';
import type { Position } from './position.ts';

export type Comparison = '<' | '<=' | '>' | '>=' | '=';

/** Of the samples in the window. A percentile is a part of 1. */
export type Statistic =
  | { readonly kind: 'mean' | 'least' | 'greatest' }
  | { readonly kind: 'percentile'; readonly part: Ratio };

/** An instant, the first event of the run whose line or command contains a text, or the first time that a text is in a log. */
export type Instant =
  | { readonly at: Micros }
  /** `due`: when the file says that it happens; absent: no event of the file contains the text. */
  | { readonly event: string; readonly due?: Micros }
  | { readonly log: LoggedText };

/** A text that an endpoint writes. */
export interface LoggedText {
  readonly node: NodeReference;
  readonly text: string;
}

/** `run` and `window`: all the time. `by` and `within`: once in that time. */
export type When =
  /** The whole run. */
  | { readonly kind: 'run' }
  /** `from` = `to`: at this instant. */
  | { readonly kind: 'window'; readonly from: Micros; readonly to: Micros }
  /** At the latest then. */
  | { readonly kind: 'by'; readonly by: Micros }
  | { readonly kind: 'within'; readonly within: Micros; readonly after: Instant };

export const MEASURES = ['rtt', 'latency', 'loss', 'rate', 'bytes'] as const;

export interface MeasureExpectation {
  /**
   * `rtt` of an echo request, `loss` of requests or their answers; `latency` of a datagram, one way; `rate` and `bytes` are what
   * the counters of the endpoint saw.
   */
  readonly what: (typeof MEASURES)[number];
  readonly from: NodeReference;
  readonly to: NodeReference;
  /** Of round trips: those of the applications' own TCP connections. Absent: of echo requests. */
  readonly ofTraffic?: true;
  readonly statistic: Statistic;
  /** The statistic of each stretch of this length, all the time or once. Absent: one statistic of the whole time. */
  readonly over?: Micros;
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
  readonly before?: LoggedText;
}

/** Of numbers that an endpoint writes to its log behind a text: what its application has measured itself. */
export interface NumberExpectation {
  readonly what: 'number';
  readonly node: NodeReference;
  readonly text: string;
  readonly statistic: Statistic;
  /** The run, or a window. */
  readonly when: When;
  readonly comparison: Comparison;
  /** In the unit in which it is written. */
  readonly value: number;
}

/** Of how many endpoints of a node the command runs. */
export interface ProcessesExpectation {
  readonly what: 'processes';
  /** A service without a number: all its endpoints. */
  readonly node: NodeReference;
  readonly when: When;
  readonly comparison: Comparison;
  readonly value: number;
}

export interface VerdictExpectation {
  readonly what: 'verdict';
}

export type Expectation = (
  | MeasureExpectation
  | ReachExpectation
  | ExitExpectation
  | LogExpectation
  | NumberExpectation
  | ProcessesExpectation
  | VerdictExpectation
) & {
  /** As it stands in the file. */
  readonly line: string;
  readonly position: Position;
};
