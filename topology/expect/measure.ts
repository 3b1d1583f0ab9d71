/** Statements about what was measured between two endpoints. */
import {
  type Bps,
  type Micros,
  micros,
  parseBandwidth,
  parseBytes,
  parseLatency,
  parsePercentage,
  type Ratio,
  ratio,
} from '../../proto/units.ts';
import { LineError, type Words } from '../events/words.ts';
import { quote } from '../model/diagnostics.ts';
import type { Comparison, MeasureExpectation, Statistic, When } from '../model/expectations.ts';
import {
  demandBy,
  duration,
  type Form,
  LEAST_TIME,
  longWindow,
  node,
  RUN,
  window,
  withUnits,
} from './parts.ts';

/** A busy machine records a second late: of two, one is there. */
const LEAST_RECORDED: Micros = micros(2_000_000);

type Measure = MeasureExpectation['what'];

const COMPARISONS = ['<', '<=', '>', '>=', '='] as const;

export const comparison = (words: Words): Comparison => words.keyword(COMPARISONS, 'a comparison');

export function measure(words: Words, what: Measure, form: Form): MeasureExpectation {
  const [from, to] = [node(words), node(words)];
  const ofTraffic = traffic(words, what);
  const statistic = statisticOf(words, what);
  const { position } = words;
  const over = stretch(words, what, form);
  const early = windowOf(words, what, form);
  const compared = { comparison: comparison(words), value: quantity(words, what) };
  const when = early ?? late(words, what, form);
  requireRoom(when, over, position);
  return {
    ...{ what, from, to, statistic, when, ...compared },
    ...(ofTraffic && { ofTraffic }),
    ...(over !== undefined && { over }),
  };
}

function traffic(words: Words, what: Measure): true | undefined {
  const { position } = words;
  if (!words.skip('of')) return undefined;
  words.demand('traffic', '"traffic"');
  if (what === 'rtt') return true;
  const message = 'of the traffic itself, round trips, rates and bytes are known';
  throw new LineError(position, message, `leave "of traffic" out, or write rtt`);
}

const MEDIAN: Statistic = { kind: 'percentile', part: ratio(0.5) };
const NAMED: Readonly<Record<string, Statistic>> = {
  mean: { kind: 'mean' },
  median: MEDIAN,
  min: { kind: 'least' },
  max: { kind: 'greatest' },
};
const PERCENTILE = /^p(\d{1,2}(?:\.\d{1,3})?)$/;

const usualOf = (what: Measure): Statistic =>
  what === 'rtt' || what === 'latency' ? MEDIAN : { kind: 'mean' };

/** Of numbers that an application has measured, the median if none is written. */
export const statisticOfNumbers = (words: Words): Statistic => namedStatistic(words) ?? MEDIAN;

function statisticOf(words: Words, what: Measure): Statistic {
  const { position } = words;
  const word = words.peek();
  const found = namedStatistic(words);
  if (found && (what === 'loss' || what === 'bytes'))
    throw new LineError(
      position,
      `${quote(what)} is one number for the whole window`,
      `leave ${word!.text} out`,
    );
  return found ?? usualOf(what);
}

function namedStatistic(words: Words): Statistic | undefined {
  const word = words.peek();
  if (!word || word.quoted) return undefined;
  const percentile = PERCENTILE.exec(word.text);
  const found = percentile
    ? ({ kind: 'percentile', part: parsePercentage(`${percentile[1]}%`) } as const)
    : Object.hasOwn(NAMED, word.text)
      ? NAMED[word.text]
      : undefined;
  if (found) words.take('a statistic');
  return found;
}

/** `over T`, which a word before the statement needs, and which is nothing without one. */
function stretch(words: Words, what: Measure, form: Form): Micros | undefined {
  const { position } = words;
  if (form.kind === 'plain') {
    if (!words.skip('over')) return undefined;
    const message = '"over" is about stretches of time, and nothing says which of them';
    throw new LineError(position, message, 'write always, eventually … by T or after … within T before it');
  }
  words.demand('over', '"over" and a time, over which this is measured');
  const { position: at } = words;
  const over = duration(words);
  const isRecorded = what === 'rate' || what === 'bytes';
  if (over >= (isRecorded ? LEAST_RECORDED : LEAST_TIME)) return over;
  const message = `this can be judged over ${isRecorded ? 'two seconds' : 'a second'} or more`;
  throw new LineError(at, message, 'write e.g. over 5s');
}

function windowOf(words: Words, what: Measure, form: Form): When | undefined {
  if (form.kind !== 'plain' && form.kind !== 'always') return undefined;
  return what === 'rate' || what === 'bytes' ? longWindow(words) : window(words);
}

function late(words: Words, what: Measure, form: Form): When {
  if (form.kind === 'after') return form.when;
  return form.kind === 'eventually' ? demandBy(words) : (windowOf(words, what, form) ?? RUN);
}

function requireRoom(when: When, over: Micros | undefined, position: LineError['position']): void {
  if (over === undefined) return;
  if (lengthOf(when) >= over) return;
  const message = 'this time is longer than that in which it is to be found, so it can never be judged';
  throw new LineError(position, message, 'write a shorter time after over');
}

const lengthOf = (when: When): number =>
  when.kind === 'window'
    ? when.to - when.from
    : when.kind === 'by'
      ? when.by
      : when.kind === 'within'
        ? when.within
        : Number.POSITIVE_INFINITY;

function quantity(words: Words, what: Measure): Micros | Ratio | Bps | number {
  if (what === 'rtt' || what === 'latency') return withUnits(words, 'a time, e.g. 50ms', parseLatency);
  if (what === 'loss') return withUnits(words, 'a percentage, e.g. 1%', parsePercentage);
  if (what === 'rate') return withUnits(words, 'a bandwidth, e.g. 25Mbps', parseBandwidth);
  return withUnits(words, 'a size, e.g. 10MB', parseBytes);
}
