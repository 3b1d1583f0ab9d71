/** Lists of links by flow, in one array: read in a row, they are found in the processor's cache. */
export class LinkPool {
  /** Flow f crosses links[start[f]] .. links[end[f] - 1]. */
  links = new Int32Array(0);
  start = new Int32Array(0);
  end = new Int32Array(0);
  #used = 0;

  /** Makes room for flows 0 to `count` - 1. */
  reserve(count: number): void {
    this.start = enlarged(this.start, count);
    this.end = enlarged(this.end, count);
  }

  set(flow: number, links: readonly number[]): void {
    this.#clear(flow);
    if (this.#used + links.length > this.links.length) this.#compact(links.length);
    this.start[flow] = this.#used;
    this.links.set(links, this.#used);
    this.#used += links.length;
    this.end[flow] = this.#used;
  }

  #clear(flow: number): void {
    this.start[flow] = 0;
    this.end[flow] = 0;
  }

  /** What a flow leaves behind when it gets other links is given up only here. */
  #compact(more: number): void {
    let needed = more;
    for (let flow = 0; flow < this.start.length; flow++) needed += this.end[flow]! - this.start[flow]!;
    const links = new Int32Array(2 * needed);
    let used = 0;
    for (let flow = 0; flow < this.start.length; flow++) {
      const own = this.links.subarray(this.start[flow]!, this.end[flow]!);
      this.start[flow] = used;
      links.set(own, used);
      used += own.length;
      this.end[flow] = used;
    }
    this.links = links;
    this.#used = used;
  }
}

function enlarged(array: Int32Array<ArrayBuffer>, room: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(room);
  larger.set(array);
  return larger;
}
