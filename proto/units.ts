/**
 * The units of netfold, and the only place that converts between them, and between them and text.
 *
 * Time is in microseconds, bandwidth in bits per second (decimal prefixes), probabilities are ratios in 0..1.
 * What a user writes must be exact in these units: a value that would be rounded is refused.
 */
import { NetfoldError } from './errors.ts';

declare const unit: unique symbol;
/** Microseconds. Whole in what users write, fractional in what is computed. */
export type Micros = number & { readonly [unit]: 'µs' };
/** Bits per second, as tc counts: Ethernet frames without preamble and FCS. `Infinity` is "no limit". */
export type Bps = number & { readonly [unit]: 'bit/s' };
/** A probability, 0..1. */
export type Ratio = number & { readonly [unit]: 'ratio' };

export const micros = (value: number): Micros => value as Micros;
export const bps = (value: number): Bps => value as Bps;
export const ratio = (value: number): Ratio => value as Ratio;
export const UNLIMITED: Bps = bps(Number.POSITIVE_INFINITY);

/** Units of the kernel, of timers and of other programs. Their values enter as plain numbers with the unit in the name. */
export type Nanos = number & { readonly [unit]: 'ns' };
export type Millis = number & { readonly [unit]: 'ms' };
export type Seconds = number & { readonly [unit]: 's' };
export type BytesPerSecond = number & { readonly [unit]: 'byte/s' };
/** How long a link takes for one byte. */
export type NanosPerByte = number & { readonly [unit]: 'ns/byte' };

// Conversions. All agents must compute the same bits, so each is a fixed sequence of multiplications and divisions.
// test/unit/structure/units.test.ts finds conversions that stand elsewhere.

export const toNanos = (time: Micros): Nanos => (time * 1000) as Nanos;
export const toMillis = (time: Micros): Millis => (time / 1000) as Millis;
export const toSeconds = (time: Micros): Seconds => (time / 1e6) as Seconds;
export const fromNanos = (ns: number): Micros => micros(ns / 1000);
export const fromMillis = (ms: number): Micros => micros(ms * 1000);
export const fromSeconds = (seconds: number): Micros => micros(seconds * 1e6);

/** Exact for any time. */
export const secondsToWholeNanos = (seconds: bigint): bigint => seconds * 1_000_000_000n;
export const millisToNanos = (ms: number): Nanos => (ms * 1e6) as Nanos;
export const nanosToMillis = (ns: number): Millis => (ns / 1e6) as Millis;
export const millisToSeconds = (ms: number): Seconds => (ms / 1000) as Seconds;
/** Processors → what Docker counts them in. */
export const toNanoCpus = (cpus: number): number => Math.round(cpus * 1e9);
export const secondsToMillis = (seconds: number): Millis => (seconds * 1000) as Millis;
export const nanosToSeconds = (ns: number): Seconds => (ns / 1e9) as Seconds;

export const bitsOf = (bytes: number): number => bytes * 8;
export const bytesOf = (bits: number): number => bits / 8;
export const toMegabits = (rate: Bps): number => rate / 1e6;
/** Whole ones, at least one. */
export const toKilobits = (rate: Bps): number => Math.max(1, Math.round(rate / 1000));
export const toPercent = (share: Ratio): number => Number((share * 100).toPrecision(6));
export const toBytesPerSecond = (rate: Bps): BytesPerSecond => (rate / 8) as BytesPerSecond;
export const fromBytesPerSecond = (bytesPerSecond: number): Bps => bps(bytesPerSecond * 8);
export const nanosPerByte = (value: number): NanosPerByte => value as NanosPerByte;
/** 0 for a link without a limit. */
export const byteTime = (rate: Bps): NanosPerByte => nanosPerByte(8e9 / rate);
export const fromByteTime = (time: NanosPerByte): Bps => bps(8e9 / time);
export const timeToTransmit = (bytes: number, time: NanosPerByte): Micros => micros((bytes * time) / 1000);
export const megabytes = (bytes: number): number => bytes / 1e6;
export const gigabytes = (bytes: number): number => bytes / 1e9;

