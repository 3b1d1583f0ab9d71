/**
 * Whether so much arrives that looking at each packet at once costs more than it is worth. A packet says itself when it
 * arrived, and is due much later: with many of them the thread looks from time to time and takes what has come. Pure.
 */

/** Over so long packets are counted. */
const WINDOW_MS = 20;
/** From so many packets a millisecond on it is worth it: looking at one costs 10 to 20 µs, beside what is done with it. */
const BUSY_PER_MS = 0.5;
/** How long a packet may lie before it is looked at. Those of quicker paths can't (`PathTable.quick`). */
export const NAP_MS = 0.5;
/** Paths with less delay than this are quick. */
export const QUICK_MS = 4 * NAP_MS;

export class Pace {
  #windowMs = 0;
  #packets = 0;
  #isBusy = false;

  arrived(packets: number, nowMs: number): void {
    const elapsed = nowMs - this.#windowMs;
    if (elapsed >= WINDOW_MS) {
      this.#isBusy = this.#packets >= BUSY_PER_MS * elapsed;
      this.#windowMs = nowMs;
      this.#packets = 0;
    }
    this.#packets += packets;
  }

  /** How long not to look. */
  get napMs(): number {
    return this.#isBusy ? NAP_MS : 0;
  }
}
