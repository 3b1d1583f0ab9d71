/** Packets that wait for the path of their pair, which the main thread has been asked for. Pure. */

/** A packet that is held without a due time: when it arrived, by the thread's clock, is known. */
export interface Waiting {
  readonly id: number;
  readonly mark: number;
  readonly arrivedMs: number;
}

/** Endpoint numbers are below this. */
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

  /** Pairs that nobody has been asked about: queue, source, queue, source, … */
  takeAsked(): number[] {
    if (this.#asked.length === 0) return [];
    const asked = this.#asked;
    this.#asked = [];
    return asked;
  }

  /** What waits for this answer, in the order of arrival. */
  answered(queue: number, source: number): readonly Waiting[] {
    const key = queue * ENDPOINTS + source;
    const packets = this.#waiting.get(key) ?? [];
    this.#waiting.delete(key);
    return packets;
  }

  /** What waits at a queue that is closed. */
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
