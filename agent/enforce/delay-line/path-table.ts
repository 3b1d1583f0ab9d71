import { Jitter } from './jitter.ts';
import type { Random } from './random.ts';

/**
 * What the delay line does with packets of each source address, per queue (that is, per destination endpoint).
 * Looked up once per packet: typed arrays, no allocation, exact for IPv4 and IPv6.
 */
const GROWTH = 2;

/** Delay and jitter in milliseconds, the unit of the thread's clock. */
export interface DelayEntry {
  /** 16 bytes, IPv4 as ::ffff:a.b.c.d. */
  readonly source: Uint8Array;
  readonly delayMs: number;
  readonly jitterMs: number;
  readonly loss: number;
}

export class PathTable {
  /** Last word of an address → the first entry with it; entries with equal last words are chained. */
  readonly #heads = new Map<number, number>();
  #words = new Uint32Array(3 * 16);
  #next = new Int32Array(16);
  #size = 0;
  readonly #random: Random;
  /** Only of paths that have jitter. */
  readonly jitter = new Map<number, Jitter>();
  delayMs = new Float64Array(16);
  loss = new Float64Array(16);
  /** When the entry's last packet leaves: packets of one path don't overtake each other. */
  lastRelease = new Float64Array(16);

  constructor(random: Random) {
    this.#random = random;
  }

  get size(): number {
    return this.#size;
  }

  /** True where packets can get lost: then GSO packets must be taken apart. */
  hasLoss(): boolean {
    return this.loss.subarray(0, this.#size).some((value) => value > 0);
  }

  set({ source, delayMs, jitterMs, loss }: DelayEntry): void {
    const view = new DataView(source.buffer, source.byteOffset);
    const [a, b, c, d] = [view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12)];
    let entry = this.find(a, b, c, d);
    if (entry < 0) entry = this.#add(a, b, c, d);
    this.delayMs[entry] = delayMs;
    if (jitterMs === 0) this.jitter.delete(entry);
    else if (this.jitter.get(entry)?.deviationMs !== jitterMs)
      this.jitter.set(entry, new Jitter(jitterMs, this.#random));
    this.loss[entry] = loss;
  }

  /** Number of the entry of an address, as four words in network order; -1 when there is none. */
  find(a: number, b: number, c: number, d: number): number {
    let entry = this.#heads.get(d) ?? -1;
    const words = this.#words;
    while (
      entry >= 0 &&
      !(words[entry * 3] === a && words[entry * 3 + 1] === b && words[entry * 3 + 2] === c)
    ) {
      entry = this.#next[entry]!;
    }
    return entry;
  }

  #add(a: number, b: number, c: number, d: number): number {
    if (this.#size === this.#next.length) this.#grow();
    const entry = this.#size++;
    this.#words.set([a, b, c], entry * 3);
    this.#next[entry] = this.#heads.get(d) ?? -1;
    this.#heads.set(d, entry);
    return entry;
  }

  #grow(): void {
    const capacity = this.#next.length * GROWTH;
    const wider = (old: Float64Array): Float64Array<ArrayBuffer> => {
      const array = new Float64Array(capacity);
      array.set(old);
      return array;
    };
    this.delayMs = wider(this.delayMs);
    this.loss = wider(this.loss);
    this.lastRelease = wider(this.lastRelease);
    const words = new Uint32Array(3 * capacity);
    words.set(this.#words);
    this.#words = words;
    const next = new Int32Array(capacity);
    next.set(this.#next);
    this.#next = next;
  }
}
