/** The instants at which a path's packets may leave. Pure, without allocation. */
import { slotsOf } from '../../../../proto/models.ts';
import { toMillis } from '../../../../proto/units.ts';
import type { Draws } from './loss-process.ts';

/** After so many intervals without a packet, it begins anew: nobody sees the instants between. */
const LONGEST_CATCH_UP = 1000;

export class SlotClock {
  readonly #leastMs: number;
  readonly #rangeMs: number;
  #next = Number.NEGATIVE_INFINITY;

  /** `slots`: a text as of `parseSlots`. */
  constructor(slots: string) {
    const { least, most } = slotsOf(slots);
    this.#leastMs = toMillis(least);
    this.#rangeMs = toMillis(most) - this.#leastMs;
  }

  /** The first instant that is not before `dueMs`, which must not decrease by more than the last interval. */
  after(dueMs: number, random: Draws): number {
    if (dueMs - this.#next > LONGEST_CATCH_UP * (this.#leastMs + this.#rangeMs))
      this.#next = dueMs + random.uniform() * this.#interval(random);
    while (this.#next < dueMs) this.#next += this.#interval(random);
    return this.#next;
  }

  #interval(random: Draws): number {
    return this.#leastMs + this.#rangeMs * random.uniform();
  }
}
