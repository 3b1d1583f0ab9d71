/**
 * How many frames arrive per second, timed from one arrival to another, so that a slow path is measured exactly as
 * well.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Place } from '../../../controller/verify/traffic.ts';
import { millisToSeconds, ratePerSecond, secondsToMillis } from '../../../proto/units.ts';
import { BenchError } from '../../errors.ts';
import { type UdpCount, udpCount } from './udp-counters.ts';

export interface Windows {
  readonly count: number;
  readonly seconds: number;
}

/** A frame of 1,514 bytes takes 216 ms at 56 kb/s. After this time without a frame, the path carries nothing. */
const SILENCE_MS = 10_000;
const POLL_MS = 1;

/** Frames per second in each of several consecutive windows. Throws `NOTHING_ARRIVED`. */
export async function frameRates(at: Place, { count, seconds }: Windows): Promise<number[]> {
  const rates: number[] = [];
  let from = await nextArrival(at);
  for (let window = 0; window < count; window++) {
    await sleep(secondsToMillis(seconds));
    const to = await nextArrival(at);
    rates.push(rateBetween(from, to));
    from = to;
  }
  return rates;
}

export function rateBetween(from: UdpCount, to: UdpCount): number {
  return ratePerSecond(to.arrived - from.arrived, to.atMs - from.atMs);
}

/** The count right after the arrival of the next frame. */
async function nextArrival(at: Place): Promise<UdpCount> {
  const before = udpCount(at);
  for (;;) {
    await sleep(POLL_MS);
    const now = udpCount(at);
    if (now.arrived > before.arrived) return now;
    if (now.atMs - before.atMs > SILENCE_MS) {
      throw new BenchError(
        'NOTHING_ARRIVED',
        `no frame came to ${at.name} within ${millisToSeconds(SILENCE_MS)} s`,
      );
    }
  }
}
