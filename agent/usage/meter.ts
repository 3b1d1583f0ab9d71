/**
 * The state of a pair of endpoints that has sent recently: its bytes in the last ticks, and how they were classified.
 */
import type { SlowStart } from './slow-start.ts';

/** In ticks: 200 ms and 1 s at 50 ms. A shorter short window takes the gaps of slow links for pauses. */
export const SHORT_TICKS = 4;
export const LONG_TICKS = 20;

/** A longer pause is the end of the flow. */
export const MAX_PAUSE_MS = 1000;
/** How fast earlier pauses are forgotten, per tick with bytes. */
const PAUSE_DECAY = 0.9;

export interface Flow {
  readonly source: number;
  readonly destination: number;
  /** Bandwidth of the folded path, in bit/s. */
  pathBps: number;
  /** The share that enforcement has set, in bit/s. */
  enforcedBps: number;
  /** Measured, in bit/s. */
  rateBps: number;
  active: boolean;
  greedy: boolean;
}

export interface Meter extends Flow {
  /** The last tick that the ring contains. */
  turnedTick: number;
  /** The bytes that were counted in this tick. */
  tickBytes: number;
  /** Bytes of the last ticks. The newest is at the meter's common cursor. */
  readonly ring: Float64Array;
  shortBytes: number;
  longBytes: number;
  /** How many ticks of the ring belong to the current rate. */
  longTicks: number;
  /** For so many ticks the short window still holds traffic from before the rate departed. */
  settlingTicks: number;
  /** For how many ticks the short window has been above, or (negative) below the long one. */
  departedTicks: number;
  lastSeenMs: number;
  /** The longest of the latest pauses between ticks with bytes. */
  pauseMs: number;
  /** Mean over the long window when bytes were last seen. */
  paceBps: number;
  /** For how many ticks it has been active. */
  activeTicks: number;
  graceUntilMs: number;
  /** While it is greedy because it has just begun and grows. */
  start: SlowStart | undefined;
  mistrustedUntilMs: number;
}

/** `tick`: the number of the present one. */
export function newMeter(source: number, destination: number, pathBps: number, tick: number): Meter {
  return {
    source,
    destination,
    pathBps,
    enforcedBps: pathBps,
    rateBps: 0,
    active: false,
    greedy: false,
    turnedTick: tick - 1,
    tickBytes: 0,
    ring: new Float64Array(LONG_TICKS),
    shortBytes: 0,
    longBytes: 0,
    longTicks: 0,
    settlingTicks: 0,
    departedTicks: 0,
    lastSeenMs: Number.NEGATIVE_INFINITY,
    pauseMs: 0,
    paceBps: 0,
    activeTicks: 0,
    graceUntilMs: 0,
    start: undefined,
    mistrustedUntilMs: Number.NEGATIVE_INFINITY,
  };
}

/** Moves the windows on to tick `tick` at `now` (ms), with what it has sent in it; between the last time and now it sent nothing. */
export function turn(meter: Meter, tick: number, now: number): void {
  passSilence(meter, tick - 1);
  const bytes = meter.tickBytes;
  meter.tickBytes = 0;
  meter.turnedTick = tick;
  const { ring } = meter;
  const cursor = tick % LONG_TICKS;
  const leavingLong = ring[cursor]!;
  const leavingShort = ring[(cursor + LONG_TICKS - SHORT_TICKS) % LONG_TICKS]!;
  ring[cursor] = bytes;
  meter.shortBytes += bytes - leavingShort;
  meter.longBytes += bytes - (meter.longTicks >= LONG_TICKS ? leavingLong : 0);
  meter.longTicks = Math.min(meter.longTicks + 1, LONG_TICKS);
  if (bytes > 0) noteBytes(meter, now);
}

/** Only of a pair that isn't active: what is kept of the present rate is begun anew with the next one. */
function passSilence(meter: Meter, tick: number): void {
  const { ring } = meter;
  const silent = tick - meter.turnedTick;
  if (silent <= 0) return;
  for (let back = 0; back < Math.min(silent, LONG_TICKS); back++) ring[(tick - back) % LONG_TICKS] = 0;
  meter.shortBytes = 0;
  for (let back = 0; back < SHORT_TICKS; back++)
    meter.shortBytes += ring[(tick - back + LONG_TICKS) % LONG_TICKS]!;
}

function noteBytes(meter: Meter, now: number): void {
  const pause = now - meter.lastSeenMs;
  // Also a pause that was taken for the end: otherwise it would be again, with every burst.
  if (pause <= MAX_PAUSE_MS) meter.pauseMs = Math.max(pause, meter.pauseMs * PAUSE_DECAY);
  else meter.pauseMs = 0;
  meter.lastSeenMs = now;
}
