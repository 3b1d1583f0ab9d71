/** `format`, as format(n) has it. */
import type { Budget } from '../budget.ts';
import { TclError } from '../errors.ts';
import { anyNumber, parseNumber, wholeNumber } from '../numbers.ts';

const FIELD = /%(?:(\d+)\$)?([-+ 0#]*)(\*|\d+)?(?:\.(\*|\d+)?)?(?:hh|h|ll|l|L|j|z|t)?([\s\S]?)/g;
const HAS_POINT = /^%(?:\d+\$)?[-+ 0#]*(?:\*|\d+)?\./;
/** Digits behind the point that `toFixed` gives. */
const MAX_PRECISION = 100;
/** What is halfway has a 5 and then zeros, as far as a double goes. */
const HALFWAY_DIGITS = 40;

interface Field {
  readonly flags: string;
  readonly width: number;
  /** `undefined`: none was given. */
  readonly precision: number | undefined;
}

/** Throws `TclError`. */
export function formatText(budget: Budget, pattern: string, values: readonly string[]): string {
  let next = 0;
  const take = (): string => {
    const value = values[next++];
    if (value === undefined) throw new TclError('not enough arguments for all format specifiers');
    return value;
  };
  return pattern.replace(
    FIELD,
    (all: string, place?: string, flags = '', width?: string, precision?: string, kind = '') => {
      if (kind === '%' && all === '%%') return '%';
      if (kind === '') throw new TclError('format string ended in middle of field specifier');
      const wide = width === '*' ? Number(wholeNumber(take())) : Number(width ?? 0);
      const hasPrecision = HAS_POINT.test(all);
      const digits = precision === '*' ? Number(wholeNumber(take())) : Number(precision ?? 0);
      budget.room(Math.max(Math.abs(wide), digits));
      const value = place === undefined ? take() : (values[Number(place) - 1] ?? '');
      const field = {
        flags: wide < 0 ? `${flags}-` : flags,
        width: Math.abs(wide),
        precision: hasPrecision ? Math.min(digits, kind === 's' ? digits : MAX_PRECISION) : undefined,
      };
      return padded(converted(kind, value, field), field, kind);
    },
  );
}

function converted(kind: string, value: string, field: Field): string {
  const { precision } = field;
  switch (kind) {
    case 's':
      return precision === undefined ? value : value.slice(0, precision);
    case 'c':
      return String.fromCodePoint(Math.min(0x10ffff, Math.max(0, Number(wholeNumber(value)))));
    case 'd':
    case 'i':
    case 'u':
      return signed(whole(value), field, (size) => size.toString());
    case 'x':
    case 'X':
    case 'o':
    case 'b':
      return unsigned(kind, value, field);
    case 'f':
    case 'e':
    case 'E':
    case 'g':
    case 'G':
      return real(kind, anyNumber(value), field);
    default:
      throw new TclError(`bad field specifier "${kind}"`, 'use %s, %d, %x, %o, %c, %f, %e or %g');
  }
}

/** `%d` takes the whole part of other numbers, too, as long as they are whole. */
function whole(value: string): bigint {
  const found = parseNumber(value);
  return typeof found === 'bigint' ? found : wholeNumber(value);
}

function signed(value: bigint, { flags, precision }: Field, text: (size: bigint) => string): string {
  const sign = value < 0n ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
  return sign + text(value < 0n ? -value : value).padStart(precision ?? 0, '0');
}

function unsigned(kind: string, value: string, { flags, precision }: Field): string {
  const number = whole(value);
  const positive = number < 0n ? BigInt.asUintN(64, number) : number;
  const base = kind === 'o' ? 8 : kind === 'b' ? 2 : 16;
  const digits = positive.toString(base).padStart(precision ?? 0, '0');
  const prefix = flags.includes('#') && positive !== 0n ? (kind === 'o' ? '0' : `0${kind}`) : '';
  return prefix + (kind === 'X' ? digits.toUpperCase() : digits);
}

function real(kind: string, value: number, { flags, precision = 6 }: Field): string {
  const sign =
    value < 0 || Object.is(value, -0) ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
  const size = Math.abs(value);
  if (!Number.isFinite(size)) return sign + (Number.isNaN(size) ? 'NaN' : 'Inf');
  const lower = kind.toLowerCase();
  const text =
    lower === 'f'
      ? fixed(size, precision)
      : lower === 'e'
        ? exponential(size, precision)
        : shortest(size, precision, flags.includes('#'));
  return sign + (kind === lower ? text : text.toUpperCase());
}

/** JavaScript's `toFixed` has an exponent from 1e21 on, and rounds up what is halfway, where C takes the even digit. */
function fixed(size: number, precision: number): string {
  if (size < 1e21) {
    const digits = size.toFixed(Math.min(MAX_PRECISION, precision + HALFWAY_DIGITS));
    const end = digits.indexOf('.') + 1 + precision;
    const kept = digits.slice(0, precision === 0 ? end - 1 : end);
    return /^50*$/.test(digits.slice(end)) && /[02468]$/.test(kept) ? kept : size.toFixed(precision);
  }
  return precision === 0 ? String(BigInt(size)) : `${BigInt(size)}.${'0'.repeat(precision)}`;
}

function exponential(size: number, precision: number): string {
  return size.toExponential(precision).replace(/e([+-])(\d)$/, 'e$10$2');
}

/** `%g`: without zeros at the end, and an exponent only where it is shorter. */
function shortest(size: number, precision: number, keepsZeros: boolean): string {
  const digits = Math.max(1, precision);
  const exponent = size === 0 ? 0 : Number(size.toExponential(digits - 1).split('e')[1]);
  const plain =
    exponent < -4 || exponent >= digits
      ? exponential(size, digits - 1)
      : fixed(size, Math.max(0, digits - 1 - exponent));
  if (keepsZeros || !plain.includes('.')) return plain;
  return plain.replace(/\.?0+(?=$|e)/, '');
}

function padded(text: string, { flags, width }: Field, kind: string): string {
  if (flags.includes('-')) return text.padEnd(width);
  if (!flags.includes('0') || kind === 's' || kind === 'c') return text.padStart(width);
  const sign = /^(?:[-+ ]|0[xb])/i.exec(text)?.[0] ?? '';
  return sign + text.slice(sign.length).padStart(width - sign.length, '0');
}
