/**
 * The lines of `expect:`, by recursive descent:
 *
 *     expectation = statement
 *                 | "always" statement
 *                 | "eventually" statement "by" T
 *                 | "after" INSTANT "within" T statement
 *     statement   = measure | reach | processes | exit | log | number | "verdict" "faithful"
 *     measure     = ("rtt" | "latency" | "rate") NODE NODE ["of" "traffic"] [statistic] ["over" T] [window] compare QUANTITY [window]
 *                 | ("loss" | "bytes") NODE NODE ["over" T] [window] compare QUANTITY [window]
 *     statistic   = "mean" | "median" | "min" | "max" | "p" PERCENTAGE      (default: mean of rate, median of the others)
 *     reach       = ["no"] "reach" NODE NODE [window | "by" T | "within" T "after" INSTANT]
 *     processes   = "processes" NODE compare NUMBER [window | "at" T | "by" T]
 *     exit        = "exit" NODE CODE ["by" T]
 *     log         = "log" NODE ("contains" | "lacks") TEXT ["by" T | window | "before" "log" NODE TEXT]
 *     number      = "number" NODE TEXT [statistic] [window] compare NUMBER [window]
 *     window      = "from" T "to" T
 *     compare     = "<" | "<=" | ">" | ">=" | "="
 *     INSTANT     = T | TEXT | "log" NODE TEXT
 *
 * NODE is an endpoint, or a service with one replica; of `processes` any service. The INSTANT TEXT is the first event whose line,
 * or command, contains the text; `log NODE TEXT` is when NODE first writes it. `over T` and a word before the statement need each other.
 */
import { type Micros, micros } from '../../proto/units.ts';
import { LineError, reportingLineErrors, Words } from '../events/words.ts';
import { type Findings, quote } from '../model/diagnostics.ts';
import { type Expectation, MEASURES, type When } from '../model/expectations.ts';
import { comparison, measure, statisticOfNumbers } from './measure.ts';
import * as parts from './parts.ts';

const STATEMENTS = [...MEASURES, 'reach', 'no', 'processes', 'exit', 'log', 'number', 'verdict'] as const;
const FORMS = ['always', 'eventually', 'after'] as const;
/** A regular expression (ECMA-262) for the schema of files. It matches whatever `parseExpectation` accepts. */
export const EXPECTATION_PATTERN = String.raw`^\s*(?:${[...STATEMENTS, ...FORMS].join('|')})[\s"]`;
/** Of an endpoint, or of a service. */
const MOST_PROCESSES = 100_000;
const MOST_CODE = 255;

/** Parses one line; an error goes to `findings` and gives `undefined`. `start`: where the line stands in the file. */
export function parseExpectation(
  line: string,
  start: Expectation['position'],
  field: string,
  findings: Findings,
): Expectation | undefined {
  return reportingLineErrors(field, findings, () => {
    try {
      const words = new Words(line, start);
      const expectation = parseForm(words);
      if (!words.atEnd()) throw words.unexpected('the end of the line', 'write one expectation a line');
      return { ...expectation, line: line.trim(), position: start };
    } catch (error) {
      if (!(error instanceof LineError) || error.code !== 'EVENT_SYNTAX') throw error;
      throw new LineError(error.position, error.message, error.remedy, 'EXPECT_SYNTAX');
    }
  });
}

/** Without its place in a file. Without distributing over the union, its parts are lost. */
export type Bare<T> = T extends unknown ? Omit<T, 'line' | 'position'> : never;

function parseForm(words: Words): Bare<Expectation> {
  if (words.skip('always')) return statement(words, { kind: 'always' });
  if (words.skip('eventually')) return statement(words, { kind: 'eventually' });
  if (!words.skip('after')) return statement(words, { kind: 'plain' });
  const after = parts.instant(words);
  words.demand('within', '"within"');
  return statement(words, { kind: 'after', when: { kind: 'within', within: parts.duration(words), after } });
}