/** The frequency, in 1/s, of what recurs after each `period`. */
export const perSecond = (period: Micros): number => 1e6 / period;
/** The rate per second of `amount` in `ms` milliseconds. */
export const ratePerSecond = (amount: number, ms: number): number => (amount * 1000) / ms;
/** The rate in bit/s of `bytes` in `ms` milliseconds. */
export const bitsPerSecond = (bytes: number, ms: number): Bps => bps((bytes * 8000) / ms);
/** The rate per millisecond of a rate per second. */
export const ratePerMilli = (rate: number): number => rate / 1000;
/** How much that is in `time` of which there is so much per second. */
export const amountIn = (time: Micros, rate: number): number => (rate * time) / 1e6;
/** How long sending `bits` takes at a rate. */
export const millisToSend = (bits: number, rateBps: number): Millis => ((bits * 1000) / rateBps) as Millis;

/** `ppm` millionths of a value; and the value of which `part` is `ppm` millionths. */
export const partsPerMillion = (value: number, ppm: number): number => (value * ppm) / 1e6;
export const wholeOfParts = (part: number, ppm: number): number => (part * 1e6) / ppm;

/** Rates below one byte per second or above 100 Gb/s were never tried with tc. */
export const MIN_BANDWIDTH: Bps = bps(8);
export const MAX_BANDWIDTH: Bps = bps(100e9);
/** Ten minutes: longer than any network that answers. */
export const MAX_LATENCY: Micros = micros(600e6);
export const DAY: Micros = micros(24 * 3600e6);
/** A year: in microseconds far below 2^53. */
export const MAX_DURATION: Micros = micros(366 * DAY);

export type UnitErrorCode = 'UNIT_MISSING' | 'UNIT_UNKNOWN' | 'UNIT_SYNTAX' | 'UNIT_RANGE' | 'UNIT_PRECISION';

export class UnitError extends NetfoldError {
  declare readonly code: UnitErrorCode;
  /** Of the character that is wrong, in a text of several words. */
  readonly at: number | undefined;
  constructor(code: UnitErrorCode, message: string, remedy: string, at?: number) {
    super({ code, blame: 'input', message, remedy });
    this.at = at;
  }
}

interface Dimension {
  readonly what: string;
  readonly example: string;
  /** Canonical spelling → factor into the canonical unit. */
  readonly factors: Readonly<Record<string, number>>;
}

const TIME: Dimension = {
  what: 'a time',
  example: '10ms',
  factors: { us: 1, µs: 1, ms: 1e3, s: 1e6, m: 60e6, h: 3600e6 },
};
const BANDWIDTH: Dimension = {
  what: 'a bandwidth',
  example: '60Mbps',
  factors: { bps: 1, Kbps: 1e3, kbps: 1e3, Mbps: 1e6, Gbps: 1e9 },
};

const BYTES: Dimension = {
  what: 'a number of bytes',
  example: '64KB',
  factors: { B: 1, KB: 1e3, KiB: 1024, MB: 1e6, MiB: 1024 ** 2, GB: 1e9, GiB: 1024 ** 3 },
};

const MEMORY: Dimension = {
  what: 'an amount of memory',
  example: '16GB',
  factors: { ...BYTES.factors, TB: 1e12, TiB: 1024 ** 4 },
};

/** Of a number above zero, or of zero with any sign. */
const DIGITS = String.raw`(?:\+|-(?=[0.]+(?![\d.])))?(?:\d+(?:\.\d*)?|\.\d+)`;
const patternOf = ({ factors }: Dimension): string =>
  String.raw`^\s*${DIGITS}\s*(?:${Object.keys(factors).join('|')})\s*$`;

/**
 * Regular expressions (ECMA-262) for the schemas of files: each matches whatever its parser accepts, and hardly more than
 * that, since only the parser checks the range.
 */
