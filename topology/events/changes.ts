/** What `set` changes: `latency=10ms up=50%`. */
import {
  type Bps,
  type Micros,
  parseBandwidth,
  parseLatency,
  parsePercentage,
  type Ratio,
  UNLIMITED,
  UnitError,
} from '../../proto/units.ts';
import { quote } from '../model/diagnostics.ts';
import type { Change, NewValue } from '../model/events.ts';
import type { Position } from '../model/position.ts';
import { LineError, type Words } from './words.ts';

const PROPERTIES = ['latency', 'jitter', 'loss', 'bandwidth', 'up', 'down'] as const;

/** One or more, to the end of the line. */
export function changes(words: Words): Change[] {
  const found: Change[] = [];
  do found.push(change(words));
  while (!words.atEnd());
  return found;
}

function change(words: Words): Change {
  const word = words.peek();
  const match = word && !word.quoted ? /^([^=]*)=(.*)$/.exec(word.text) : null;
  if (!match || !word)
    throw words.unexpected(
      'a change such as latency=10ms',
      'write latency=, jitter=, loss=, bandwidth=, up= or down=',
    );
  const property = PROPERTIES.find((one) => one === match[1]);
  if (!property) {
    throw new LineError(
      word.position,
      `there is no property ${quote(match[1]!)}`,
      `properties are ${PROPERTIES.join(' ')}`,
    );
  }
  words.take('a change');
  const text = match[2]!;
  return withUnits(word.position, () => {
    if (property === 'latency' || property === 'jitter')
      return { property, to: newValue<Micros>(text, parseLatency, true) };
    if (property === 'loss') return { property, to: newValue<Ratio>(text, parsePercentage, false) };
    return {
      property,
      to:
        text === 'unlimited'
          ? { kind: 'value', value: UNLIMITED }
          : newValue<Bps>(text, parseBandwidth, true),
    };
  });
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
