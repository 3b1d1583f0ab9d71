/** Held packets whose pair has no path yet; the path was requested from the main thread. Pure. */

/** A held packet without a due time. Its arrival is in the time of the thread's clock. */
export interface Waiting {
  readonly id: number;
  readonly mark: number;
  readonly arrivedMs: number;
  readonly bytes: number;
}

/** Endpoint numbers are less than this. */
const ENDPOINTS = 65_536;

export class Unanswered {
  readonly #waiting = new Map<number, Waiting[]>();
  #asked: number[] = [];

  /** Holds a packet from endpoint `source` at `queue`. */
  hold(queue: number, source: number, packet: Waiting): void {
    const key = queue * ENDPOINTS + source;
    const packets = this.#waiting.get(key);
    if (packets) {
      packets.push(packet);
      return;
    }
    this.#waiting.set(key, [packet]);
    this.#asked.push(queue, source);
  }

  /** Pairs that have not been requested yet: queue, source, queue, source, … */
  takeAsked(): number[] {
    if (this.#asked.length === 0) return [];
    const asked = this.#asked;
    this.#asked = [];
    return asked;
  }

  /** Removes and returns the packets of this pair, in the order of arrival. */
  answered(queue: number, source: number): readonly Waiting[] {
    const key = queue * ENDPOINTS + source;
    const packets = this.#waiting.get(key) ?? [];
    this.#waiting.delete(key);
    return packets;
  }

  /** Removes and returns the packets of a queue that is closed. */
  takeQueue(queue: number): Waiting[] {
    const found: Waiting[] = [];
    for (const [key, packets] of this.#waiting) {
      if (Math.floor(key / ENDPOINTS) !== queue) continue;
      found.push(...packets);
      this.#waiting.delete(key);
    }
    return found.sort((a, b) => a.arrivedMs - b.arrivedMs);
  }
}
