/** How the time of a function grows with its input. */

/** Below this, a measurement is mostly noise of the machine and of the garbage collection. */
const MIN_MS = 20;
const TRIES = 6;

/** What one run costs this thread, in milliseconds of a processor: on a busy machine, time itself says how busy it is. */
function timeOf(run: () => void): number {
  const start = process.threadCpuUsage();
  run();
  const { user, system } = process.threadCpuUsage(start);
  return (user + system) / 1000;
}

/**
 * How many times as long an input of four times the size takes: about 4 if the time is linear, 16 if it is quadratic. The
 * least of several tries of either, since caches, compilation and garbage collection only add. 1 for what takes next to
 * no time at all.
 */
export function growthOf(size: number, run: (size: number) => void, enough = 8): number {
  let large = Number.POSITIVE_INFINITY;
  let small = Number.POSITIVE_INFINITY;
  let growth = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < TRIES && growth > enough; attempt++) {
    large = Math.min(
      large,
      timeOf(() => run(4 * size)),
    );
    if (large < MIN_MS) return 1;
    small = Math.min(
      small,
      timeOf(() => run(size)),
      timeOf(() => run(size)),
    );
    growth = Math.min(growth, large / Math.max(MIN_MS / 4, small));
  }
  return growth;
}
