/**
 * Whether a new flow is a bulk transfer. TCP starts with ten segments (RFC 6928) and doubles its rate with each round
 * trip (RFC 5681, section 3.1) until it fills its share or ends. So at first its rate does not show its demand: if it
 * did count, competing flows would give way in as many steps as the doubling takes, 300 ms for 30 Mb/s at 50 ms.
 * Therefore the flow is presumed greedy at once, until it stops growing. Pure.
 */

/** Fewer full frames within two ticks are a request or a stream of small packets. */
export const START_FRAMES = 6;

/** Doubling gives more than this from one window to the next, however bursts fall into ticks; a steady rate does not. */
const GROWTH = 1.25;
/** A burst may come a little later than a round trip after the previous one: one flat tick proves nothing. */
const FLAT_TICKS = 2;

export type StartVerdict = 'grows' | 'fills' | 'flat';

export class SlowStart {
  /** In ticks: a round trip, and one more, since bursts move from one tick into the next. */
  readonly #window: number;
  #ticks = 0;
  #flatTicks = 0;

  /** `mostTicks`: for how many ticks bytes are remembered. */
  constructor(roundTripMs: number, tickMs: number, mostTicks: number) {
    const ticks = roundTripMs / tickMs;
    // If several round trips fit into a tick, no tick is without a burst.
    this.#window = ticks < 0.5 ? 1 : Math.min(Math.ceil(ticks) + 1, Math.floor(mostTicks / 2));
  }

  /**
   * To be called once a tick. `recentBytes`: of so many last ticks; `fullBytes`: what the flow's share would have let
   * through in them. `fills`: it has reached its share; `flat`: its rate is its demand.
   */
  judge(recentBytes: (ticks: number) => number, fullBytes: (ticks: number) => number): StartVerdict {
    const window = this.#window;
    const ticks = ++this.#ticks;
    const latest = recentBytes(window);
    if (ticks >= window && latest >= fullBytes(window)) return 'fills';
    // The next burst would have come: the transfer is over.
    if (latest === 0) return 'flat';
    // There is no earlier rate to compare with yet.
    if (ticks < 2 * window) return 'grows';
    const before = recentBytes(2 * window) - latest;
    this.#flatTicks = latest > GROWTH * before ? 0 : this.#flatTicks + 1;
    return this.#flatTicks < (window === 1 ? 1 : FLAT_TICKS) ? 'grows' : 'flat';
  }
}
