/** How far another host is, from measurements that are too long, never too short. Pure. */

/**
 * Of the real network only round trips of at least this are subtracted, µs: those on one machine, or in one rack, are
 * shorter, vary by as much, and are of the kind that paths have on top of their latency anyway (docs/limits.md).
 */
export const FLOOR_MICROS = 500;

/** Where all hosts are on one machine, only what somebody has put between them is longer than this, µs. */
export const ONE_MACHINE_FLOOR_MICROS = 5000;

/**
 * The kernel's shortest round trip is exact, but as old as the connection. The clock's questions are new, and contain
 * the time until both processes had their turn. If those take longer by this, µs, the way has become longer: the least
 * of eight is 1 to 3 ms too long where two cores have ten agents, and 8 ms on an emulated processor.
 */
export const PROCESS_MICROS = 12_000;

/** Of a host that has just come, only from this on: while agents start, a slow machine alone takes some milliseconds. */
export const AT_ONCE_MICROS = 5000;

/** Differences up to the greater of these, µs and a part, change nothing: a path is off by half of that. */
export const MARGIN_MICROS = 200;
export const MARGIN_RATIO = 0.01;

/** A longer round trip is believed when it was so in as many looks, a second apart: a queue on the way may pass. */
export const LASTING_LOOKS = 10;

export interface Measured {
  /** The least that the kernel saw over the connections there are, µs. */
  readonly kernelMicros: number | undefined;
  /** The least of the clock's latest questions, µs. */
  readonly clockMicros: number | undefined;
}

/** The round trip that two measurements of it tell, µs; `undefined` without any. */
export function estimate({ kernelMicros, clockMicros }: Measured): number | undefined {
  if (kernelMicros === undefined || clockMicros === undefined) return kernelMicros ?? clockMicros;
  return clockMicros > kernelMicros + PROCESS_MICROS ? clockMicros : Math.min(kernelMicros, clockMicros);
}

/** The round trip that is reckoned with, µs; 0 below the floor. */
export interface Settled {
  readonly micros: number;
  /** In how many looks in a row it was longer, and the least of those. */
  readonly longerLooks: number;
  readonly longerMicros: number;
}

/** After another look. Below the floor is 0. What is shorter counts at once: measurements err to the other side. */
export function settle(before: Settled | undefined, measured: number, floorMicros: number): Settled {
  if (!before) return settled(measured < floorMicros ? 0 : measured);
  // Below the floor by half, or what lies at the floor would come and go.
  const floor = before.micros > 0 ? floorMicros / 2 : floorMicros;
  const now = measured < floor ? 0 : measured;
  if (Math.abs(now - before.micros) <= marginOf(Math.max(now, before.micros)))
    return before.longerLooks === 0 ? before : settled(before.micros);
  if (now < before.micros) return settled(now);
  const longerLooks = before.longerLooks + 1;
  const longerMicros = before.longerLooks === 0 ? now : Math.min(before.longerMicros, now);
  if (longerLooks >= LASTING_LOOKS) return settled(longerMicros);
  return { micros: before.micros, longerLooks, longerMicros };
}

function settled(micros: number): Settled {
  return { micros, longerLooks: 0, longerMicros: 0 };
}

function marginOf(micros: number): number {
  return Math.max(MARGIN_MICROS, MARGIN_RATIO * micros);
}