export const LATENCY_PATTERN = patternOf(TIME);
export const BANDWIDTH_PATTERN = patternOf(BANDWIDTH);
export const BYTES_PATTERN = patternOf(BYTES);
/** Of `parseDuration`. */
export const DURATION_PATTERN = String.raw`^\s*(?:(?:\d+(?:\.\d*)?|\.\d+)\s*(?:${Object.keys(TIME.factors).join('|')})\s*)+$`;
/** Up to 100 %. */
export const PERCENTAGE_PATTERN = String.raw`^\s*(?:\+|-(?=[0.]+\s*%))?(?:0*(?:100(?:\.0*)?|\d{1,2}(?:\.\d*)?)|\.\d+)\s*%\s*$`;

/**
 * Characters of a number with its unit; a longer one is no value but an attack or a slip. Kept before any pattern sees the
 * text, as all work on digits (and `BigInt`'s most of all) grows with them.
 */
export const MAX_QUANTITY_LENGTH = 200;
/** Of a text in a message. */
const MAX_SHOWN = 60;

/** Throws `UnitError` for a text that is longer than any number with a unit; `what`: with its article. */
export function requireShort(text: string, what: string, remedy: string): void {
  if (text.length <= MAX_QUANTITY_LENGTH) return;
  const start = `"${text.slice(0, MAX_SHOWN)}…"`;
  throw new UnitError('UNIT_SYNTAX', `${start} has ${text.length} characters, too many for ${what}`, remedy);
}

// No two neighbours in a pattern match the same character: a text that fails to match then takes time in its length, not
// in its square (test/unit/topology/growth/patterns.test.ts).
const NUMBER_AND_UNIT = /^([+-]?(?:\d+(?:\.\d*)?|\.\d+))\s*([A-Za-zµ%/]*)$/u;

/** Parses `text` in `dimension`; exact decimal arithmetic, so that `0.3ms` is 300 and not 299.99999999999994. */
function parseQuantity(text: string, dimension: Dimension): number {
  requireShort(text, dimension.what, `write e.g. ${dimension.example}`);
  const match = NUMBER_AND_UNIT.exec(text.trim());
  if (!match) throw syntaxError(text, dimension);
  const [, digits, unitText] = match as unknown as [string, string, string];
  const spellings = Object.keys(dimension.factors).join(' ');
  if (unitText === '') {
    throw new UnitError(
      'UNIT_MISSING',
      `"${text}" has no unit`,
      `write the unit, e.g. ${dimension.example} (${spellings})`,
    );
  }
  // `10constructor`: the table has what every object has, too.
  const factor = Object.hasOwn(dimension.factors, unitText) ? dimension.factors[unitText] : undefined;
  if (factor === undefined) {
    throw new UnitError(
      'UNIT_UNKNOWN',
      `"${unitText}" in "${text}" is not a unit of ${dimension.what.replace(/^an? /, '')}`,
      `use one of ${spellings}, e.g. ${dimension.example}`,
    );
  }
  return scaleExactly(digits, factor, text);
}

function syntaxError(text: string, dimension: Dimension): UnitError {
  return new UnitError(
    'UNIT_SYNTAX',
    `"${text}" is not ${dimension.what}`,
    `write a number and a unit, e.g. ${dimension.example}`,
  );
}

/**
 * `digits` × `factor` as a whole number. Throws if it isn't one. The callers check the range. In doubles, `8640000.123457s`
 * would lose its last digit.
 */
function scaleExactly(digits: string, factor: number, text: string): number {
  const [whole = '', fraction = ''] = digits.replace('+', '').split('.');
  const scaled = BigInt(`${whole}${fraction}`) * BigInt(factor);
  const scale = 10n ** BigInt(fraction.length);
  if (scaled % scale !== 0n) {
    throw new UnitError(
      'UNIT_PRECISION',
      `"${text}" can't be represented exactly`,
      'write at most microseconds and whole bits per second',
    );
  }
  return Number(scaled / scale);
}

/** `10ms`, `250us`, `1.5s`. Whole microseconds, 0 to ten minutes. Throws `UnitError`. */
export function parseLatency(text: string): Micros {
  const value = parseQuantity(text, TIME);
  if (value < 0 || value > MAX_LATENCY) {
    throw new UnitError(
      'UNIT_RANGE',
      `"${text}" is outside of 0 to ${MAX_LATENCY / 60e6} minutes`,
      'write a latency such as 10ms',
    );
  }
  return micros(value);
}

