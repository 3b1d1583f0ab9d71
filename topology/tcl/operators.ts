/** The operators and functions of `expr`, as expr(n) and mathfunc(n) have them. */
import { TclError } from './errors.ts';
import { parseList } from './lists.ts';
import { bounded, formatValue, octalHint, parseNumber, type Value } from './numbers.ts';

type Numeric = bigint | number;

function numeric(value: Value, operator: string): Numeric {
  if (typeof value !== 'string') return value;
  const found = parseNumber(value);
  if (found !== undefined) return found;
  const what = value === '' ? 'empty string' : 'non-numeric string';
  throw new TclError(`can't use ${what} as operand of "${operator}"${octalHint(value)}`);
}

function whole(value: Value, operator: string): bigint {
  const found = numeric(value, operator);
  if (typeof found === 'bigint') return found;
  throw new TclError(`can't use floating-point value as operand of "${operator}"`);
}

type Both<T> = (a: T, b: T) => T;

function arithmetic(
  operator: string,
  ofWhole: Both<bigint>,
  ofAny: Both<number>,
): (a: Value, b: Value) => Value {
  return (left, right) => {
    const [a, b] = [numeric(left, operator), numeric(right, operator)];
    if (typeof a === 'bigint' && typeof b === 'bigint') return bounded(ofWhole(a, b));
    return ofAny(Number(a), Number(b));
  };
}

function ofWholes(operator: string, compute: Both<bigint>): (a: Value, b: Value) => Value {
  return (left, right) => bounded(compute(whole(left, operator), whole(right, operator)));
}

function requireDivisor(divisor: bigint): void {
  if (divisor === 0n) throw new TclError('divide by zero');
}

/** Rounded down, as Tcl does. */
function divide(a: bigint, b: bigint): bigint {
  requireDivisor(b);
  const quotient = a / b;
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient;
}

function modulo(a: bigint, b: bigint): bigint {
  requireDivisor(b);
  const rest = a % b;
  return rest !== 0n && rest < 0n !== b < 0n ? rest + b : rest;
}

const MAX_SHIFT = 4096n;

function shift(a: bigint, by: bigint): bigint {
  if (by < 0n) throw new TclError('negative shift argument');
  if (by > MAX_SHIFT) throw new TclError('the number is too large');
  return a << by;
}

function shiftBack(a: bigint, by: bigint): bigint {
  if (by < 0n) throw new TclError('negative shift argument');
  return by > MAX_SHIFT ? (a < 0n ? -1n : 0n) : a >> by;
}

function power(a: bigint, b: bigint): bigint {
  if (b >= 0n) {
    const bits = BigInt((a < 0n ? -a : a).toString(2).length);
    if (a > 1n || a < -1n) if (bits * b > 2n * MAX_SHIFT) throw new TclError('the number is too large');
    return a === -1n || a === 1n || a === 0n ? smallPower(a, b) : a ** b;
  }
  if (a === 0n) throw new TclError('exponentiation of zero by negative power');
  return a === 1n ? 1n : a === -1n ? (b % 2n === 0n ? 1n : -1n) : 0n;
}

function smallPower(a: bigint, b: bigint): bigint {
  if (b === 0n) return 1n;
  return a === -1n && b % 2n === 0n ? 1n : a;
}

/** Less than 0, 0 or more, as numbers if both are, else as texts. */
export function compareValues(left: Value, right: Value): number {
  const a = typeof left === 'string' ? parseNumber(left) : left;
  const b = typeof right === 'string' ? parseNumber(right) : right;
  if (a === undefined || b === undefined) return compareTexts(formatValue(left), formatValue(right));
  return a < b ? -1 : a > b ? 1 : a >= b ? 0 : Number.NaN;
}

export function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const truth = (value: boolean): bigint => (value ? 1n : 0n);
const isIn = (item: Value, list: Value): boolean => parseList(formatValue(list)).includes(formatValue(item));

/** The higher, the tighter it binds. `&&`, `||` and `?:` are not here: they evaluate only what they need. */
export const BINARY: Readonly<
  Record<string, { readonly level: number; readonly compute: (a: Value, b: Value) => Value }>
> = {
  '|': { level: 3, compute: ofWholes('|', (a, b) => a | b) },
  '^': { level: 4, compute: ofWholes('^', (a, b) => a ^ b) },
  '&': { level: 5, compute: ofWholes('&', (a, b) => a & b) },
  in: { level: 6, compute: (a, b) => truth(isIn(a, b)) },
  ni: { level: 6, compute: (a, b) => truth(!isIn(a, b)) },
  eq: { level: 7, compute: (a, b) => truth(formatValue(a) === formatValue(b)) },
  ne: { level: 7, compute: (a, b) => truth(formatValue(a) !== formatValue(b)) },
  '==': { level: 8, compute: (a, b) => truth(compareValues(a, b) === 0) },
  '!=': { level: 8, compute: (a, b) => truth(compareValues(a, b) !== 0) },
  '<': { level: 9, compute: (a, b) => truth(compareValues(a, b) < 0) },
  '>': { level: 9, compute: (a, b) => truth(compareValues(a, b) > 0) },
  '<=': { level: 9, compute: (a, b) => truth(compareValues(a, b) <= 0) },
  '>=': { level: 9, compute: (a, b) => truth(compareValues(a, b) >= 0) },
  '<<': { level: 10, compute: ofWholes('<<', shift) },
  '>>': { level: 10, compute: ofWholes('>>', shiftBack) },
  '+': {
    level: 11,
    compute: arithmetic(
      '+',
      (a, b) => a + b,
      (a, b) => a + b,
    ),
  },
  '-': {
    level: 11,
    compute: arithmetic(
      '-',
      (a, b) => a - b,
      (a, b) => a - b,
    ),
  },
  '*': {
    level: 12,
    compute: arithmetic(
      '*',
      (a, b) => a * b,
      (a, b) => a * b,
    ),
  },
  '/': { level: 12, compute: arithmetic('/', divide, (a, b) => a / b) },
  '%': { level: 12, compute: ofWholes('%', modulo) },
  '**': { level: 13, compute: arithmetic('**', power, (a, b) => a ** b) },
};

