/** Ranges for random properties of links: `10ms`, or `1ms..10ms`, both ends included. */
import { formatBps, formatMicros, parseBandwidth, parseLatency, parsePercentage } from '../../proto/units.ts';
import type { SeededRandom } from '../model/random.ts';
import { GenerateError } from './errors.ts';

/** In µs, bit/s, or per cent. */
export interface Range {
  readonly low: number;
  readonly high: number;
  /** As it was written, without spaces. */
  readonly text: string;
}

export const parseLatencyRange = (text: string): Range => parseRange(text, parseLatency, '1ms..10ms');
export const parseBandwidthRange = (text: string): Range => parseRange(text, parseBandwidth, '10Mbps..1Gbps');
export const parseLossRange = (text: string): Range =>
  parseRange(text, (one) => parsePercentage(one) && Number(one.trim().slice(0, -1)), '0.1%..1%');

/** Throws `GenerateError` (`GENERATE_RANGE`) or `UnitError`. */
function parseRange(text: string, parse: (text: string) => number, example: string): Range {
  const ends = text.split('..');
  const [low, high = low] = ends.map((end) => parse(end));
  if (low === undefined || high === undefined || ends.length > 2 || low > high) {
    const why = ends.length > 2 ? 'has more than two ends' : 'begins above its end';
    throw new GenerateError('GENERATE_RANGE', `the range "${text}" ${why}`, `write e.g. ${example}`);
  }
  return { low, high, text: text.replaceAll(/\s/g, '') };
}

/** Uniform over the multiples of `grain` from `low` on; with `place` (0..1), the value at that position instead. */
function value({ low, high }: Range, grain: number, random: SeededRandom, place?: number): number {
  const grains = Math.floor((high - low) / grain);
  return low + grain * (place === undefined ? random.below(grains + 1) : Math.round(place * grains));
}

/** Whole microseconds; multiples of ten if the range is wider than a millisecond, so that files stay readable. */
export function latencyText(range: Range, random: SeededRandom, place?: number): string {
  const micros = value(range, range.high - range.low > 1000 ? 10 : 1, random, place);
  const short = formatMicros(micros);
  return parseLatency(short) === micros ? short : `${micros}us`;
}

/** Whole kilobits from a megabit on. */
export function bandwidthText(range: Range, random: SeededRandom): string {
  const bits = value(range, range.low >= 1e6 ? 1000 : 1, random);
  const short = formatBps(bits);
  return parseBandwidth(short) === bits ? short : `${bits}bps`;
}

/** A thousand steps between the ends. */
export function lossText({ low, high }: Range, random: SeededRandom): string {
  if (low === high) return `${low}%`;
  return `${Number((low + ((high - low) * random.below(1001)) / 1000).toFixed(6))}%`;
}
