/** What `set` changes: `latency=10ms up=50% loss_model="bursts 1% of 5 packets" slots=none`. */
import { type ChangeableName, FILE_PROPERTIES } from '../../proto/impairment.ts';
import type { ChangeRule, QuantityChange, Replacement } from '../../proto/property.ts';
import { UnitError } from '../../proto/units.ts';
import { quote } from '../model/diagnostics.ts';
import type { Change, NewValue, Replaced } from '../model/events.ts';
import type { Position } from '../model/position.ts';
import { LineError, type Words } from './words.ts';

type Changed = Change['property'];

/** The property behind the word before `=`. */
export interface Changeable {
  readonly name: ChangeableName;
  readonly rule: ChangeRule;
  /** Present if the word means one direction of a link. */
  readonly direction?: 'up' | 'down';
  /** All properties whose value follows from a new one, and those that may follow from it besides. */
  readonly covers: readonly ChangeableName[];
  readonly touches: readonly ChangeableName[];
}

/** What a trace may say (topology/timeline/traces.ts). */
const OF_TRACES: readonly ChangeableName[] = ['latency', 'loss', 'bandwidth'];

/** All words that may stand before `=`. */
export const CHANGEABLE: ReadonlyMap<string, Changeable> = new Map(
  FILE_PROPERTIES.flatMap(({ name, change: rule, file }): [Changed, Changeable][] => {
    if (!rule) return [];
    const property = name as ChangeableName;
    const instead = rule.kind === 'replacement' ? (rule.instead ?? []) : [];
    const changeable: Changeable = {
      ...{ name: property, rule },
      covers: [property, ...(instead as readonly ChangeableName[])],
      touches: property === 'trace' ? OF_TRACES : [],
    };
    const directions = (['up', 'down'] as const).filter(() => file.directions);
    return [
      [file.key as Changed, changeable],
      ...directions.map((direction): [Changed, Changeable] => [direction, { ...changeable, direction }]),
    ];
  }),
);
const WORDS = [...CHANGEABLE.keys()];

/** One or more, to the end of the line. */
export function changes(words: Words): Change[] {
  const found: Change[] = [];
  do {
    const { position } = words;
    const next = change(words);
    refuseSecond(found, next, position);
    found.push(next);
  } while (!words.atEnd());
  return found;
}

/** Of two values for one property, the first would be without effect. */
function refuseSecond(before: readonly Change[], { property, to }: Change, position: Position): void {
  const isValue = (one: Change): boolean => one.property === property && one.to.kind === 'value';
  if (to.kind === 'value' && before.some(isValue))
    throw new LineError(position, `${property} is set twice`, 'keep one of the two');
}

function change(words: Words): Change {
  const word = words.peek();
  const match = word && !word.quoted ? /^([^=]*)=(.*)$/.exec(word.text) : null;
  if (!match || !word)
    throw words.unexpected(
      'a change such as latency=10ms',
      `write ${WORDS.slice(0, -1).join('=, ')}= or ${WORDS.at(-1)}=`,
    );
  const [, property, text] = match as unknown as [string, string, string];
  const rule = CHANGEABLE.get(property)?.rule;
  if (!rule) {
    throw new LineError(
      word.position,
      `there is no property ${quote(property)}`,
      `properties are ${WORDS.join(' ')}`,
    );
  }
  words.take('a change');
  // A value of several words stands in quotes, which end the word before.
  const { position } = word;
  const apart = text === '' && words.peek()?.quoted ? words.take('a value') : undefined;
  const value = apart?.text ?? text;
  const start = apart?.position ?? { ...position, column: position.column + property.length };
  const read = () => ({
    property,
    to: rule.kind === 'replacement' ? replacedBy(property, value, rule) : changedTo(value, rule),
  });
  return withUnits(position, read, start) as Change;
}

/** The remedy for a text that is no value; a word such as `none` is perhaps meant to be one of the words that are. */
function remedyFor(text: string, { words, example }: QuantityChange, remedy: string | undefined): string {
  const allowed = Object.keys(words ?? {});
  return /^[a-z]+$/i.test(text) && allowed.length > 0
    ? `write ${allowed.join(' or ')}, or e.g. ${example}`
    : (remedy ?? '');
}

function changedTo(text: string, rule: QuantityChange): NewValue<number> {
  const { parse, isRelative, words = {} } = rule;
  if (Object.hasOwn(words, text)) return { kind: 'value', value: words[text]! };
  try {
    return newValue(text, parse, isRelative);
  } catch (error) {
    if (!(error instanceof UnitError)) throw error;
    throw new UnitError(error.code, error.message, remedyFor(text, rule, error.remedy));
  }
}

function replacedBy(
  property: string,
  text: string,
  { parse, words, example }: Replacement,
): Replaced<string | number> {
  if (Object.hasOwn(words, text)) return { kind: 'value', value: words[text] };
  try {
    return { kind: 'value', value: parse(text) };
  } catch (error) {
    // A contradiction has a remedy of its own, and so has a mistake in one of several words.
    if (!(error instanceof UnitError) || error.code !== 'UNIT_SYNTAX' || error.at !== undefined) throw error;
    const others = Object.keys(words).map((word) => `, or ${property}=${word}`);
    throw new UnitError(error.code, error.message, `write ${property}=${quoted(example)}${others.join('')}`);
  }
}

/** A change as `change` reads it. `percentage`: a factor as text. */
export function changeText({ property, to }: Change, percentage: (factor: number) => string): string {
  if (to.kind === 'factor') return `${property}=${percentage(to.factor)}`;
  const { rule } = CHANGEABLE.get(property)!;
  const format = rule.format as (value: number | string) => string;
  if (to.kind === 'difference')
    return `${property}=${to.difference < 0 ? '-' : '+'}${format(Math.abs(to.difference))}`;
  return `${property}=${to.value === undefined ? 'none' : quoted(format(to.value))}`;
}

/** In quotes if it has several words. */
const quoted = (text: string): string => (text.includes(' ') ? `"${text}"` : text);

/** The factor by which one event may change a value; more is a typing mistake. */
const MAX_FACTOR = 1000;

/** `10ms`, `+5ms`, and `200%` if `relative`. Throws `UnitError`. */
export function newValue<T extends number>(
  text: string,
  parse: (text: string) => T,
  relative: boolean,
): NewValue<T> {
  if (/^[+-]/.test(text)) {
    const size = parse(text.slice(1));
    return { kind: 'difference', difference: text.startsWith('-') ? -size : size };
  }
  if (!relative || !text.endsWith('%')) return { kind: 'value', value: parse(text) };
  const factor = /^\d+(\.\d+)?%$/.test(text) ? Number(text.slice(0, -1)) / 100 : Number.NaN;
  if (!(factor <= MAX_FACTOR)) {
    throw new UnitError(
      'UNIT_RANGE',
      `"${text}" is not a percentage of the value before`,
      'write e.g. 200% or 50%',
    );
  }
  return { kind: 'factor', factor };
}

/** Runs a parser of units; its error becomes a `LineError` at the position, or within the text that has quotes or `=` at `start`. */
export function withUnits<T>(position: Position, parse: () => T, start = position): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof UnitError)) throw error;
    const { at, message, remedy = '' } = error;
    const place = at === undefined ? position : { ...start, column: start.column + 1 + at };
    throw new LineError(place, message, remedy, 'UNIT');
  }
}
