/** Values as the page shows them: three digits are as many as eyes compare. */
import {
  formatBps,
  formatMemory,
  formatMicros,
  formatRatio,
  fromMillis,
  millisToSeconds,
} from '../../../proto/units.ts';

const rounded = (value: number, digits = 3): number => Number(value.toPrecision(digits));

/** `17.8Mbps`; null: no limit. */
export const rate = (bps: number | null): string =>
  bps === null ? 'unlimited' : formatBps(bps < 1 ? 0 : rounded(bps));
/** `50.2ms` */
export const milliseconds = (ms: number): string => formatMicros(fromMillis(ms < 0.001 ? 0 : rounded(ms)));
/** Of a latency, with what its file has of digits. */
export const latency = (ms: number): string => formatMicros(fromMillis(ms));
export const percent = (ratio: number): string => formatRatio(rounded(ratio));
export const memory = (bytes: number): string => formatMemory(rounded(bytes));

/** A time of the experiment: `12.3s`, `2m 05s`, `1h 02m 05s`; null: it has not begun. */
export function clock(ms: number | null, digits = 1): string {
  if (ms === null) return 'not begun';
  const seconds = millisToSeconds(ms);
  if (seconds < 60) return `${seconds.toFixed(digits)}s`;
  const whole = Math.floor(seconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  const rest = two(whole % 60);
  return minutes < 60
    ? `${minutes}m ${rest}s`
    : `${Math.floor(minutes / 60)}h ${two(minutes % 60)}m ${rest}s`;
}

export const count = (number: number, noun: string): string =>
  `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
