/** The machine's monotonic clock, the same in all threads; `performance.now()` begins with each thread. */
import { fromSeconds, nanosToMillis, toMillis } from '../../proto/units.ts';

/** In milliseconds. */
export function monotonicMs(): number {
  const [seconds, nanos] = process.hrtime();
  return toMillis(fromSeconds(seconds)) + nanosToMillis(nanos);
}
