/** When to ask the kernel how much a queue has dropped: a question takes 50 µs, so only of queues that may be full. */

/** Of packets that are held, or were received at once. The smallest queue of a kernel that is known holds 65,536. */
const SUSPECT_PACKETS = 8192;
/** A queue that may be full is asked so often, and as long as it has dropped any since. */
const ASK_MS = 500;

export class Overflow {
  readonly #ask: () => number;
  #counted = 0;
  #nextMs = Number.POSITIVE_INFINITY;
  #lastMs = Number.NEGATIVE_INFINITY;

  /** `ask`: how many packets the kernel has dropped since the queue was bound. */
  constructor(ask: () => number) {
    this.#ask = ask;
  }

  /** When `count` has something to do. */
  get nextMs(): number {
    return this.#nextMs;
  }

  /** So many packets of the queue are held, or have come at once. */
  suspect(packets: number, now: number): void {
    if (packets >= SUSPECT_PACKETS && this.#nextMs === Number.POSITIVE_INFINITY)
      this.#nextMs = Math.max(now, this.#lastMs + ASK_MS);
  }

  /** How many were dropped since the last call, if it is time to ask. */
  count(now: number): number {
    if (now < this.#nextMs) return 0;
    this.#lastMs = now;
    this.#nextMs = Number.POSITIVE_INFINITY;
    const all = this.#ask();
    const dropped = Math.max(0, all - this.#counted);
    this.#counted = all;
    // What is dropped afterwards comes while the queue is full.
    if (dropped > 0) this.#nextMs = now + ASK_MS;
    return dropped;
  }
}