/** `128Kbps`, `60Mbps`, `1Gbps`. 8 b/s to 100 Gb/s. Throws `UnitError`. */
export function parseBandwidth(text: string): Bps {
  const value = parseQuantity(text, BANDWIDTH);
  if (value < MIN_BANDWIDTH || value > MAX_BANDWIDTH) {
    throw new UnitError(
      'UNIT_RANGE',
      `"${text}" is outside of 8bps to 100Gbps`,
      'write a bandwidth such as 60Mbps, or leave it out for no limit',
    );
  }
  return bps(value);
}

/** tc's limits are 32 bits, and signed in places. */
const MAX_BYTES = 0x7fffffff;

/** `1514B`, `64KB`, `1MiB`. Up to 2 GiB. Throws `UnitError`. */
export function parseBytes(text: string): number {
  const value = parseQuantity(text, BYTES);
  if (value < 0 || value > MAX_BYTES)
    throw new UnitError(
      'UNIT_RANGE',
      `"${text}" is outside of 0 to ${MAX_BYTES} bytes`,
      'write a size such as 64KB',
    );
  return value;
}

/** More than any machine has. */
const MAX_MEMORY = 1024 ** 5;

/** Of a machine, or of a program: `512MiB`, `16GB`, `2TB`, in bytes. Up to 1 PiB. Throws `UnitError`. */
export function parseMemory(text: string): number {
  const value = parseQuantity(text, MEMORY);
  if (value < 0 || value > MAX_MEMORY)
    throw new UnitError(
      'UNIT_RANGE',
      `"${text}" is outside of 0 to ${MAX_MEMORY / 1024 ** 4} TiB`,
      'write an amount such as 16GB',
    );
  return value;
}

const BINARY: Readonly<Record<string, number>> = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };
const CONTAINER_MEMORY = /^(\d{1,16}(?:\.\d{1,16})?)\s*(?:([bkmgt])(?:i?b)?)?$/i;
/** Docker refuses less. */
const LEAST_CONTAINER_MEMORY = 6 * 1024 ** 2;

/**
 * Of a container, as Docker Compose reads it: `256m`, `1.5GB`, `268435456`, in bytes. Multiples are binary, whether or not there
 * is an `i`: 1KB is 1,024 bytes. 6 MiB to 1 PiB. Throws `UnitError`.
 */
export function parseContainerMemory(text: string): number {
  const remedy = 'write an amount such as 256m or 1g';
  requireShort(text, 'an amount of memory', remedy);
  const match = CONTAINER_MEMORY.exec(text.trim());
  if (!match) throw new UnitError('UNIT_SYNTAX', `"${text}" is not an amount of memory`, remedy);
  const bytes = Math.round(Number(match[1]) * BINARY[(match[2] ?? 'b').toLowerCase()]!);
  if (bytes < LEAST_CONTAINER_MEMORY || bytes > MAX_MEMORY)
    throw new UnitError('UNIT_RANGE', `"${text}" is outside of 6 MiB to 1 PiB`, remedy);
  return bytes;
}

/** The shortest exact text for `parseContainerMemory`: `256m`, `6291457b`. */
export function formatContainerMemory(bytes: number): string {
  const unit = ['t', 'g', 'm', 'k'].find((one) => bytes % BINARY[one]! === 0) ?? 'b';
  return `${bytes / BINARY[unit]!}${unit}`;
}

/** `0.1%`, `2.5%`. 0 to 100 %. Throws `UnitError`. */
export function parsePercentage(text: string): Ratio {
  requireShort(text, 'a percentage', 'write a number and %, e.g. 0.1%');
  const match = NUMBER_AND_UNIT.exec(text.trim());
  if (!match)
    throw new UnitError('UNIT_SYNTAX', `"${text}" is not a percentage`, 'write a number and %, e.g. 0.1%');
  if (match[2] === '')
    throw new UnitError('UNIT_MISSING', `"${text}" has no unit`, 'write a percentage, e.g. 0.1%');
  if (match[2] !== '%')
    throw new UnitError(
      'UNIT_UNKNOWN',
      `"${match[2]}" in "${text}" is not %`,
      'write a percentage, e.g. 0.1%',
    );
  const value = Number(match[1]) / 100;
  if (value < 0 || value > 1)
    throw new UnitError('UNIT_RANGE', `"${text}" is outside of 0% to 100%`, 'write a percentage, e.g. 0.1%');
  return ratio(value);
}

