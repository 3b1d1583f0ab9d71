/** Reads and clears the counters of the socket filter: one batch per tick for all endpoints of this host. */

import type { BatchMap } from '../../kernel/bpf/libbpf.ts';
import { ADDRESS_BYTES, addressKey } from '../../kernel/netlink/addresses.ts';
import type { UsageReader, UsageRows } from '../../usage/reader.ts';
import { PAIR, USAGE } from '../objects/bpf-layout.ts';

const KEY_WORDS = PAIR.size / 4;
const WORDS_PER_VALUE = USAGE.size / 4;
const ONLY_ROW = new Uint8Array(4);

export class UsageMap implements UsageReader {
  readonly #map: BatchMap;
  readonly #made: BatchMap;
  readonly #cpus: number;
  readonly #keys: Int32Array;
  readonly #values: Uint32Array;
  /** The keys of the rows of the last read: a row often holds the same pair again. */
  readonly #lastKeys: Int32Array;
  readonly #source: Int32Array;
  readonly #destination: Int32Array;
  readonly #bytes: Float64Array;
  #known = 0;
  /** The number of rows that had been created before the last read. */
  #seen = -1n;
  #endpoints: ReadonlyMap<string, number> = new Map();

  /** `made` counts the rows that are created in `map`. */
  constructor({
    map,
    made,
    cpus,
    capacity,
  }: { map: BatchMap; made: BatchMap; cpus: number; capacity: number }) {
    this.#map = map;
    this.#made = made;
    this.#cpus = cpus;
    this.#keys = new Int32Array(map.keys.buffer);
    this.#values = new Uint32Array(map.values.buffer);
    this.#lastKeys = new Int32Array(this.#keys.length);
    this.#source = new Int32Array(capacity);
    this.#destination = new Int32Array(capacity);
    this.#bytes = new Float64Array(capacity);
  }

  setEndpoints(numberOfAddress: ReadonlyMap<string, number>): void {
    this.#endpoints = numberOfAddress;
    this.#known = 0;
  }

  read(): UsageRows {
    const made = this.#rowsMade();
    const count = made === this.#seen ? 0 : this.#map.take();
    this.#seen = made;
    for (let row = 0; row < count; row++) {
      if (row >= this.#known || !this.#isSameKey(row)) this.#resolve(row);
      this.#bytes[row] = this.#sumBytes(row);
    }
    this.#lastKeys.set(this.#keys.subarray(0, count * KEY_WORDS));
    this.#known = Math.max(this.#known, count);
    return { count, source: this.#source, destination: this.#destination, bytes: this.#bytes };
  }

  #rowsMade(): bigint {
    const value = this.#made.lookup(ONLY_ROW)!;
    return new DataView(value.buffer).getBigUint64(0, true);
  }

  #isSameKey(row: number): boolean {
    for (let word = row * KEY_WORDS; word < (row + 1) * KEY_WORDS; word++) {
      if (this.#keys[word] !== this.#lastKeys[word]) return false;
    }
    return true;
  }

  #resolve(row: number): void {
    const at = row * PAIR.size;
    this.#source[row] = this.#endpoints.get(addressKey(this.#map.keys, at + PAIR.source)) ?? -1;
    this.#destination[row] = this.#endpoints.get(addressKey(this.#map.keys, at + ADDRESS_BYTES)) ?? -1;
  }

  #sumBytes(row: number): number {
    let bytes = 0;
    const first = row * this.#cpus * WORDS_PER_VALUE;
    for (let cpu = 0; cpu < this.#cpus; cpu++) {
      const word = first + cpu * WORDS_PER_VALUE;
      bytes += this.#values[word]! + this.#values[word + 1]! * 2 ** 32;
    }
    return bytes;
  }
}
