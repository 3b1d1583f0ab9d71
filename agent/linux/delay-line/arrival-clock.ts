/** When a packet arrived, from the mark that the BPF program `arrive` left in it (bpf/layout.h). */
import { fromMillis, micros, nanosToMillis, toMillis } from '../../../proto/units.ts';
import { ARRIVAL_MARK } from '../objects/bpf-layout.ts';

const RANGE = 0x7fffffff;
/** No packet waits this long for the thread; a mark that says so is not the program's. */
const MAX_AGE_MICROS = 1e6;

export class ArrivalClock {
  readonly #offsetMs: number;

  /** `offsetMs`: what has to be added to the thread's clock to get the kernel's monotonic clock. */
  constructor(offsetMs: number) {
    this.#offsetMs = offsetMs;
  }

  /** How long before `nowMs` (thread's clock) a packet with this mark arrived; negative where the mark is another's. */
  ageMs(mark: number, nowMs: number): number {
    if (mark < ARRIVAL_MARK) return -1;
    const now = Math.floor(fromMillis(nowMs + this.#offsetMs));
    // Modulo 2^31: both are taken apart into whole multiples, since bit operations know 32 bits only.
    const age = ((now % (RANGE + 1)) - (mark - ARRIVAL_MARK)) & RANGE;
    return age < MAX_AGE_MICROS ? toMillis(micros(age)) : -1;
  }
}

/** From this thread's clock to the kernel's monotonic one. The best of many: the first call alone takes 0.7 ms. */
export function monotonicOffsetMs(): number {
  let best = Number.POSITIVE_INFINITY;
  let offset = 0;
  for (let i = 0; i < 1000; i++) {
    const before = nanosToMillis(Number(process.hrtime.bigint()));
    const now = performance.now();
    const after = nanosToMillis(Number(process.hrtime.bigint()));
    if (after - before >= best) continue;
    best = after - before;
    offset = (before + after) / 2 - now;
  }
  return offset;
}
