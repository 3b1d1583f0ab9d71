/** The values of a script: times with units; milliseconds and fractions without; rates; percentages. */
import {
  type Bps,
  DAY,
  type Micros,
  micros,
  parseBandwidth,
  parseDuration,
  parseLatency,
  parsePercentage,
  type Ratio,
  ratio,
  UnitError,
} from '../../../proto/units.ts';
import { newValue, withUnits } from '../../events/changes.ts';
import { MAX_COUNT, MAX_TIME } from '../../events/grammar.ts';
import { LineError, type Word, type Words } from '../../events/words.ts';
import { quote } from '../../model/diagnostics.ts';
import type { Amount, NewValue } from '../../model/events.ts';

const NUMBER = /^\d+(\.\d+)?$/;
const PERCENT = /^\d+(\.\d+)?%$/;

/** The next word, which must not be a sign or a list. */
export function takeWord(words: Words, expected: string, example: string): Word {
  const word = words.peek();
  if (!word || word.quoted || word.text === '=' || word.text === ';')
    throw words.unexpected(expected, `write e.g. ${example}`);
  return words.take(expected);
}

/** `30s`, `2m12.5s`, `1d2h`. */
export function takeTime(words: Words): Micros {
  const { text, position } = takeWord(words, 'a time such as 30s', '30s or 2m12.5s');
  const [, days, rest] = /^(?:(\d{1,9})d)?(.*)$/s.exec(text) as unknown as [
    string,
    string | undefined,
    string,
  ];
  const value =
    Number(days ?? 0) * DAY + (days && rest === '' ? 0 : withUnits(position, () => parseDuration(rest)));
  if (value > MAX_TIME)
    throw new LineError(position, 'the time is more than 100 days', 'write e.g. 30s or 2m12.5s');
  return micros(value);
}

/** `3` or `20%`. */
export function takeAmount(words: Words): Amount {
  const { text, position } = takeWord(words, 'a number of instances or a percentage', '3 or 20%');
  if (text.endsWith('%')) return { share: withUnits(position, () => parsePercentage(text)) };
  return { count: wholeNumber(text, position, 'instances') };
}

export function wholeNumber(text: string, position: Word['position'], of: string): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 1 && value <= MAX_COUNT) return value;
  const message = `${quote(text)} is not a number of ${of}`;
  throw new LineError(position, message, `write a whole number from 1 to ${MAX_COUNT}`);
}

/** `10.0`, in milliseconds. */
export function milliseconds({ text, position }: Word): Micros {
  if (NUMBER.test(text)) return withUnits(position, () => parseLatency(`${text}ms`));
  const remedy = 'this format writes milliseconds without a unit, e.g. latency=10.0';
  throw new LineError(position, `${quote(text)} is not a number of milliseconds`, remedy, 'UNIT');
}

/** `0.01` is 1 %. */
export function fraction({ text, position }: Word): Ratio {
  const value = NUMBER.test(text) ? Number(text) : Number.NaN;
  if (value <= 1) return ratio(value);
  // In a script, a percentage is relative to the previous value, which is not what an author of drop=1% means.
  const remedy = 'this format writes a fraction without a unit: drop=0.01 is 1 %';
  throw new LineError(position, `${quote(text)} is not a fraction from 0 to 1`, remedy, 'UNIT');
}

export function rate({ text, position }: Word): Bps {
  return withUnits(position, () => parseBandwidth(text));
}

/** The value that `parse` reads, or a percentage of the previous value. */
export function absoluteOrRelative<T extends number>(word: Word, parse: (word: Word) => T): NewValue<T> {
  if (!PERCENT.test(word.text)) return { kind: 'value', value: parse(word) };
  const never = (): never => {
    throw new UnitError('UNIT_SYNTAX', `${quote(word.text)} is not a percentage`, 'write e.g. 200%');
  };
  return withUnits(word.position, () => newValue<T>(word.text, never, true));
}
