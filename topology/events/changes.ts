/** What `set` changes: `latency=10ms up=50%`. */
import { type ChangeableName, FILE_PROPERTIES } from '../../proto/impairment.ts';
import type { ChangeRule } from '../../proto/property.ts';
import { UnitError } from '../../proto/units.ts';
import { quote } from '../model/diagnostics.ts';
import type { Change, NewValue } from '../model/events.ts';
import type { Position } from '../model/position.ts';
import { LineError, type Words } from './words.ts';

type Changed = Change['property'];

/** The property behind the word before `=`. */
export interface Changeable {
  readonly name: ChangeableName;
  readonly rule: ChangeRule;
  /** Present if the word means one direction of a link. */
  readonly direction?: 'up' | 'down';
}

/** All words that may stand before `=`. */
export const CHANGEABLE: ReadonlyMap<string, Changeable> = new Map(
  FILE_PROPERTIES.flatMap(({ name, change: rule, file }): [Changed, Changeable][] => {
    if (!rule) return [];
    const property = name as ChangeableName;
    const directions = (['up', 'down'] as const).filter(() => file.directions);
    return [
      [property, { name: property, rule }],
      ...directions.map((direction): [Changed, Changeable] => [
        direction,
        { name: property, rule, direction },
      ]),
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
  return withUnits(word.position, () => ({ property, to: changedTo(text, rule) })) as Change;
}

/** The remedy for a text that is no value; a word such as `none` is perhaps meant to be one of the words that are. */
function remedyFor(text: string, words: ChangeRule['words'], remedy: string | undefined): string {
  const allowed = Object.keys(words ?? {});
  return /^[a-z]+$/i.test(text) && allowed.length > 0
    ? `write ${allowed.join(' or ')}, or e.g. 60Mbps`
    : (remedy ?? '');
}

function changedTo(text: string, { parse, isRelative, words = {} }: ChangeRule): NewValue<number> {
  if (Object.hasOwn(words, text)) return { kind: 'value', value: words[text]! };
  try {
    return newValue(text, parse, isRelative);
  } catch (error) {
    if (!(error instanceof UnitError)) throw error;
    throw new UnitError(error.code, error.message, remedyFor(text, words, error.remedy));
  }
}

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

/** Runs a parser of units; its error becomes a `LineError` at the position. */
export function withUnits<T>(position: Position, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof UnitError)) throw error;
    throw new LineError(position, error.message, error.remedy ?? '', 'UNIT');
  }
}
