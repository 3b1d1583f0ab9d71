/** The real round-trip time to another host, from measurements that are too long, never too short. Pure. */
import { type Micros, micros } from '../../proto/units.ts';

/**
 * Only real round-trip times of at least this are subtracted, µs. Those on one machine, or in one rack, are shorter,
 * vary by as much, and every path has them anyway (docs/limits.md).
 */
export const FLOOR_MICROS = micros(500);

/** If all hosts are on one machine, only a delay that was added between them on purpose is longer than this, µs. */
export const ONE_MACHINE_FLOOR_MICROS = micros(5000);

/**
 * The kernel's shortest round-trip time is exact, but as old as the connection. The clock requests are recent, and
 * include the time until both processes ran. If they take longer by this, µs, the real path has become longer: the
 * least of eight is 1 to 3 ms too long if two cores have ten agents, and 8 ms on an emulated processor.
 */
export const PROCESS_MICROS = micros(12_000);

/** For a new host, only from this on: while agents start, a slow machine alone takes some milliseconds. */
export const AT_ONCE_MICROS = micros(5000);

/** Differences up to the greater of these, µs and a ratio, change nothing: the error of a path is half of that. */
export const MARGIN_MICROS = micros(200);
export const MARGIN_RATIO = 0.01;

/**
 * A longer round-trip time is accepted after so many measurements, a second apart: it may be a queue on the way that
 * passes.
 */
export const LASTING_LOOKS = 10;

const NONE = micros(0);

const least = (a: Micros, b: Micros): Micros => (a < b ? a : b);

export interface Measured {
  /** The kernel's minimum over the present connections, µs. */
  readonly kernelMicros: Micros | undefined;
  /** The least of the latest clock requests, µs. */
  readonly clockMicros: Micros | undefined;
}

/** The round-trip time from two measurements, µs; `undefined` without any. */
export function estimate({ kernelMicros, clockMicros }: Measured): Micros | undefined {
  if (kernelMicros === undefined || clockMicros === undefined) return kernelMicros ?? clockMicros;
  return clockMicros > kernelMicros + PROCESS_MICROS ? clockMicros : least(kernelMicros, clockMicros);
}

/** The round-trip time in force, µs; 0 below the floor. */
export interface Settled {
  readonly micros: Micros;
  /** In how many measurements in a row it was longer, and the least of those. */
  readonly longerLooks: number;
  readonly longerMicros: Micros;
}

/**
 * After another measurement. Below the floor is 0. A shorter value counts at once: measurements are only ever too
 * long.
 */
export function settle(before: Settled | undefined, measured: Micros, floorMicros: Micros): Settled {
  if (!before) return settled(measured < floorMicros ? NONE : measured);
  // Half of the floor; otherwise a value near the floor would be subtracted on and off.
  const floor = before.micros > 0 ? floorMicros / 2 : floorMicros;
  const now = measured < floor ? NONE : measured;
  if (Math.abs(now - before.micros) <= marginOf(Math.max(now, before.micros)))
    return before.longerLooks === 0 ? before : settled(before.micros);
  if (now < before.micros) return settled(now);
  const longerLooks = before.longerLooks + 1;
  const longerMicros = before.longerLooks === 0 ? now : least(before.longerMicros, now);
  if (longerLooks >= LASTING_LOOKS) return settled(longerMicros);
  return { micros: before.micros, longerLooks, longerMicros };
}

function settled(roundTrip: Micros): Settled {
  return { micros: roundTrip, longerLooks: 0, longerMicros: NONE };
}

function marginOf(roundTrip: number): number {
  return Math.max(MARGIN_MICROS, MARGIN_RATIO * roundTrip);
}
