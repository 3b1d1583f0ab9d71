const MIN_ROOM = 1024;

/** Lists of links by flow, in one array, so that consecutive lists are read from the processor's cache. */
export class LinkPool {
  /** Flow f crosses links[start[f]] .. links[end[f] - 1]. */
  links = new Int32Array(0);
  start = new Int32Array(0);
  end = new Int32Array(0);
  #used = 0;
  /** How many of the used entries belong to a flow. */
  #live = 0;

  /** Makes room for flows 0 to `count` - 1. */
  reserve(count: number): void {
    this.start = enlarged(this.start, count);
    this.end = enlarged(this.end, count);
  }

  set(flow: number, links: readonly number[]): void {
    this.#live += links.length - (this.end[flow]! - this.start[flow]!);
    this.end[flow] = this.start[flow]!;
    if (this.#used + links.length > this.links.length) this.#makeRoom(links.length);
    this.start[flow] = this.#used;
    for (let hop = 0; hop < links.length; hop++) this.links[this.#used + hop] = links[hop]!;
    this.#used += links.length;
    this.end[flow] = this.#used;
  }

  /** The space of replaced lists is reclaimed only here. */
  #makeRoom(more: number): void {
    const links = new Int32Array(Math.max(MIN_ROOM, 2 * this.#live) + more);
    if (this.#used < 1.5 * this.#live) links.set(this.links.subarray(0, this.#used));
    else this.#compactInto(links);
    this.links = links;
  }

  #compactInto(links: Int32Array): void {
    let used = 0;
    for (let flow = 0; flow < this.start.length; flow++) {
      const [start, end] = [this.start[flow]!, this.end[flow]!];
      this.start[flow] = used;
      for (let at = start; at < end; at++) links[used++] = this.links[at]!;
      this.end[flow] = used;
    }
    this.#used = used;
  }
}

function enlarged(array: Int32Array<ArrayBuffer>, room: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(room);
  larger.set(array);
  return larger;
}