/** A statement without the words before it. Throws `LineError`. */
export function statement(words: Words, form: parts.Form): Bare<Expectation> {
  const { position } = words;
  const expected = form.kind === 'plain' ? [...STATEMENTS, ...FORMS] : STATEMENTS;
  const kind = words.keyword(expected, 'what is expected') as (typeof STATEMENTS)[number];
  switch (kind) {
    case 'no':
      words.demand('reach', '"reach"');
      return reach(words, false, form);
    case 'reach':
      return reach(words, true, form);
    case 'processes':
      return processes(words, form);
    case 'exit':
      if (form.kind === 'always') throw once(position, kind);
      return {
        ...{ what: kind, node: parts.node(words), code: parts.wholeNumber(words, 'an exit code', MOST_CODE) },
        when: parts.whenOf(words, form, () => parts.by(words)),
      };
    case 'log':
      return log(words, form);
    case 'number':
      return number(words, form, position);
    case 'verdict':
      words.demand('faithful', '"faithful"');
      if (form.kind === 'plain' || form.kind === 'always') return { what: kind };
      throw new LineError(position, 'the verdict is on the whole run', 'write verdict faithful');
    default:
      return measure(words, kind, form);
  }
}

const once = (position: Expectation['position'], kind: string): LineError =>
  new LineError(
    position,
    `${quote(kind)} happens at one instant`,
    'write eventually … by T, or after INSTANT within T …',
  );

function reach(words: Words, isReached: boolean, form: parts.Form): Bare<Expectation> {
  const [from, to] = [parts.node(words), parts.node(words)];
  const when = parts.whenOf(
    words,
    form,
    () => parts.longWindow(words) ?? parts.by(words) ?? parts.within(words),
  );
  return { what: 'reach', from, to, isReached, when };
}

function processes(words: Words, form: parts.Form): Bare<Expectation> {
  const node = parts.node(words);
  const compared = {
    comparison: comparison(words),
    value: parts.wholeNumber(words, 'a number', MOST_PROCESSES),
  };
  const when = parts.whenOf(words, form, () => parts.window(words) ?? parts.by(words) ?? at(words));
  return { what: 'processes', node, ...compared, when };
}

function at(words: Words): When | undefined {
  if (!words.skip('at')) return undefined;
  const time = parts.duration(words);
  return { kind: 'window', from: time, to: time };
}

function log(words: Words, form: parts.Form): Bare<Expectation> {
  const node = parts.node(words);
  const { position } = words;
  const contains = words.keyword(['contains', 'lacks'], '"contains" or "lacks"') === 'contains';
  const what = { what: 'log', node, text: parts.quotedText(words), contains } as const;
  if (contains && form.kind === 'always') throw once(position, 'contains');
  if (!contains && (form.kind === 'eventually' || form.kind === 'after'))
    throw new LineError(
      position,
      'a text that is never written has no instant',
      'write always log A lacks "TEXT"',
    );
  if (contains && form.kind === 'plain' && words.skip('before')) {
    words.demand('log', '"log"');
    return { ...what, when: parts.RUN, before: parts.loggedText(words) };
  }
  return { ...what, when: parts.whenOf(words, form, () => parts.window(words) ?? parts.by(words)) };
}

function number(words: Words, form: parts.Form, position: Expectation['position']): Bare<Expectation> {
  if (form.kind !== 'plain')
    throw new LineError(
      position,
      'numbers are compared by a statistic of all that were written',
      'write e.g. number client "took" max < 50, with a window if it is about a part of the run',
    );
  const what = { what: 'number', node: parts.node(words), text: parts.quotedText(words) } as const;
  const statistic = statisticOfNumbers(words);
  const early = parts.window(words);
  const compared = { comparison: comparison(words), value: parts.anyNumber(words) };
  return { ...what, statistic, when: early ?? parts.window(words) ?? parts.RUN, ...compared };
}

/** A time that a run must reach to be judged, or 0. What follows a log has no time before it is written. */
export function latestOf(expectations: readonly Expectation[]): Micros {
  return micros(Math.max(0, ...expectations.map(latest)));
}

/** Of one. That nothing passes is seen a while after it began. */
export function latest(expectation: Expectation): number {
  if (!('when' in expectation)) return 0;
  const { when } = expectation;
  if (when.kind === 'run') return 0;
  if (when.kind === 'window') return when.to;
  const start = when.kind === 'by' ? when.by : parts.startOf(when.after);
  if (start === undefined) return 0;
  const silence = expectation.what === 'reach' && !expectation.isReached ? parts.LEAST_TIME : 0;
  return start + (when.kind === 'within' ? when.within : 0) + silence;
}
