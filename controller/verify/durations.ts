/** How long each measurement takes, by its path: slow and long ones need more time, within stated bounds. Pure. */
import { INTERVAL_DEVIATIONS } from '../../agent/linux/delay-line/jitter.ts';
import { FULL_FRAME_BYTES } from '../../proto/queue.ts';
import {
  bitsOf,
  bytesOf,
  type Micros,
  micros,
  millisToSeconds,
  millisToSend,
  toMillis,
  toSeconds,
} from '../../proto/units.ts';
import type { Path } from '../../topology/model/model.ts';

export interface PingPlan {
  readonly count: number;
  readonly intervalMs: number;
  /** How long the last answer may take. */
  readonly patienceMs: number;
}

/** Enough for a mean within 0.1 ms on a noisy machine, and for useful confidence intervals of the loss. */
const PINGS = { count: 250, intervalMs: 10 };
const LOSSY_PINGS = { count: 1500, intervalMs: 3 };
/** The least that says anything. */
const LEAST_PINGS = 10;
/** Jitter counts once in each of its intervals: with so many, the mean is within a third of the deviation (Z / √100). */
const JITTER_INTERVALS = 100;
/** Pings fill this part of a slow link at most, so that none waits for the one before. */
const LARGEST_LOAD = 0.25;
/** Of all pings of a path; a path that needs longer for the least number of them is left out. */
const LONGEST_PINGS_MS = 30_000;
/** What ping waits for an answer by default. */
const PATIENCE_MS = 2000;

/** Round trip without what bytes take. */
export const roundTripOf = (path: Path, back: Path): Micros => micros(path.latency + back.latency);

/** `undefined`: the path is too slow, or too long, to be measured within half a minute. */
export function planPings(path: Path, back: Path, frameBytes: number): PingPlan | undefined {
  const isLossy = path.loss + back.loss > 0;
  const { count, intervalMs: least } = isLossy ? LOSSY_PINGS : PINGS;
  const frameMs = millisToSend(bitsOf(frameBytes), Math.min(path.bandwidth, back.bandwidth));
  // `ping` reads milliseconds.
  const intervalMs = Math.ceil(Math.max(least, frameMs / LARGEST_LOAD));
  const jitterMs = toMillis(micros(Math.max(path.jitter, back.jitter)));
  const forJitter = Math.ceil((JITTER_INTERVALS * INTERVAL_DEVIATIONS * jitterMs) / intervalMs);
  const roundTripMs = toMillis(roundTripOf(path, back));
  const most = Math.floor(LONGEST_PINGS_MS / intervalMs);
  if (most < LEAST_PINGS || roundTripMs > LONGEST_PINGS_MS) return undefined;
  const patienceMs = PATIENCE_MS + 2 * (roundTripMs + frameMs) + INTERVAL_DEVIATIONS * jitterMs;
  return { count: Math.min(most, Math.max(count, forJitter)), intervalMs, patienceMs };
}

/** Whether pings of several paths would wait for each other at a link so slow. */
export function isSlow(path: Path, back: Path, frameBytes: number): boolean {
  return millisToSend(bitsOf(frameBytes), Math.min(path.bandwidth, back.bandwidth)) > SLOW_FRAME_MS;
}

/** A tenth of what a round trip may be off. */
const SLOW_FRAME_MS = 0.05;

export interface TcpPlan {
  readonly seconds: number;
  readonly settleSeconds: number;
}

/** TCP’s first window, in frames (RFC 6928). */
const FIRST_WINDOW = 10;
/** Round trips of slow start: it doubles, and may leave early (HyStart). */
const ROUND_TRIPS = 15;
/** Cubic grows to where it was in ∛(W · 0.3 / 0.4) s, W in frames (RFC 8312, 4.1); smaller windows get there in slow start. */
const LARGE_WINDOW = 300;
const CUBIC = 0.75;
/** A frame more or less counts 0.5 %. */
const COUNTED_FRAMES = 200;
const LONGEST = { settleSeconds: 30, seconds: 30 };

/** How long one flow of TCP takes to fill a path, in seconds. */
export function fillSeconds(path: Path, back: Path): number {
  const roundTrip = roundTripOf(path, back);
  const window = flightBytes(path, back) / FULL_FRAME_BYTES;
  const growth = window > LARGE_WINDOW ? Math.cbrt(CUBIC * window) : 0;
  return window > FIRST_WINDOW ? ROUND_TRIPS * toSeconds(roundTrip) + growth : toSeconds(roundTrip);
}

/** What is under way on a path that is full. */
export function flightBytes(path: Path, back: Path): number {
  return bytesOf(path.bandwidth * toSeconds(roundTripOf(path, back)));
}

/** Whether the bound suffices for a flow to fill the path. */
export const isFilledInTime = (path: Path, back: Path): boolean =>
  fillSeconds(path, back) <= LONGEST.settleSeconds;

/**
 * `least`: what a short and fast path takes. `rateBps`: what is expected. `tries`: a second try takes twice the time, since
 * larger topologies need it.
 */
export function planTcp(least: TcpPlan, fillingSeconds: number, rateBps: number, tries = 1): TcpPlan {
  const frameSeconds = millisToSeconds(millisToSend(bitsOf(FULL_FRAME_BYTES), rateBps));
  const settle = tries * (least.settleSeconds + fillingSeconds);
  const counted = tries * Math.max(least.seconds, COUNTED_FRAMES * frameSeconds);
  return {
    settleSeconds: Math.min(LONGEST.settleSeconds, Math.ceil(settle)),
    seconds: Math.min(LONGEST.seconds, Math.ceil(counted)),
  };
}
