/** Values of a parameter as numbers, so that they have a place on an axis. Pure. */
import {
  parseBandwidth,
  parseBytes,
  parseDuration,
  parsePercentage,
  toMegabits,
  toMillis,
  toPercent,
} from '../../../proto/units.ts';

export interface Axis {
  readonly unit: string;
  /** In the order of the values; null: they are no numbers. */
  readonly numbers: readonly number[] | null;
}

interface Reading {
  readonly unit: string;
  readonly read: (text: string) => number;
}

const READINGS: readonly Reading[] = [
  { unit: '', read: (text) => (text.trim() === '' ? Number.NaN : Number(text)) },
  { unit: '%', read: (text) => toPercent(parsePercentage(text)) },
  { unit: 'ms', read: (text) => toMillis(parseDuration(text)) },
  { unit: 'Mb/s', read: (text) => toMegabits(parseBandwidth(text)) },
  { unit: 'bytes', read: parseBytes },
];

/** All values must be of one kind. */
export function axisOf(values: readonly string[]): Axis {
  for (const { unit, read } of READINGS) {
    const numbers = values.map((value) => {
      try {
        return read(value);
      } catch {
        return Number.NaN;
      }
    });
    if (numbers.every((number) => Number.isFinite(number))) return { unit, numbers };
  }
  return { unit: '', numbers: null };
}
