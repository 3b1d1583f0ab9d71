/**
 * Address → number, looked up once per packet: without allocation, and exact for IPv4 and IPv6. An address is four 32-bit
 * words in network order, IPv4 as ::ffff:a.b.c.d.
 */
export class AddressIndex {
  /** Last word of an address → the newest slot with it. Slots with equal last words are chained. */
  readonly #heads = new Map<number, number>();
  #words = new Uint32Array(16);
  #next = new Int32Array(4);
  #values = new Int32Array(4);
  readonly #free: number[] = [];
  #used = 0;

  /** -1 for an unknown address. */
  find(a: number, b: number, c: number, d: number): number {
    const slot = this.#find(a, b, c, d);
    return slot < 0 ? -1 : this.#values[slot]!;
  }

  /** `address`: 16 bytes. */
  get(address: Uint8Array): number {
    const [a, b, c, d] = words(address);
    return this.find(a, b, c, d);
  }

  /** `value`: 0 or more. */
  set(address: Uint8Array, value: number): void {
    const [a, b, c, d] = words(address);
    let slot = this.#find(a, b, c, d);
    if (slot < 0) {
      slot = this.#free.pop() ?? this.#take();
      this.#words.set([a, b, c, d], slot * 4);
      this.#next[slot] = this.#heads.get(d) ?? -1;
      this.#heads.set(d, slot);
    }
    this.#values[slot] = value;
  }

  delete(address: Uint8Array): void {
    const [a, b, c, d] = words(address);
    const slot = this.#find(a, b, c, d);
    if (slot < 0) return;
    const next = this.#next[slot]!;
    const head = this.#heads.get(d)!;
    if (head !== slot) {
      let before = head;
      while (this.#next[before] !== slot) before = this.#next[before]!;
      this.#next[before] = next;
    } else if (next < 0) this.#heads.delete(d);
    else this.#heads.set(d, next);
    this.#free.push(slot);
  }

  #find(a: number, b: number, c: number, d: number): number {
    let slot = this.#heads.get(d) ?? -1;
    const all = this.#words;
    while (slot >= 0 && !(all[slot * 4] === a && all[slot * 4 + 1] === b && all[slot * 4 + 2] === c))
      slot = this.#next[slot]!;
    return slot;
  }

  #take(): number {
    if (this.#used === this.#values.length) {
      this.#words = grown(this.#words, new Uint32Array(this.#words.length * 2));
      this.#next = grown(this.#next, new Int32Array(this.#next.length * 2));
      this.#values = grown(this.#values, new Int32Array(this.#values.length * 2));
    }
    return this.#used++;
  }
}

/** Copies `array` to the start of `larger`. */
export function grown<T extends Uint32Array | Int32Array | Float64Array | Uint8Array>(
  array: T,
  larger: T,
): T {
  larger.set(array);
  return larger;
}

function words(address: Uint8Array): [number, number, number, number] {
  const view = new DataView(address.buffer, address.byteOffset);
  return [view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12)];
}
