/**
 * Numbers of ns-2 and of Emulab: bits per second and seconds where no unit is written, `1h20m3s` for times. Computed values are
 * rounded to whole microseconds and bits per second.
 */
import {
  type Bps,
  bps,
  fromSeconds,
  MAX_BANDWIDTH,
  MAX_LATENCY,
  MIN_BANDWIDTH,
  type Micros,
  micros,
  type Ratio,
  ratio,
  UNLIMITED,
} from '../../../proto/units.ts';
import { MAX_TIME } from '../../events/grammar.ts';
import { quote } from '../../model/diagnostics.ts';
import { TclError } from '../../tcl/errors.ts';

const NUMBER = /^\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*([A-Za-z/]*)\s*$/;
const MAX_LENGTH = 60;

/** Bits per second of each unit; `B` is a byte. */
const RATES: Readonly<Record<string, number>> = {
  ...{ '': 1, b: 1, bps: 1, k: 1e3, K: 1e3, kb: 1e3, Kb: 1e3, kbps: 1e3, Kbps: 1e3 },
  ...{
    m: 1e6,
    M: 1e6,
    mb: 1e6,
    Mb: 1e6,
    mbps: 1e6,
    Mbps: 1e6,
    g: 1e9,
    G: 1e9,
    gb: 1e9,
    Gb: 1e9,
    gbps: 1e9,
    Gbps: 1e9,
  },
  ...{ B: 8, kB: 8e3, KB: 8e3, MB: 8e6, GB: 8e9 },
};
/** Microseconds of each unit. */
const TIMES: Readonly<Record<string, number>> = { '': 1e6, s: 1e6, sec: 1e6, ms: 1e3, us: 1, ns: 1e-3 };

function quantity(
  text: string,
  units: Readonly<Record<string, number>>,
  what: string,
  remedy: string,
): number {
  const match = text.length > MAX_LENGTH ? null : NUMBER.exec(text);
  if (!match) throw new TclError(`${quote(text)} is no ${what}`, remedy);
  const [, number, unit] = match as unknown as [string, string, string];
  if (!Object.hasOwn(units, unit))
    throw new TclError(`${quote(unit)} in ${quote(text)} is no unit of a ${what}`, remedy);
  return Number(number) * units[unit]!;
}

/** `10Mb`, `1.5Mbps`, `64000`; `~` is no limit. Throws `TclError`. */
export function readBandwidth(text: string): Bps {
  if (text.trim() === '~') return UNLIMITED;
  const remedy = 'write e.g. 10Mb or 64kb; without a unit it is bits per second';
  const value = Math.round(quantity(text, RATES, 'bandwidth', remedy));
  if (value >= MIN_BANDWIDTH && value <= MAX_BANDWIDTH) return bps(value);
  throw new TclError(`the bandwidth ${quote(text)} is outside of 8 b/s to 100 Gb/s`, remedy);
}

/** `10ms`, `0.5s`, `0.01`. Throws `TclError`. */
export function readDelay(text: string): Micros {
  const remedy = 'write e.g. 10ms; without a unit it is seconds';
  const value = Math.round(quantity(text, TIMES, 'delay', remedy));
  if (value >= 0 && value <= MAX_LATENCY) return micros(value);
  throw new TclError(`the delay ${quote(text)} is outside of 0 to ten minutes`, remedy);
}

/** Since the start: `10.5`, `1h20m3s`. Throws `TclError`. */
export function readInstant(text: string): Micros {
  const trimmed = text.trim();
  const remedy = 'write seconds, e.g. 10.5, or 1h20m3s';
  const parts = /^(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?$/.exec(trimmed);
  const seconds =
    parts && trimmed !== ''
      ? [1, 2, 3].reduce((sum, at) => sum * SIXTY + Number(parts[at] ?? 0), 0)
      : quantity(text, { '': 1, s: 1 }, 'time', remedy);
  const value = Math.round(fromSeconds(seconds));
  if (value >= 0 && value <= MAX_TIME) return micros(value);
  throw new TclError(`the time ${quote(text)} is outside of 0 to 100 days`, remedy);
}
/** Minutes of an hour, seconds of a minute. */
const SIXTY = 60;

/** A probability, `0.01`. Throws `TclError`. */
export function readLoss(text: string): Ratio {
  const remedy = 'write a probability, e.g. 0.01 for 1 %';
  const value = quantity(text, { '': 1 }, 'loss', remedy);
  if (value >= 0 && value <= 1) return ratio(value);
  throw new TclError(`the loss ${quote(text)} is outside of 0 to 1`, remedy);
}

/** Of each of two legs that lose so much together. */
export const lossOfLeg = (whole: Ratio): Ratio => ratio(1 - Math.sqrt(1 - whole));

export const half = (time: Micros): Micros => micros(Math.round(time / 2));
