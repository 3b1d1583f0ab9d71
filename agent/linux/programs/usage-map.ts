/** Reads and clears the counters of the socket filter: one batch per tick for all endpoints of this host. */

import type { Lanes } from '../../../proto/lanes.ts';
import type { BatchMap } from '../../kernel/bpf/libbpf.ts';
import { ADDRESS_BYTES, addressKey } from '../../kernel/netlink/addresses.ts';
import type { UsageReader, UsageRows } from '../../usage/reader.ts';
import { PAIR, ROWS, USAGE } from '../objects/bpf-layout.ts';

const KEY_WORDS = PAIR.size / 4;
const WORDS_PER_VALUE = USAGE.size / 4;
const MADE = indexKey(ROWS.made);
const LACKED = indexKey(ROWS.lacked);
/** The value of a member says nothing. */
const MEMBER_BYTES = 4;

export interface UsageMapOptions {
  readonly map: BatchMap;
  /** How many rows were made in `map`, and how many frames found none. */
  readonly rows: BatchMap;
  /** The addresses that are counted. */
  readonly members: BatchMap;
  readonly mostMembers: number;
  readonly cpus: number;
  readonly capacity: number;
  /** Absent: each pair has one path. */
  readonly lanes?: Lanes;
}

export class UsageMap implements UsageReader {
  readonly #map: BatchMap;
  readonly #rows: BatchMap;
  readonly #members: BatchMap;
  readonly #mostMembers: number;
  readonly #cpus: number;
  readonly #keys: Int32Array;
  readonly #values: Uint32Array;
  /** The keys of the rows of the last read: a row often holds the same pair again. */
  readonly #lastKeys: Int32Array;
  readonly #source: Int32Array;
  readonly #destination: Int32Array;
  readonly #bytes: Float64Array;
  readonly #frames: Float64Array;
  #known = 0;
  /** The number of rows that had been created before the last read; -1: some of them were not read. */
  #seen = -1n;
  #listed: ReadonlySet<string> = new Set();
  #unlisted = 0;
  #endpoints: ReadonlyMap<string, number> = new Map();
  readonly #lanes: Lanes | undefined;

  constructor({ map, rows, members, mostMembers, cpus, capacity, lanes }: UsageMapOptions) {
    this.#lanes = lanes;
    this.#map = map;
    this.#rows = rows;
    this.#members = members;
    this.#mostMembers = mostMembers;
    this.#cpus = cpus;
    this.#keys = new Int32Array(map.keys.buffer);
    this.#values = new Uint32Array(map.values.buffer);
    this.#lastKeys = new Int32Array(this.#keys.length);
    this.#source = new Int32Array(capacity);
    this.#destination = new Int32Array(capacity);
    this.#bytes = new Float64Array(capacity);
    this.#frames = new Float64Array(capacity);
  }

  setEndpoints(numberOfAddress: ReadonlyMap<string, number>): void {
    this.#endpoints = numberOfAddress;
    this.#known = 0;
    const wanted = new Set([...numberOfAddress.keys()].slice(0, this.#mostMembers));
    this.#unlisted = numberOfAddress.size - wanted.size;
    const gone = [...this.#listed].filter((key) => !wanted.has(key));
    const added = [...wanted].filter((key) => !this.#listed.has(key));
    this.#members.remove(keyBytes(gone), gone.length);
    this.#members.update(keyBytes(added), new Uint8Array(added.length * MEMBER_BYTES), added.length);
    this.#listed = wanted;
  }

  get unlisted(): number {
    return this.#unlisted;
  }

  uncounted(): number {
    return Number(this.#number(LACKED));
  }

  read(): UsageRows {
    const made = this.#number(MADE);
    let count = 0;
    if (made !== this.#seen) {
      count = this.#map.take();
      this.#seen = this.#map.isEmptied ? made : -1n;
    }
    for (let row = 0; row < count; row++) {
      if (row >= this.#known || !this.#isSameKey(row)) this.#resolve(row);
      this.#bytes[row] = this.#sum(row, USAGE.bytes);
      this.#frames[row] = this.#sum(row, USAGE.packets);
    }
    this.#lastKeys.set(this.#keys.subarray(0, count * KEY_WORDS));
    this.#known = Math.max(this.#known, count);
    const [source, destination] = [this.#source, this.#destination];
    return { count, source, destination, bytes: this.#bytes, frames: this.#frames };
  }

  #number(key: Uint8Array): bigint {
    const value = this.#rows.lookup(key)!;
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
    const destination = this.#endpoints.get(addressKey(this.#map.keys, at + ADDRESS_BYTES)) ?? -1;
    const lane = this.#map.keys[at + PAIR.lane]!;
    this.#destination[row] =
      destination === -1 ? -1 : (this.#lanes?.number(destination, lane) ?? destination);
  }

  /** Of all processors; `field`: its offset. */
  #sum(row: number, field: number): number {
    let sum = 0;
    const first = row * this.#cpus * WORDS_PER_VALUE + field / 4;
    for (let cpu = 0; cpu < this.#cpus; cpu++) {
      const word = first + cpu * WORDS_PER_VALUE;
      sum += this.#values[word]! + this.#values[word + 1]! * 2 ** 32;
    }
    return sum;
  }
}

function indexKey(index: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(index).buffer);
}

/** The addresses of these keys (`addressKey`), one behind the other. */
function keyBytes(keys: readonly string[]): Uint8Array {
  return Buffer.from(keys.join(''), 'latin1');
}
