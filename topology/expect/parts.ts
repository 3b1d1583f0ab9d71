/** Parts of the lines of `expect:`: endpoints, times, texts, quantities. All throw `LineError`. */
import { type Micros, micros, parseDuration, UnitError } from '../../proto/units.ts';
import { LineError, type Words } from '../events/words.ts';
import { quote } from '../model/diagnostics.ts';
import type { Instant, LoggedText, When } from '../model/expectations.ts';
import { type NodeReference, parseReference } from '../model/names.ts';

export const RUN: Extract<When, { kind: 'run' }> = { kind: 'run' };
/** Rates are recorded once a second; that nothing passes for less than a second is loss, and no outage. */
export const LEAST_TIME: Micros = micros(1_000_000);

/** What is around a statement. */
export type Form =
  | { readonly kind: 'plain' | 'always' | 'eventually' }
  | { readonly kind: 'after'; readonly when: Extract<When, { kind: 'within' }> };

/** The time of a statement; `plain`: what may stand there without a word around it. */
export function whenOf(words: Words, form: Form, plain: () => When | undefined): When {
  switch (form.kind) {
    case 'plain':
      return plain() ?? RUN;
    case 'always':
      return longWindow(words) ?? RUN;
    case 'eventually':
      return demandBy(words);
    case 'after':
      return form.when;
  }
}

export function demandBy(words: Words): When {
  const found = by(words);
  if (!found) throw words.unexpected('"by" and a time', 'write e.g. eventually reach a b by 30s');
  return found;
}

export function window(words: Words): Extract<When, { kind: 'window' }> | undefined {
  if (!words.skip('from')) return undefined;
  const from = duration(words);
  words.demand('to', '"to"');
  const position = words.position;
  const to = duration(words);
  if (to <= from)
    throw new LineError(position, 'the end is not after the start', 'write from EARLIER to LATER');
  return { kind: 'window', from, to };
}

/** A window in which something can be measured. */
export function longWindow(words: Words): When | undefined {
  const { position } = words;
  const found = window(words);
  if (found?.kind === 'window' && found.to - found.from < LEAST_TIME)
    throw new LineError(position, 'this can be judged over a second or more', 'write a longer window');
  return found;
}

export function by(words: Words): When | undefined {
  return words.skip('by') ? { kind: 'by', by: duration(words) } : undefined;
}

export function within(words: Words): When | undefined {
  if (!words.skip('within')) return undefined;
  const time = duration(words);
  words.demand('after', '"after"');
  return { kind: 'within', within: time, after: instant(words) };
}

export function instant(words: Words): Instant {
  if (words.peek()?.quoted) return { event: quotedText(words) };
  if (words.skip('log')) return { log: loggedText(words) };
  return { at: duration(words) };
}

export const loggedText = (words: Words): LoggedText => ({ node: node(words), text: quotedText(words) });

export const duration = (words: Words): Micros =>
  withUnits(words, 'a time since the start, e.g. 10s', parseDuration);

export function node(words: Words): NodeReference {
  const { position } = words;
  const { text, quoted } = words.take('an endpoint');
  const reference = quoted ? undefined : parseReference(text);
  if (!reference)
    throw new LineError(position, `${quote(text)} can't be the name of an endpoint`, 'write e.g. server.0');
  return reference;
}

export function wholeNumber(words: Words, what: string, most: number): number {
  const { position } = words;
  const { text } = words.take(what);
  if (/^\d{1,6}$/.test(text) && Number(text) <= most) return Number(text);
  throw new LineError(position, `${quote(text)} is not ${what}`, `write a number from 0 to ${most}`);
}

/** Of any sign and size. */
export function anyNumber(words: Words): number {
  const { position } = words;
  const { text } = words.take('a number');
  const value = /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isFinite(value)) return value;
  throw new LineError(position, `${quote(text)} is no number`, 'write a number without a unit, e.g. 0.05');
}

export function quotedText(words: Words): string {
  const { position } = words;
  const { text, quoted } = words.take('a text in quotes');
  if (quoted && text !== '') return text;
  throw new LineError(position, `expected a text in quotes, but found ${quote(text)}`, `write "${text}"`);
}

export function withUnits<T>(words: Words, what: string, parse: (text: string) => T): T {
  const { position } = words;
  const { text } = words.take(what);
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof UnitError)) throw error;
    throw new LineError(position, error.message, error.remedy ?? `write ${what}`, 'UNIT');
  }
}

/** Since the start; `undefined`: not known before the run. */
export const startOf = (after: Instant): Micros | undefined =>
  'at' in after ? after.at : 'event' in after ? after.due : undefined;
