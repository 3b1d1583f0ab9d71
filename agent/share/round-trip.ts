/** The weights of flows. */
import { type Micros, micros } from '../../proto/units.ts';
import type { Path } from '../../topology/model/model.ts';

/**
 * The shortest round-trip time for the weight of a flow, µs. A path without latency still has the round-trip time of
 * the real machines: 50 to 200 µs between hosts on one Ethernet, and the delay line varies by as much. A lower floor
 * would starve every other flow on the link: at 100 µs, a flow with 10 ms gets a hundredth.
 */
export const MIN_RTT_MICROS = micros(100);

/**
 * Latency of both directions, µs, at least `MIN_RTT_MICROS`; without a reverse path, twice the latency of the path.
 */
export function roundTripMicros(path: Path, back: Path | undefined): Micros {
  return micros(Math.max(MIN_RTT_MICROS, path.latency + (back ?? path).latency));
}