export const UNARY: Readonly<Record<string, (value: Value) => Value>> = {
  '-': (value) => {
    const found = numeric(value, '-');
    return typeof found === 'bigint' ? -found : -found;
  },
  '+': (value) => numeric(value, '+'),
  '~': (value) => ~whole(value, '~'),
};

function argument(value: Value): Numeric {
  if (typeof value !== 'string') return value;
  const found = parseNumber(value);
  if (found !== undefined) return found;
  throw new TclError(`expected number but got "${value}"`);
}

function toWhole(value: Value): bigint {
  const found = argument(value);
  if (typeof found === 'bigint') return found;
  if (!Number.isFinite(found)) throw new TclError('integer value too large to represent');
  return bounded(BigInt(Math.trunc(found)));
}

/** Half is rounded away from zero. */
function round(value: Value): bigint {
  const found = argument(value);
  if (typeof found === 'bigint') return found;
  return toWhole(found < 0 ? -Math.floor(-found + 0.5) : Math.floor(found + 0.5));
}

function extreme(
  name: string,
  isBetter: (a: Numeric, b: Numeric) => boolean,
): (values: readonly Value[]) => Value {
  return (values) => {
    if (values.length === 0) throw new TclError(`too few arguments to math function "${name}"`);
    return values.map(argument).reduce((best, one) => (isBetter(one, best) ? one : best));
  };
}

function real(compute: (...values: number[]) => number, count = 1): Called {
  return {
    count,
    call: (values) => checkedResult(compute(...values.map((value) => Number(argument(value))))),
  };
}

function checkedResult(value: number): number {
  if (Number.isNaN(value)) throw new TclError('domain error: argument not in valid range');
  return value;
}

export interface Called {
  /** How many arguments; absent: any number. */
  readonly count?: number;
  readonly call: (values: readonly Value[]) => Value;
}

function absolute(value: Value): Numeric {
  const found = argument(value);
  return typeof found === 'bigint' ? (found < 0n ? -found : found) : Math.abs(found);
}

function wholeRoot(value: Value): bigint {
  const of = toWhole(value);
  if (of < 0n) throw new TclError('square root of negative argument');
  let root = BigInt(Math.floor(Math.sqrt(Number(of))));
  // The estimate of a large one is off by what a double rounds.
  for (let step = 0; step < 64 && (root * root > of || (root + 1n) * (root + 1n) <= of); step++)
    root = (root + of / root) / 2n;
  return root;
}

/** All but `rand` and `srand`, which have a state. */
export const FUNCTIONS: Readonly<Record<string, Called>> = {
  abs: { count: 1, call: ([value]) => absolute(value!) },
  bool: { count: 1, call: ([value]) => truth(Number(argument(value!)) !== 0) },
  double: { count: 1, call: ([value]) => Number(argument(value!)) },
  int: { count: 1, call: ([value]) => BigInt.asIntN(64, toWhole(value!)) },
  wide: { count: 1, call: ([value]) => BigInt.asIntN(64, toWhole(value!)) },
  entier: { count: 1, call: ([value]) => toWhole(value!) },
  round: { count: 1, call: ([value]) => round(value!) },
  isqrt: { count: 1, call: ([value]) => wholeRoot(value!) },
  max: { call: extreme('max', (a, b) => a > b) },
  min: { call: extreme('min', (a, b) => a < b) },
  pow: {
    count: 2,
    call: ([base, exponent]) => checkedResult(Number(argument(base!)) ** Number(argument(exponent!))),
  },
  acos: real(Math.acos),
  asin: real(Math.asin),
  atan: real(Math.atan),
  atan2: real(Math.atan2, 2),
  ceil: real(Math.ceil),
  cos: real(Math.cos),
  cosh: real(Math.cosh),
  exp: real(Math.exp),
  floor: real(Math.floor),
  fmod: real((a, b) => a % b, 2),
  hypot: real(Math.hypot, 2),
  log: real(Math.log),
  log10: real(Math.log10),
  sin: real(Math.sin),
  sinh: real(Math.sinh),
  sqrt: real(Math.sqrt),
  tan: real(Math.tan),
  tanh: real(Math.tanh),
};
