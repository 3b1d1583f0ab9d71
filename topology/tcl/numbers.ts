/** Numbers of Tcl: whole ones of any size (`bigint`), and others (`number`), and their texts. */
import { TclError } from './errors.ts';

/** What an expression computes with. A text may be a number, too. */
export type Value = bigint | number | string;

/** Bits of a whole number: enough for what a network has, and a product takes no time. */
const MAX_BITS = 4096n;
const LARGEST = 1n << MAX_BITS;
/** Digits of a text that is a number; more is none. */
const MAX_DIGITS = 1200;

const WHOLE = /^\s*([+-]?)(?:0[xX]([\da-fA-F]+)|0[bB]([01]+)|0[oO]([0-7]+)|(\d+))\s*$/;
const DECIMAL = /^\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\s*$/;
const SPECIAL = /^\s*([+-]?)(inf(?:inity)?|nan)\s*$/i;

/** `undefined`: the text is no number. A zero at the beginning makes it octal. */
export function parseNumber(text: string): bigint | number | undefined {
  if (text.length > MAX_DIGITS) return undefined;
  const match = WHOLE.exec(text);
  if (match) {
    const [, sign, hex, binary, octal, digits] = match;
    const plain = parseDigits(hex, binary, octal, digits);
    if (plain !== undefined) return sign === '-' ? -plain : plain;
    return undefined;
  }
  if (DECIMAL.test(text)) return Number(text);
  const special = SPECIAL.exec(text);
  if (!special) return undefined;
  if (/^n/i.test(special[2]!)) return Number.NaN;
  return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

function parseDigits(hex?: string, binary?: string, octal?: string, digits?: string): bigint | undefined {
  if (hex !== undefined) return BigInt(`0x${hex}`);
  if (binary !== undefined) return BigInt(`0b${binary}`);
  if (octal !== undefined) return BigInt(`0o${octal}`);
  if (digits!.length > 1 && digits!.startsWith('0')) {
    const rest = digits!.replace(/^0+(?=.)/, '');
    return /[89]/.test(rest) ? undefined : BigInt(`0o${rest}`);
  }
  return BigInt(digits!);
}

/** Throws `TclError`. `what`: for the message. */
export function wholeNumber(text: string): bigint {
  const value = parseNumber(text);
  if (typeof value === 'bigint') return value;
  throw new TclError(`expected integer but got "${text}"${octalHint(text)}`);
}

/** Of a count or a place, which is far below 2^53. */
export function smallWhole(text: string): number {
  const value = Number(wholeNumber(text));
  if (Number.isSafeInteger(value)) return value;
  throw new TclError(`integer value too large to represent: "${text.slice(0, 40)}"`);
}

export function octalHint(text: string): string {
  return /^\s*[+-]?0\d+\s*$/.test(text) ? ' (looks like invalid octal number)' : '';
}

export function anyNumber(text: string): number {
  const value = parseNumber(text);
  if (value !== undefined) return Number(value);
  throw new TclError(`expected floating-point number but got "${text}"`);
}

/** Throws `TclError` for what is too large. */
export function bounded(value: bigint): bigint {
  if (value < LARGEST && value > -LARGEST) return value;
  throw new TclError('the number is too large', 'numbers have 1,200 digits at most');
}

/** `2.0`, `1e+20`: the fewest digits that give the same number (TclPrintDouble of tclUtil.c). */
export function formatNumber(value: bigint | number): string {
  if (typeof value === 'bigint') return String(value);
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Inf' : '-Inf';
  const [digits, power] = value.toExponential().split('e') as [string, string];
  const exponent = Number(power);
  const sign = Object.is(value, -0) ? '-' : '';
  if (exponent < -4 || exponent > 16) return `${sign}${digits}e${exponent < 0 ? '' : '+'}${exponent}`;
  const text =
    exponent < 0
      ? value.toFixed(Math.max(1, digits.replace(/[-.]/g, '').length - 1 - exponent))
      : plainDigits(digits, exponent);
  return sign + (text.includes('.') ? text : `${text}.0`);
}

/** Without an exponent, which JavaScript writes from 1e21 on only. */
function plainDigits(digits: string, exponent: number): string {
  const sign = digits.startsWith('-') ? '-' : '';
  const all = digits.replace(/[-.]/g, '').padEnd(exponent + 1, '0');
  const fraction = all.slice(exponent + 1);
  return `${sign}${all.slice(0, exponent + 1)}.${fraction === '' ? '0' : fraction}`;
}

export function formatValue(value: Value): string {
  return typeof value === 'string' ? value : formatNumber(value);
}

const TRUE = ['true', 'yes', 'on'];
const FALSE = ['false', 'no', 'off'];

/** `undefined`: it is none. Words may be shortened. */
export function parseBoolean(text: string): boolean | undefined {
  const value = parseNumber(text);
  if (value !== undefined) return Number(value) !== 0;
  const word = text.trim().toLowerCase();
  if (word === '' || word === 'o') return undefined;
  if (TRUE.some((one) => one.startsWith(word))) return true;
  return FALSE.some((one) => one.startsWith(word)) ? false : undefined;
}

export function isTrue(value: Value): boolean {
  if (typeof value !== 'string') return Number(value) !== 0;
  const found = parseBoolean(value);
  if (found !== undefined) return found;
  throw new TclError(`expected boolean value but got "${value}"${octalHint(value)}`);
}
