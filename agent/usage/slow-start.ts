/**
 * Whether a flow that has just begun is a bulk transfer. TCP begins with ten segments (RFC 6928) and doubles what it
 * sends with each round trip (RFC 5681, section 3.1) until it fills its share or ends, so at first its rate says nothing
 * of its demand: judged by it, the others would give way in as many steps as it takes, 300 ms for 30 Mb/s at 50 ms.
 * So it is presumed greedy at once, until it stops growing. Pure.
 */

/** Fewer full frames within two ticks are a question or a stream of small packets. */
export const START_FRAMES = 6;

/** Doubling gives more than this from one window to the next, however bursts fall into ticks; a steady rate does not. */
const GROWTH = 1.25;
/** A burst may come a little later than a round trip after the one before: one flat tick says nothing. */
const FLAT_TICKS = 2;

export type StartVerdict = 'grows' | 'fills' | 'flat';

export class SlowStart {
  /** In ticks: a round trip, and one more, since bursts slip from one tick into the next. */
  readonly #window: number;
  #ticks = 0;
  #flatTicks = 0;

  /** `mostTicks`: for how many ticks bytes are remembered. */
  constructor(roundTripMs: number, tickMs: number, mostTicks: number) {
    const ticks = roundTripMs / tickMs;
    // Where several round trips fit a tick, none is ever without a burst.
    this.#window = ticks < 0.5 ? 1 : Math.min(Math.ceil(ticks) + 1, Math.floor(mostTicks / 2));
  }

  /**
   * Asked once a tick. `recentBytes`: of the last so many ticks; `fullBytes`: what the flow's share would have let
   * through in them. `fills`: it has reached its share; `flat`: its rate is its demand.
   */
  judge(recentBytes: (ticks: number) => number, fullBytes: (ticks: number) => number): StartVerdict {
    const window = this.#window;
    const ticks = ++this.#ticks;
    const latest = recentBytes(window);
    if (ticks >= window && latest >= fullBytes(window)) return 'fills';
    // The next burst would have come: it was all.
    if (latest === 0) return 'flat';
    // There is nothing yet that it could have grown from.
    if (ticks < 2 * window) return 'grows';
    const before = recentBytes(2 * window) - latest;
    this.#flatTicks = latest > GROWTH * before ? 0 : this.#flatTicks + 1;
    return this.#flatTicks < (window === 1 ? 1 : FLAT_TICKS) ? 'grows' : 'flat';
  }
}
