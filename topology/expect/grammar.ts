/**
 * The lines of `expect:`, by recursive descent:
 *
 *     expectation = measure | reach | exit | log | "verdict" "faithful"
 *     measure     = ("rtt" | "rate") NODE NODE [statistic] [window] compare QUANTITY
 *                 | ("loss" | "bytes") NODE NODE [window] compare QUANTITY
 *     statistic   = "mean" | "median" | "min" | "max" | "p" PERCENTAGE             (default: median of rtt, mean of rate)
 *     reach       = ["no"] "reach" NODE NODE [window | "by" T | "within" T "after" (T | TEXT)]
 *     exit        = "exit" NODE CODE ["by" T]
 *     log         = "log" NODE ("contains" | "lacks") TEXT ["by" T | window | "before" "log" NODE TEXT]
 *     window      = "from" T "to" T
 *     compare     = "<" | "<=" | ">" | ">=" | "="
 *
 * NODE is an endpoint, or a service with one replica. `after TEXT` is the first event whose line, or command, contains the text.
 */
import {
  type Bps,
  type Micros,
  micros,
  parseBandwidth,
  parseBytes,
  parseDuration,
  parseLatency,
  parsePercentage,
  type Ratio,
  ratio,
} from '../../proto/units.ts';
import { LineError, reportingLineErrors, Words } from '../events/words.ts';
import type { Findings } from '../model/diagnostics.ts';
import { quote } from '../model/diagnostics.ts';
import type {
  Comparison,
  Expectation,
  Instant,
  MeasureExpectation,
  Statistic,
  When,
} from '../model/expectations.ts';
import { type NodeReference, parseReference } from '../model/names.ts';
import type { Position } from '../model/position.ts';

const KINDS = ['rtt', 'loss', 'rate', 'bytes', 'reach', 'no', 'exit', 'log', 'verdict'] as const;
const COMPARISONS = ['<', '<=', '>', '>=', '='] as const;
/** A regular expression (ECMA-262) for the schema of files. It matches whatever `parseExpectation` accepts. */
export const EXPECTATION_PATTERN = String.raw`^\s*(?:${KINDS.join('|')})\s`;

/** Parses one line; an error goes to `findings` and gives `undefined`. `start`: where the line stands in the file. */
export function parseExpectation(
  line: string,
  start: Position,
  field: string,
  findings: Findings,
): Expectation | undefined {
  return reportingLineErrors(field, findings, () => {
    try {
      const words = new Words(line, start);
      const expectation = parseKind(words);
      if (!words.atEnd()) throw words.unexpected('the end of the line', 'write one expectation a line');
      return { ...expectation, line: line.trim(), position: start };
    } catch (error) {
      if (!(error instanceof LineError) || error.code !== 'EVENT_SYNTAX') throw error;
      throw new LineError(error.position, error.message, error.remedy, 'EXPECT_SYNTAX');
    }
  });
}

/** Without distributing over the union, its parts are lost. */
type Bare<T> = T extends unknown ? Omit<T, 'line' | 'position'> : never;

function parseKind(words: Words): Bare<Expectation> {
  const kind = words.keyword(KINDS, 'what is expected');
  switch (kind) {
    case 'rtt':
    case 'loss':
    case 'rate':
    case 'bytes':
      return measure(words, kind);
    case 'no':
      words.demand('reach', '"reach"');
      return reach(words, false);
    case 'reach':
      return reach(words, true);
    case 'exit':
      return { what: kind, node: node(words), code: code(words), when: by(words) ?? RUN };
    case 'log':
      return log(words);
    case 'verdict':
      words.demand('faithful', '"faithful"');
      return { what: kind };
  }
}

const RUN: When = { kind: 'run' };

function measure(words: Words, what: MeasureExpectation['what']): Bare<Expectation> {
  const [from, to] = [node(words), node(words)];
  const statistic = statisticOf(words, what);
  const when = window(words) ?? RUN;
  const comparison: Comparison = words.keyword(COMPARISONS, 'a comparison');
  return { what, from, to, statistic, when, comparison, value: quantity(words, what) };
}

const MEDIAN: Statistic = { kind: 'percentile', part: ratio(0.5) };
const NAMED: Readonly<Record<string, Statistic>> = {
  mean: { kind: 'mean' },
  median: MEDIAN,
  min: { kind: 'least' },
  max: { kind: 'greatest' },
};
const PERCENTILE = /^p(\d{1,2}(?:\.\d{1,3})?)$/;

