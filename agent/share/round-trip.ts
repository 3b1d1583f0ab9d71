/** What flows are weighed by. */
import type { Path } from '../../topology/model/model.ts';

/**
 * The shortest round trip that flows are weighed by, µs. A path without latency still has the round trip of the
 * machines below, which is 50 to 200 µs between hosts on one Ethernet, and what the delay line holds back varies by
 * as much. A lower floor would starve every other flow on the link: at 100 µs, one of 10 ms gets a hundredth.
 */
export const MIN_RTT_MICROS = 100;

/** Latency there and back, µs, at least `MIN_RTT_MICROS`; with no way back, twice the way there. */
export function roundTripMicros(path: Path, back: Path | undefined): number {
  return Math.max(MIN_RTT_MICROS, path.latency + (back ?? path).latency);
}
