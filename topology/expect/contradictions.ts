/**
 * Expectations that no run can satisfy: one alone, or two of them. Each says that a value lies in a range, all the time or once in
 * a time. Two contradict each other if one of them holds all the time in which the other one is to hold, and the ranges are apart.
 */
import { type Micros, micros } from '../../proto/units.ts';
import type { Findings } from '../model/diagnostics.ts';
import type { Comparison, Expectation, MeasureExpectation, Statistic, When } from '../model/expectations.ts';
import { formatReference, type NodeReference } from '../model/names.ts';
import { LEAST_TIME, startOf } from './parts.ts';

/** Of hostile files, whose lines are all about the same. */
const MOST_COMPARED = 200;

export interface ReadExpectation {
  readonly expectation: Expectation;
  /** For messages. */
  readonly field: string;
}

interface Claim extends ReadExpectation {
  /** What is said the same of may contradict each other. */
  readonly about: string;
  readonly low: number;
  readonly high: number;
  /** Whether the bounds themselves are outside. */
  readonly isOpen: boolean;
  /** Of a statistic of the same values, those of a lower rank are not greater. */
  readonly rank: number;
  /** `undefined`: not known before the run. */
  readonly span: Span | undefined;
  readonly allTheTime: boolean;
  /** What two spans have in common to be about the same. */
  readonly common: Micros;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

export function reportContradictions(
  read: readonly ReadExpectation[],
  replicas: ReadonlyMap<string, number>,
  findings: Findings,
): void {
  for (const one of read) reportImpossible(one, replicas, findings);
  const claims = read.flatMap(claimOf);
  for (const [, alike] of Map.groupBy(claims, ({ about }) => about)) {
    const some = alike.slice(0, MOST_COMPARED);
    some.forEach((claim, index) => {
      const other = some.slice(0, index).find((one) => areContradictory(one, claim));
      if (!other) return;
      const { expectation, field } = claim;
      const { line, position } = other.expectation;
      const message = `this contradicts line ${position.line}: ${line}`;
      findings.error('EXPECT_CONTRADICTION', expectation.position, field, message, 'leave one of them out');
    });
  }
}

/** `loss < 0%`, `processes web >= 4` of three. */
function reportImpossible(
  { expectation, field }: ReadExpectation,
  replicas: ReadonlyMap<string, number>,
  findings: Findings,
): void {
  // What an application measures may be anything.
  if (!('comparison' in expectation) || expectation.what === 'number') return;
  const { node, what } = { node: undefined, ...expectation };
  const most =
    what === 'loss'
      ? 1
      : node
        ? (node.replica === undefined && replicas.get(node.name)) || 1
        : Number.POSITIVE_INFINITY;
  const { low, high, isOpen } = rangeOf(expectation.comparison, expectation.value);
  const isPossible = isOpen ? low < most && high > 0 : low <= most && high >= 0;
  if (isPossible) return;
  const message = node
    ? `this never holds: ${formatReference(node)} has ${most}`
    : `this never holds, whatever is measured`;
  findings.error('EXPECT_CONTRADICTION', expectation.position, field, message, 'write another number');
}

function rangeOf(comparison: Comparison, value: number): Pick<Claim, 'low' | 'high' | 'isOpen'> {
  return {
    low: comparison.startsWith('<') ? Number.NEGATIVE_INFINITY : value,
    high: comparison.startsWith('>') ? Number.POSITIVE_INFINITY : value,
    isOpen: comparison === '<' || comparison === '>',
  };
}

/** Something is the case, or is not. */
const truth = (isSo: boolean): Pick<Claim, 'low' | 'high' | 'isOpen' | 'rank'> => ({
  ...{ low: Number(isSo), high: Number(isSo) },
  ...{ isOpen: false, rank: 0 },
});

function claimOf(read: ReadExpectation): Claim[] {
  const { expectation } = read;
  if (expectation.what === 'verdict') return [];
  const { when } = expectation;
  const spoken = { ...read, span: spanOf(when), common: micros(0) };
  const allTheTime = when.kind === 'run' || when.kind === 'window';
  switch (expectation.what) {
    case 'reach': {
      const about = `reach ${pathOf(expectation)}`;
      return [{ ...spoken, about, ...truth(expectation.isReached), allTheTime, common: LEAST_TIME }];
    }
    case 'processes': {
      const about = `processes ${formatReference(expectation.node)}`;
      const range = rangeOf(expectation.comparison, expectation.value);
      return [{ ...spoken, about, ...range, rank: 0, allTheTime }];
    }
    case 'exit': {
      // A command that is started again may end in several ways.
      if (when.kind !== 'run') return [];
      const code = rangeOf('=', expectation.code);
      return [
        { ...spoken, about: `exit ${formatReference(expectation.node)}`, ...code, rank: 0, allTheTime },
      ];
    }
    case 'log': {
      if (expectation.before) return [];
      const { node, text, contains } = expectation;
      const about = `log ${JSON.stringify([formatReference(node), text])}`;
      return [{ ...spoken, about, ...truth(contains), allTheTime: !contains }];
    }
    case 'number': {
      const { node, text, statistic, comparison, value } = expectation;
      // One number of a whole time says nothing of another time.
      const about = `number ${JSON.stringify([named(node), text, when])}`;
      return [{ ...spoken, about, ...rangeOf(comparison, value), rank: rankOf(statistic), allTheTime }];
    }
    default:
      return [{ ...spoken, ...measured(expectation), allTheTime }];
  }
}

function measured(
  expectation: MeasureExpectation,
): Omit<Claim, keyof ReadExpectation | 'span' | 'allTheTime'> {
  const { what, statistic, over, when, ofTraffic = false, comparison, value } = expectation;
  // One number of a whole time says nothing of another time.
  const which = over === undefined ? when : over;
  return {
    about: `${what} ${pathOf(expectation)} ${JSON.stringify([ofTraffic, which])}`,
    ...rangeOf(comparison, value),
    rank: rankOf(statistic),
    common: over ?? micros(0),
  };
}

/** The mean lies between least and greatest, and has no place among the percentiles. */
function rankOf(statistic: Statistic): number {
  switch (statistic.kind) {
    case 'least':
      return 0;
    case 'greatest':
      return 1;
    case 'percentile':
      return statistic.part;
    case 'mean':
      return Number.NaN;
  }
}

const pathOf = ({ from, to }: { from: NodeReference; to: NodeReference }): string =>
  `${named(from)} ${named(to)}`;
const named = ({ name, replica = 0 }: NodeReference): string => formatReference({ name, replica });

function spanOf(when: When): Span | undefined {
  switch (when.kind) {
    case 'run':
      return { from: 0, to: Number.POSITIVE_INFINITY };
    case 'window':
      return when;
    case 'by':
      return { from: 0, to: when.by };
    case 'within': {
      const start = startOf(when.after);
      return start === undefined ? undefined : { from: start, to: start + when.within };
    }
  }
}

function areContradictory(a: Claim, b: Claim): boolean {
  if (!areOfOneTime(a, b)) return false;
  return isAbove(a, b) || isAbove(b, a);
}

function areOfOneTime(a: Claim, b: Claim): boolean {
  if (!a.span || !b.span) return false;
  if (a.allTheTime && b.allTheTime)
    return Math.min(a.span.to, b.span.to) - Math.max(a.span.from, b.span.from) >= a.common;
  if (a.allTheTime) return isInside(b.span, a.span);
  return b.allTheTime && isInside(a.span, b.span);
}

const isInside = (inner: Span, outer: Span): boolean => inner.from >= outer.from && inner.to <= outer.to;

/** Whether `low`, whose rank is not higher, is said to be above all that `high` may be. */
function isAbove(low: Claim, high: Claim): boolean {
  if (!isOrdered(low.rank, high.rank)) return false;
  return low.low > high.high || (low.low === high.high && (low.isOpen || high.isOpen));
}

function isOrdered(low: number, high: number): boolean {
  if (Number.isNaN(low) && Number.isNaN(high)) return true;
  if (Number.isNaN(low)) return high === 1;
  if (Number.isNaN(high)) return low === 0;
  return low <= high;
}
