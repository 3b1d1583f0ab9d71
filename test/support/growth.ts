/** How the time of a function grows with its input. */

/** Below this, a measurement is mostly noise of the machine and of the garbage collection. */
const MIN_MS = 20;
const TRIES = 4;

/** The least time of a few runs, in milliseconds. */
function timeOf(run: () => void, runs: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let count = 0; count < runs; count++) {
    const start = performance.now();
    run();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

/**
 * How many times as long an input of four times the size takes: about 4 if the time is linear, 16 if it is quadratic. The
 * least of several tries, since a busy machine only adds. 1 for what takes next to no time at all.
 */
export function growthOf(size: number, run: (size: number) => void, enough = 8): number {
  let least = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < TRIES && least > enough; attempt++) {
    const large = timeOf(() => run(4 * size), 1);
    if (large < MIN_MS) return 1;
    least = Math.min(
      least,
      large /
        Math.max(
          MIN_MS / 4,
          timeOf(() => run(size), 2),
        ),
    );
  }
  return least;
}