function statisticOf(words: Words, what: MeasureExpectation['what']): Statistic {
  const usual: Statistic = what === 'rtt' ? MEDIAN : { kind: 'mean' };
  const word = words.peek();
  if (!word || word.quoted) return usual;
  const percentile = PERCENTILE.exec(word.text);
  const found = percentile
    ? ({ kind: 'percentile', part: parsePercentage(`${percentile[1]}%`) } as const)
    : Object.hasOwn(NAMED, word.text)
      ? NAMED[word.text]
      : undefined;
  if (!found) return usual;
  if (what === 'loss' || what === 'bytes')
    throw new LineError(
      word.position,
      `${quote(what)} is one number for the whole window`,
      `leave ${word.text} out`,
    );
  words.take('a statistic');
  return found;
}

function quantity(words: Words, what: MeasureExpectation['what']): Micros | Ratio | Bps | number {
  if (what === 'rtt') return withUnits(words, 'a time, e.g. 50ms', parseLatency);
  if (what === 'loss') return withUnits(words, 'a percentage, e.g. 1%', parsePercentage);
  if (what === 'rate') return withUnits(words, 'a bandwidth, e.g. 25Mbps', parseBandwidth);
  return withUnits(words, 'a size, e.g. 10MB', parseBytes);
}

function reach(words: Words, isReached: boolean): Bare<Expectation> {
  const [from, to] = [node(words), node(words)];
  const position = words.position;
  const when = window(words) ?? by(words) ?? within(words) ?? RUN;
  if (!isReached && (when.kind === 'by' || when.kind === 'within'))
    throw new LineError(
      position,
      'a path that is closed has no instant at which that is seen',
      'write no reach A B from T to T',
    );
  return { what: 'reach', from, to, isReached, when };
}

function log(words: Words): Bare<Expectation> {
  const from = node(words);
  const contains = words.keyword(['contains', 'lacks'], '"contains" or "lacks"') === 'contains';
  const text = quotedText(words);
  if (contains && words.skip('before')) {
    words.demand('log', '"log"');
    const before = { node: node(words), text: quotedText(words) };
    return { what: 'log', node: from, text, contains, when: RUN, before };
  }
  return { what: 'log', node: from, text, contains, when: window(words) ?? by(words) ?? RUN };
}

function window(words: Words): When | undefined {
  if (!words.skip('from')) return undefined;
  const from = duration(words);
  words.demand('to', '"to"');
  const position = words.position;
  const to = duration(words);
  if (to <= from)
    throw new LineError(position, 'the end is not after the start', 'write from EARLIER to LATER');
  return { kind: 'window', from, to };
}

function by(words: Words): When | undefined {
  return words.skip('by') ? { kind: 'by', by: duration(words) } : undefined;
}

function within(words: Words): When | undefined {
  if (!words.skip('within')) return undefined;
  const time = duration(words);
  words.demand('after', '"after"');
  const after: Instant = words.peek()?.quoted
    ? { event: words.take('an event').text }
    : { at: duration(words) };
  return { kind: 'within', within: time, after };
}

const duration = (words: Words): Micros =>
  withUnits(words, 'a time since the start, e.g. 10s', parseDuration);

function node(words: Words): NodeReference {
  const { position } = words;
  const { text, quoted } = words.take('an endpoint');
  const reference = quoted ? undefined : parseReference(text);
  if (!reference)
    throw new LineError(position, `${quote(text)} can't be the name of an endpoint`, 'write e.g. server.0');
  return reference;
}

function code(words: Words): number {
  const { position } = words;
  const { text } = words.take('an exit code');
  if (/^\d{1,3}$/.test(text) && Number(text) < 256) return Number(text);
  throw new LineError(position, `${quote(text)} is no exit code`, 'write a number from 0 to 255');
}

function quotedText(words: Words): string {
  const { position } = words;
  const { text, quoted } = words.take('a text in quotes');
  if (quoted && text !== '') return text;
  throw new LineError(position, `expected a text in quotes, but found ${quote(text)}`, `write "${text}"`);
}

function withUnits<T>(words: Words, what: string, parse: (text: string) => T): T {
  const { position } = words;
  const { text } = words.take(what);
  try {
    return parse(text);
  } catch (error) {
    const { message, remedy } = error as Error & { remedy?: string };
    throw new LineError(position, message, remedy ?? `write ${what}`, 'UNIT');
  }
}

/** A time that a run must reach to be judged, or 0. */
export function latestOf(expectations: readonly Expectation[]): Micros {
  const times = expectations.map((one) => {
    if (!('when' in one)) return 0;
    const { when } = one;
    if (when.kind === 'window') return when.to;
    if (when.kind === 'by') return when.by;
    return when.kind === 'within' && 'at' in when.after ? when.after.at + when.within : 0;
  });
  return micros(Math.max(0, ...times));
}
