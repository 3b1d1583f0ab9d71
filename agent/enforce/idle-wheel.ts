/**
 * Finds those of many things that have not been used for a while, without checking all of them: each is checked about
 * once in that time. Pure: time is an argument of each call, in milliseconds.
 */

/** An idle thing is found late by at most this part of the idle time. */
const PARTS = 8;

export class IdleWheel<T> {
  readonly idleMs: number;
  readonly #partMs: number;
  /** The things to check in each part of time. One slot more than a thing can be ahead. */
  readonly #slots: T[][] = Array.from({ length: PARTS + 2 }, () => []);
  #part: number;

  constructor(idleMs: number, nowMs: number) {
    this.idleMs = idleMs;
    this.#partMs = idleMs / PARTS;
    this.#part = this.#partOf(nowMs);
  }

  /** When `idle` has to be called next. */
  get nextMs(): number {
    return (this.#part + 1) * this.#partMs;
  }

  /** Adds a thing that is used now. */
  add(thing: T, nowMs: number): void {
    this.#put(thing, nowMs, nowMs);
  }

  /**
   * Returns the things that were not used for the idle time, which the wheel forgets. `lastUsedMs`: negative for one
   * that is gone anyway.
   */
  idle(nowMs: number, lastUsedMs: (thing: T) => number): T[] {
    const found: T[] = [];
    const last = this.#partOf(nowMs);
    // After a long pause one round is enough.
    this.#part = Math.max(this.#part, last - this.#slots.length);
    while (this.#part < last) {
      const at = ++this.#part % this.#slots.length;
      const things = this.#slots[at]!;
      this.#slots[at] = [];
      for (const thing of things) {
        const usedMs = lastUsedMs(thing);
        if (usedMs < 0) continue;
        if (nowMs - usedMs >= this.idleMs) found.push(thing);
        else this.#put(thing, usedMs, nowMs);
      }
    }
    return found;
  }

  #put(thing: T, usedMs: number, nowMs: number): void {
    const due = Math.max(this.#partOf(usedMs + this.idleMs) + 1, this.#partOf(nowMs) + 1);
    this.#slots[due % this.#slots.length]!.push(thing);
  }

  #partOf(ms: number): number {
    return Math.floor(ms / this.#partMs);
  }
}
