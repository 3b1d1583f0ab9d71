/**
 * Quantities as other programs write them: `10 Gbit/s`, `81920 Kibit`, `10 milliseconds`, or a number whose unit its place
 * says. proto/units.ts has netfold's own spelling, which is stricter.
 */
import {
  type Bps,
  bps,
  MAX_BANDWIDTH,
  MAX_LATENCY,
  MAX_QUANTITY_LENGTH,
  MIN_BANDWIDTH,
  type Micros,
  micros,
  type Ratio,
  ratio,
} from '../../proto/units.ts';

/** A value that was read; `isBare`: the text has no unit, `isRounded`: it is finer than netfold's unit. */
export interface Spelt<T> {
  readonly value: T;
  readonly isBare: boolean;
  readonly isRounded: boolean;
}

/** The number alone, as in most languages. No two neighbours match the same character (proto/units.ts). */
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?$/;
const WITH_UNIT = /^([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?)[ _]?([A-Za-zµ%/ ]{0,30})$/u;

/** Lower case → microseconds. */
const TIMES: ReadonlyMap<string, number> = new Map(
  Object.entries({
    ns: 1e-3,
    nanosecond: 1e-3,
    us: 1,
    µs: 1,
    usec: 1,
    microsecond: 1,
    ms: 1e3,
    msec: 1e3,
    millisecond: 1e3,
    s: 1e6,
    sec: 1e6,
    second: 1e6,
    m: 60e6,
    min: 60e6,
    minute: 60e6,
  }),
);
export type TimeUnit = 'ns' | 'us' | 'ms' | 's';

const PREFIXES: ReadonlyMap<string, number> = new Map(
  Object.entries({
    '': 1,
    k: 1e3,
    m: 1e6,
    g: 1e9,
    t: 1e12,
    ki: 1024,
    mi: 1024 ** 2,
    gi: 1024 ** 3,
    ti: 1024 ** 4,
  }),
);
/** A prefix, bits or bytes, per second; each may be absent. */
const RATE = /^([kmgt]i?)?(bits?|bytes?|b)?(?:\/s(?:ec)?|ps|psec)?$/i;
const BYTE = 8;
export type RateUnit = 'bit' | 'kbit' | 'Mbit' | 'Gbit' | 'KiB';
const RATE_UNITS: Readonly<Record<RateUnit, number>> = {
  bit: 1,
  kbit: 1e3,
  Mbit: 1e6,
  Gbit: 1e9,
  KiB: 1024 * BYTE,
};

/** A plain decimal number, finite; `undefined` for anything else. */
export function readNumber(text: string): number | undefined {
  const trimmed = text.trim();
  if (trimmed.length > MAX_QUANTITY_LENGTH || !NUMBER.test(trimmed)) return undefined;
  const value = Number(trimmed);
  return Number.isFinite(value) ? value : undefined;
}

function split(text: string): { number: number; unit: string } | undefined {
  const trimmed = text.trim();
  if (trimmed.length > MAX_QUANTITY_LENGTH) return undefined;
  const match = WITH_UNIT.exec(trimmed);
  const number = match ? Number(match[1]) : Number.NaN;
  return Number.isFinite(number) ? { number, unit: match![2]!.trim() } : undefined;
}

/** Whole microseconds, 0 to `MAX_LATENCY`. `bare`: the unit of a number without one. `undefined`: not readable. */
export function readTime(text: string, bare: TimeUnit): Spelt<Micros> | undefined {
  const found = split(text);
  if (!found) return undefined;
  const unit = found.unit.toLowerCase();
  const isBare = unit === '';
  const factor = TIMES.get(isBare ? bare : unit) ?? TIMES.get(unit.replace(/s$/, ''));
  if (factor === undefined) return undefined;
  const exact = found.number * factor;
  const value = Math.round(exact);
  if (value < 0 || value > MAX_LATENCY) return undefined;
  return { value: micros(value === 0 ? 0 : value), isBare, isRounded: isFiner(exact, value) };
}

/** Whole bits per second, of any size above zero. `bare`: the unit of a number without one. */
export function readRate(text: string, bare: RateUnit = 'bit'): Spelt<Bps> | undefined {
  const found = split(text);
  if (!found) return undefined;
  const isBare = found.unit === '';
  const factor = isBare ? RATE_UNITS[bare] : rateFactor(found.unit.replaceAll(' ', ''));
  if (factor === undefined) return undefined;
  const exact = found.number * factor;
  const value = Math.round(exact);
  return value > 0 ? { value: bps(value), isBare, isRounded: isFiner(exact, value) } : undefined;
}

function rateFactor(unit: string): number | undefined {
  const match = RATE.exec(unit);
  const prefix = match && PREFIXES.get((match[1] ?? '').toLowerCase());
  if (!match || prefix === undefined || prefix === null) return undefined;
  const [, , what = 'b'] = match;
  return prefix * (what === 'B' || /^byte/i.test(what) ? BYTE : 1);
}

/** Whether a rate is one that netfold can keep. */
export function isRate(value: Bps): boolean {
  return value >= MIN_BANDWIDTH && value <= MAX_BANDWIDTH;
}

/** `0.01` or `1%`: 0 to 1. */
export function readFraction(text: string): Ratio | undefined {
  const found = split(text);
  if (!found || (found.unit !== '' && found.unit !== '%')) return undefined;
  const value = found.unit === '%' ? found.number / 100 : found.number;
  return value >= 0 && value <= 1 ? ratio(value === 0 ? 0 : value) : undefined;
}

/** 0.3 × 1000 is 299.99999999999994: only a difference of a larger part is rounding. */
const NOISE = 1e-6;

function isFiner(exact: number, rounded: number): boolean {
  return Math.abs(exact - rounded) > NOISE * Math.max(1, Math.abs(exact));
}
