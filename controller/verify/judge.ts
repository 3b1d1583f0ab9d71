/** Target and measurement → error and verdict, each with its tolerance and the reason for it. Pure. */
import { isIPv6 } from 'node:net';

import { MOST_LATE_MS } from '../../agent/enforce/lateness.ts';
import { FULL_FRAME_BYTES } from '../../proto/queue.ts';
import { amountIn, bytesOf, fromSeconds } from '../../proto/units.ts';

export interface Finding {
  readonly what: 'round trip' | 'loss' | 'bandwidth' | 'share' | 'release';
  readonly path: string;
  readonly target: number;
  readonly measured: number;
  readonly unit: 'ms' | 'ratio' | 'bit/s';
  readonly ok: boolean;
  /** The greatest error of a faithful run. */
  readonly tolerance: string;
  /**
   * How often it was measured until it was within its tolerance: more than once on a machine that paused meanwhile.
   */
  readonly tries: number;
}

/** The delay line releases within tens of microseconds; a shared machine adds the rest. */
const ROUND_TRIP_TOLERANCE_MS = 0.5;
/**
 * 99.9 % of faithful runs lie within this many standard errors; with 99 %, one verdict in fifty would be a false
 * alarm.
 */
const Z = 3.291;
/** The rate is exact; TCP and the window of the measurement are not. */
const BANDWIDTH_TOLERANCE = 0.02;
const SHARE_TOLERANCE = 0.05;
/** Payload of a full-sized TCP segment with timestamps, over the frame that carries it. */
export const GOODPUT = 1448 / 1514;
const GOODPUT6 = 1428 / 1514;

export interface Samples {
  readonly sent: number;
  readonly received: number;
  readonly meanMs: number;
  readonly medianMs: number;
  /** Of the single times; absent: not known. */
  readonly deviationMs?: number;
}

/**
 * The most that jitter may add to the tolerance, of the target. Jitter of a third of the latency, beyond which `check` warns,
 * needs less with ten independent samples.
 */
const MOST_FOR_JITTER = 0.25;

export interface ExpectedJitter {
  /** Standard deviation of a round trip, by the topology; 0: none. */
  readonly deviationMs: number;
  /** Packets close together have the same jitter and count as one sample. */
  readonly independentSamples: number;
}

/**
 * The standard error of a mean: of the jitter that is expected, or of the sample's own deviation if that is less, so that a
 * path without its jitter has no room for it.
 */
function standardErrorOf(
  expected: ExpectedJitter,
  { deviationMs = Number.POSITIVE_INFINITY }: Samples,
): number {
  if (expected.deviationMs === 0) return 0;
  return Math.min(expected.deviationMs, deviationMs) / Math.sqrt(expected.independentSamples);
}

/**
 * By the mean where there is jitter, else by the median: all have the same time, but a pause of the machine delays some. How
 * late packets leave is judged by itself.
 */
export function judgeRoundTrip(
  path: string,
  targetMs: number,
  jitter: ExpectedJitter,
  samples: Samples,
): Finding {
  const measured = jitter.deviationMs > 0 ? samples.meanMs : samples.medianMs;
  const forJitter = Math.min(Z * standardErrorOf(jitter, samples), MOST_FOR_JITTER * targetMs);
  const tolerance = ROUND_TRIP_TOLERANCE_MS + forJitter;
  const ok = Math.abs(measured - targetMs) <= tolerance;
  return {
    what: 'round trip',
    path,
    target: targetMs,
    measured,
    unit: 'ms',
    ok,
    tolerance: `${tolerance.toFixed(2)} ms`,
    tries: 1,
  };
}

/** Both directions lose independently; the number of arrivals is binomial. */
export function judgeLoss(path: string, target: number, { sent, received }: Samples): Finding {
  const measured = 1 - received / sent;
  const standardError = Math.sqrt((target * (1 - target)) / sent);
  const ok = target === 0 ? received === sent : Math.abs(measured - target) <= Z * standardError;
  const tolerance = target === 0 ? 'none lost' : `${(Z * standardError * 100).toFixed(2)} %`;
  return { what: 'loss', path, target, measured, unit: 'ratio', ok, tolerance, tries: 1 };
}

/** What is expected of a flow, and for how long it is measured. */
export interface RateTarget {
  readonly rateBps: number;
  readonly seconds: number;
}

/**
 * `rateBps` counts frames; TCP's goodput is smaller by the headers, those of IPv6 to an `address` of that family. Whole
 * segments are counted, of which a slow flow has few: at each end of the measurement, one is missed or counted too many.
 */
export function judgeRate(
  what: 'bandwidth' | 'share',
  path: string,
  { rateBps, seconds }: RateTarget,
  goodputBps: number,
  address = '',
): Finding {
  const frames = bytesOf(amountIn(fromSeconds(seconds), rateBps)) / FULL_FRAME_BYTES;
  const tolerance = (what === 'bandwidth' ? BANDWIDTH_TOLERANCE : SHARE_TOLERANCE) + 2 / frames;
  const target = rateBps * (isIPv6(address) ? GOODPUT6 : GOODPUT);
  const ok = Math.abs(goodputBps / target - 1) <= tolerance;
  const facts = { what, path, target, measured: goodputBps, unit: 'bit/s' as const, ok };
  return { ...facts, tolerance: `${(tolerance * 100).toFixed(1)} %`, tries: 1 };
}

/** `meanMs`: how late the packets of a host left its delay line. */
export function judgeRelease(host: string, meanMs: number): Finding {
  const facts = { what: 'release' as const, path: host, target: 0, measured: meanMs, unit: 'ms' as const };
  return { ...facts, ok: meanMs <= MOST_LATE_MS, tolerance: `${MOST_LATE_MS.toFixed(2)} ms`, tries: 1 };
}