/** A duration since the start of an experiment: `30s`, `1m30s`, `500ms`. Whole microseconds, up to a year. Throws `UnitError`. */
export function parseDuration(text: string): Micros {
  requireShort(text, TIME.what, 'write a duration such as 1m30s');
  const parts = text.trim().match(/(?:\d+(?:\.\d*)?|\.\d+)\s*[A-Za-zµ]*/gu);
  if (!parts || parts.join('').replaceAll(' ', '') !== text.trim().replaceAll(' ', ''))
    throw syntaxError(text, TIME);
  const value = parts.reduce((sum, part) => sum + parseQuantity(part, TIME), 0);
  if (value > MAX_DURATION)
    throw new UnitError('UNIT_RANGE', `"${text}" is longer than a year`, 'write a duration such as 1m30s');
  return micros(value);
}

// What the following functions print can be typed: the parser of the same quantity reads it, and gives the same value if
// that is a whole number of microseconds or bits per second (test/unit/proto/units.test.ts).

/** The shortest exact text: `10ms`, `250us`, `1.5s`, `75.308642s`. Fractions of a microsecond are rounded. */
export function formatMicros(value: number): string {
  const whole = Math.round(value);
  if (whole >= 1e6) return `${decimals(whole / 1e6, 6)}s`;
  if (whole >= 1e3 || whole === 0) return `${decimals(whole / 1e3, 3)}ms`;
  return `${whole}us`;
}

/** The shortest exact text: `60Mbps`, `17.777778Mbps`, `unlimited`. Fractions of a bit per second are rounded. */
export function formatBps(value: number): string {
  if (!Number.isFinite(value)) return 'unlimited';
  const whole = Math.round(value);
  if (whole >= 1e9) return `${decimals(whole / 1e9, 9)}Gbps`;
  if (whole >= 1e6) return `${decimals(whole / 1e6, 6)}Mbps`;
  if (whole >= 1e3) return `${decimals(whole / 1e3, 3)}Kbps`;
  return `${whole}bps`;
}

/** A measured or computed rate, of which six digits say enough: `17.7778Mbps`, `unlimited`. */
export function formatRate(value: number): string {
  return formatBps(Number.isFinite(value) ? Number(value.toPrecision(6)) : value);
}

/** The shortest exact text of a whole number of bytes: `16GB`, `1.5MB`, `512B`. */
export function formatMemory(bytes: number): string {
  if (bytes >= 1e9) return `${decimals(bytes / 1e9, 9)}GB`;
  if (bytes >= 1e6) return `${decimals(bytes / 1e6, 6)}MB`;
  if (bytes >= 1e3) return `${decimals(bytes / 1e3, 3)}KB`;
  return `${Math.round(bytes)}B`;
}

/** `0.1%`. Exact up to `MAX_PERCENT_DIGITS`; computed values, which have more, are rounded to four decimals or four digits. */
export function formatRatio(value: number): string {
  const percent = value * 100;
  const size = percent === 0 ? 0 : Math.floor(Math.log10(Math.abs(percent)));
  const digits = (count: number): number => Math.min(100, Math.max(0, count - 1 - size));
  const exact = Number(percent.toPrecision(MAX_PERCENT_DIGITS));
  const text = exact / 100 === value ? decimals(exact, digits(MAX_PERCENT_DIGITS)) : undefined;
  return `${text ?? decimals(percent, Math.max(4, digits(4)))}%`;
}

/** Of a percentage that somebody wrote; binary noise has more. */
const MAX_PERCENT_DIGITS = 10;

/** Without an exponent, which the parsers don't read, and without zeros at the end. */
function decimals(value: number, count: number): string {
  const text = value.toFixed(count);
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
