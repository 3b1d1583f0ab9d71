/** A binary heap of nodes, ordered by two keys that live in arrays of the owner; `push` also moves a node up. */
export class NodeHeap {
  readonly #primary: Float64Array;
  readonly #secondary: Float64Array;
  readonly #nodes: Int32Array;
  readonly #place: Int32Array;
  #size = 0;

  constructor(primary: Float64Array, secondary: Float64Array) {
    this.#primary = primary;
    this.#secondary = secondary;
    this.#nodes = new Int32Array(primary.length);
    this.#place = new Int32Array(primary.length).fill(-1);
  }

  push(node: number): void {
    if (this.#place[node] === -1) this.#place[node] = this.#size++;
    let slot = this.#place[node]!;
    while (slot > 0) {
      const parent = (slot - 1) >> 1;
      const above = this.#nodes[parent]!;
      if (!this.#isBefore(node, above)) break;
      this.#put(above, slot);
      slot = parent;
    }
    this.#put(node, slot);
  }

  /** Removes and returns the first node; -1 if there is none. */
  pop(): number {
    if (this.#size === 0) return -1;
    const first = this.#nodes[0]!;
    this.#place[first] = -1;
    const last = this.#nodes[--this.#size]!;
    if (this.#size > 0) this.#sink(last);
    return first;
  }

  #sink(node: number): void {
    let slot = 0;
    for (;;) {
      let child = 2 * slot + 1;
      if (child >= this.#size) break;
      if (child + 1 < this.#size && this.#isBefore(this.#nodes[child + 1]!, this.#nodes[child]!)) child++;
      const below = this.#nodes[child]!;
      if (!this.#isBefore(below, node)) break;
      this.#put(below, slot);
      slot = child;
    }
    this.#put(node, slot);
  }

  #put(node: number, slot: number): void {
    this.#nodes[slot] = node;
    this.#place[node] = slot;
  }

  #isBefore(a: number, b: number): boolean {
    const difference = this.#primary[a]! - this.#primary[b]!;
    return difference < 0 || (difference === 0 && this.#secondary[a]! < this.#secondary[b]!);
  }
}
