/** The kernel's arithmetic of rates (psched_ratecfg_precompute and psched_l2t_ns, net/sched/sch_generic.c). */

const NANOSECONDS = 1_000_000_000n;
const TOP_BIT_32 = 1n << 31n;
const TOP_BIT_64 = 1n << 63n;
const MAX_BYTES = 0xffffffff;

export interface Rate {
  readonly bytesPerSecond: bigint;
  /** Bytes added to each frame. */
  readonly overhead: number;
  /** The shortest frame that is counted. */
  readonly minimum: number;
}

/** Nanoseconds that a frame of `bytes` takes, rounded as the kernel rounds. Link layers with cells (ATM) are not supported. */
export function frameNanoseconds({ bytesPerSecond, overhead, minimum }: Rate, bytes: number): bigint {
  const { factor, shift } = precompute(bytesPerSecond);
  return (BigInt(Math.max(bytes + overhead, minimum)) * factor) >> shift;
}

function precompute(bytesPerSecond: bigint): { factor: bigint; shift: bigint } {
  let dividend = NANOSECONDS;
  let shift = 0n;
  for (;;) {
    const factor = (dividend / bytesPerSecond) & 0xffffffffn;
    if (factor & TOP_BIT_32 || dividend & TOP_BIT_64) return { factor, shift };
    dividend <<= 1n;
    shift++;
  }
}

/** The longest frame that takes no more than `ticks` of 64 ns, rounded down: what a burst may have been given as. */
export function longestFrame(rate: Rate, ticks: number): number {
  let low = 0;
  let high = MAX_BYTES;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (frameNanoseconds(rate, middle) >> 6n <= BigInt(ticks)) low = middle;
    else high = middle - 1;
  }
  return low;
}
