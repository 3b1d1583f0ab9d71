/**
 * Decides, by the rate of arriving packets, how the thread batches its work. Every packet carries its arrival time and is
 * due much later. At high rates the thread therefore receives in intervals, since receiving each packet at once costs more
 * than it brings. At very high rates it also releases in intervals, each time the packets that are due around then. Pure.
 */

/** The interval over which the rate is measured. */
const WINDOW_MS = 20;
/**
 * Packets per millisecond from which received packets are batched: receiving one alone costs 10 to 20 µs besides its own
 * work.
 */
const BUSY_PER_MS = 0.5;
/** How long a packet may wait before it is received. Packets of quick paths may not (`PathTable.quick`). */
export const NAP_MS = 0.5;
/** Paths with less delay than this are quick. */
export const QUICK_MS = 4 * NAP_MS;
/** Packets per millisecond from which releases are batched. */
const CROWDED_PER_MS = 2;
/**
 * The length of a slice: all releases due in it happen together, early or late by at most half of it. That makes 0.005 ms²
 * of variance, 0.01 in a round trip. Half the length would need twice as many wake-ups of about 10 µs.
 */
export const SLICE_MS = 0.25;

export class Pace {
  #windowMs = 0;
  #packets = 0;
  #perMs = 0;

  arrived(packets: number, nowMs: number): void {
    this.#lookAt(nowMs);
    this.#packets += packets;
  }

  /** How long to wait before packets are received; 0: receive at once. */
  get napMs(): number {
    return this.#perMs >= BUSY_PER_MS ? NAP_MS : 0;
  }

  /** The interval between releases; 0: each packet is released at its own time. */
  sliceMs(nowMs: number): number {
    this.#lookAt(nowMs);
    return this.#perMs >= CROWDED_PER_MS ? SLICE_MS : 0;
  }

  #lookAt(nowMs: number): void {
    const elapsed = nowMs - this.#windowMs;
    if (elapsed < WINDOW_MS) return;
    this.#perMs = this.#packets / elapsed;
    this.#windowMs = nowMs;
    this.#packets = 0;
  }
}
