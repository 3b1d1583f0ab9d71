/**
 * What the delay line does with packets of each source address, per queue (that is, per destination endpoint).
 * Looked up once per packet: typed arrays, no allocation, exact for IPv4 and IPv6.
 */
import type { Distribution } from '../../../topology/model.ts';
import { Jitter } from './jitter.ts';
import type { Random } from './random.ts';

/** One path; delay and jitter in milliseconds, the unit of the thread's clock. */
export interface DelayEntry {
  /** The addresses of its source, 16 bytes each, IPv4 as ::ffff:a.b.c.d. Packets of all of them are one sequence. */
  readonly sources: readonly Uint8Array[];
  readonly delayMs: number;
  /** Standard deviation. */
  readonly jitterMs: number;
  readonly distribution: Distribution;
  readonly loss: number;
}

export class PathTable {
  /** Last word of an address → the first address with it; addresses with equal last words are chained. */
  readonly #heads = new Map<number, number>();
  /** Four words of each address, in network order. */
  readonly #words: Uint32Array;
  readonly #next: Int32Array;
  /** Address → the path that it belongs to. */
  readonly #paths: Uint32Array;
  #addresses = 0;
  #size = 0;
  /** By path, only of those that have jitter. */
  readonly jitter = new Map<number, Jitter>();
  readonly delayMs: Float64Array;
  readonly loss: Float64Array;
  /** When the path's last packet leaves, 0 where none was held: packets of one path don't overtake each other. */
  readonly lastRelease: Float64Array;
  /** 1: the path is gone, but packets of it are held. What comes after them is lost, and must not arrive before them. */
  readonly isGone: Uint8Array;

  private constructor(addresses: number, paths: number) {
    this.#words = new Uint32Array(4 * addresses);
    this.#next = new Int32Array(addresses);
    this.#paths = new Uint32Array(addresses);
    this.delayMs = new Float64Array(paths);
    this.loss = new Float64Array(paths);
    this.lastRelease = new Float64Array(paths);
    this.isGone = new Uint8Array(paths);
  }

  static empty(): PathTable {
    return new PathTable(0, 0);
  }

  /** How many paths it has, those that are gone included. */
  get size(): number {
    return this.#size;
  }

  /** True where packets can get lost: then GSO packets must be taken apart. */
  get hasLoss(): boolean {
    return this.loss.some((loss) => loss > 0);
  }

  /**
   * The table of these paths in place of this one's. Of a path that both have, order and jitter go on where they are;
   * one that only this table has is gone, and forgotten once none of its packets is held any more.
   */
  replacedBy(entries: readonly DelayEntry[], random: Random, nowMs: number): PathTable {
    const named = entries.reduce((sum, { sources }) => sum + sources.length, 0);
    const table = new PathTable(named + this.#addresses, entries.length + this.#size);
    for (const entry of entries) table.#set(entry, this, random);
    const leaving = new Map<number, number>();
    for (let address = 0; address < this.#addresses; address++) {
      const old = this.#paths[address]!;
      if (this.lastRelease[old]! <= nowMs) continue;
      const [a, b, c, d] = this.#words.subarray(4 * address, 4 * address + 4);
      if (table.find(a!, b!, c!, d!) >= 0) continue;
      const path = leaving.get(old) ?? table.#size++;
      leaving.set(old, path);
      table.#bind(a!, b!, c!, d!, path);
      table.isGone[path] = 1;
      table.lastRelease[path] = this.lastRelease[old]!;
    }
    return table;
  }

  /** Number of the path of a source address, as four words in network order; -1 when there is none. */
  find(a: number, b: number, c: number, d: number): number {
    const address = this.#find(a, b, c, d);
    return address < 0 ? -1 : this.#paths[address]!;
  }

  #find(a: number, b: number, c: number, d: number): number {
    let address = this.#heads.get(d) ?? -1;
    const words = this.#words;
    while (
      address >= 0 &&
      !(words[address * 4] === a && words[address * 4 + 1] === b && words[address * 4 + 2] === c)
    ) {
      address = this.#next[address]!;
    }
    return address;
  }

  #set(
    { sources, delayMs, jitterMs, distribution, loss }: DelayEntry,
    before: PathTable,
    random: Random,
  ): void {
    const path = this.#size++;
    this.delayMs[path] = delayMs;
    this.loss[path] = loss;
    for (const source of sources) {
      const view = new DataView(source.buffer, source.byteOffset);
      const [a, b, c, d] = [view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12)];
      this.#bind(a, b, c, d, path);
      const old = before.find(a, b, c, d);
      if (old < 0) continue;
      this.lastRelease[path] = Math.max(this.lastRelease[path]!, before.lastRelease[old]!);
      const jitter = before.jitter.get(old);
      if (jitter?.deviationMs === jitterMs && jitter.distribution === distribution)
        this.jitter.set(path, jitter);
    }
    if (jitterMs > 0 && !this.jitter.has(path))
      this.jitter.set(path, new Jitter(jitterMs, distribution, random));
  }

  /** An address that is named twice belongs to the later path. */
  #bind(a: number, b: number, c: number, d: number, path: number): void {
    let address = this.#find(a, b, c, d);
    if (address < 0) {
      address = this.#addresses++;
      this.#words.set([a, b, c, d], address * 4);
      this.#next[address] = this.#heads.get(d) ?? -1;
      this.#heads.set(d, address);
    }
    this.#paths[address] = path;
  }
}
