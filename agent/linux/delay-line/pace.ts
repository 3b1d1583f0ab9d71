/**
 * Whether so much arrives that looking at each packet at once costs more than it is worth. A packet says itself when it
 * arrived, and is due much later: with many of them the thread looks from time to time and takes what has come. With very
 * many it also releases from time to time, each time what is due about then. Pure.
 */

/** Over so long packets are counted. */
const WINDOW_MS = 20;
/** From so many packets a millisecond on it is worth it: looking at one costs 10 to 20 µs, beside what is done with it. */
const BUSY_PER_MS = 0.5;
/** How long a packet may lie before it is looked at. Those of quicker paths can't (`PathTable.quick`). */
export const NAP_MS = 0.5;
/** Paths with less delay than this are quick. */
export const QUICK_MS = 4 * NAP_MS;
/** From so many packets a millisecond on, releases wait for each other. */
const CROWDED_PER_MS = 2;
/**
 * So long is the time of which all releases are one. They are early or late by half of it at most, which makes 0.005 ms² of
 * variance: 0.01 in a round trip. Half as much is twice the wake-ups, of about 10 µs.
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

  /** How long not to look for what has arrived. */
  get napMs(): number {
    return this.#perMs >= BUSY_PER_MS ? NAP_MS : 0;
  }

  /** How far apart releases are; 0: each has its own time. */
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
