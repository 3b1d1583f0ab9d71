/** The arrival time of a packet, from the mark that the BPF program `arrive` has set (bpf/layout.h). */
import { fromMillis, micros, nanosToMillis, toMillis } from '../../../proto/units.ts';
import { kernelMonotonicNanos } from '../../kernel/bpf/kernel-clock.ts';
import { ARRIVAL_MARK } from '../objects/bpf-layout.ts';

const RANGE = 0x7fffffff;
/** No packet waits this long for the thread; a mark with a greater age was not set by the program. */
const MAX_AGE_MICROS = 1e6;

export class ArrivalClock {
  readonly #offsetMs: number;

  /** `offsetMs`: the kernel's monotonic clock minus the thread's clock. */
  constructor(offsetMs: number) {
    this.#offsetMs = offsetMs;
  }

  /**
   * The time from the arrival of a packet with this mark until `nowMs` (thread's clock); negative where the program has not
   * set the mark.
   */
  ageMs(mark: number, nowMs: number): number {
    if (mark < ARRIVAL_MARK) return -1;
    const now = Math.floor(fromMillis(nowMs + this.#offsetMs));
    // Modulo 2^31. Both are reduced before the subtraction, since bit operations have 32 bits only.
    const age = ((now % (RANGE + 1)) - (mark - ARRIVAL_MARK)) & RANGE;
    return age < MAX_AGE_MICROS ? toMillis(micros(age)) : -1;
  }
}

/** The kernel's monotonic clock minus this thread's clock. The best of many measurements: the first call alone takes 0.7 ms. */
export function monotonicOffsetMs(): number {
  let best = Number.POSITIVE_INFINITY;
  let offset = 0;
  for (let i = 0; i < 1000; i++) {
    const before = nanosToMillis(Number(kernelMonotonicNanos()));
    const now = performance.now();
    const after = nanosToMillis(Number(kernelMonotonicNanos()));
    if (after - before >= best) continue;
    best = after - before;
    offset = (before + after) / 2 - now;
  }
  return offset;
}
