/**
 * Held packets: a binary heap over typed arrays, ordered by release time, then by arrival. Nothing is allocated per packet;
 * the arrays double when they are full.
 */
export class ReleaseQueue {
  #times: Float64Array;
  #orders: Float64Array;
  #ids: Uint32Array;
  #marks: Uint32Array;
  #queues: Uint32Array;
  #size = 0;
  #arrivals = 0;

  constructor(capacity = 4096) {
    this.#times = new Float64Array(capacity);
    this.#orders = new Float64Array(capacity);
    this.#ids = new Uint32Array(capacity);
    this.#marks = new Uint32Array(capacity);
    this.#queues = new Uint32Array(capacity);
  }

  get size(): number {
    return this.#size;
  }

  /** Release time of the first packet; `Infinity` when there is none. */
  get nextTime(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : this.#times[0]!;
  }

  get nextId(): number {
    return this.#ids[0]!;
  }

  get nextQueue(): number {
    return this.#queues[0]!;
  }

  get nextMark(): number {
    return this.#marks[0]!;
  }

  push(time: number, queue: number, id: number, mark: number): void {
    if (this.#size === this.#times.length) this.#grow();
    const order = this.#arrivals++;
    let hole = this.#size++;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (!this.#isBefore(time, order, parent)) break;
      this.#move(parent, hole);
      hole = parent;
    }
    this.#place(hole, time, order, queue, id, mark);
  }

  /** Removes the first packet. */
  pop(): void {
    const last = --this.#size;
    if (last <= 0) return;
    const time = this.#times[last]!;
    const order = this.#orders[last]!;
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= last) break;
      if (child + 1 < last && this.#isBefore(this.#times[child + 1]!, this.#orders[child + 1]!, child))
        child++;
      if (this.#isBefore(time, order, child)) break;
      this.#move(child, hole);
      hole = child;
    }
    this.#place(hole, time, order, this.#queues[last]!, this.#ids[last]!, this.#marks[last]!);
  }

  /**
   * Removes all packets of `queue` and passes them to `action` in order, whatever their release times. It allocates, so it
   * is not for every packet.
   */
  take(queue: number, each: (id: number, mark: number) => void): void {
    const others: [number, number, number, number][] = [];
    while (this.#size > 0) {
      const { nextTime, nextQueue, nextId, nextMark } = this;
      this.pop();
      if (nextQueue === queue) each(nextId, nextMark);
      else others.push([nextTime, nextQueue, nextId, nextMark]);
    }
    for (const other of others) this.push(...other);
  }

  #isBefore(time: number, order: number, other: number): boolean {
    const otherTime = this.#times[other]!;
    return time < otherTime || (time === otherTime && order < this.#orders[other]!);
  }

  #move(from: number, to: number): void {
    this.#place(
      to,
      this.#times[from]!,
      this.#orders[from]!,
      this.#queues[from]!,
      this.#ids[from]!,
      this.#marks[from]!,
    );
  }

  #place(at: number, time: number, order: number, queue: number, id: number, mark: number): void {
    this.#times[at] = time;
    this.#orders[at] = order;
    this.#queues[at] = queue;
    this.#ids[at] = id;
    this.#marks[at] = mark;
  }

  #grow(): void {
    const capacity = this.#times.length * 2;
    const times = new Float64Array(capacity);
    const orders = new Float64Array(capacity);
    const ids = new Uint32Array(capacity);
    const marks = new Uint32Array(capacity);
    const queues = new Uint32Array(capacity);
    times.set(this.#times);
    orders.set(this.#orders);
    ids.set(this.#ids);
    marks.set(this.#marks);
    queues.set(this.#queues);
    this.#times = times;
    this.#orders = orders;
    this.#ids = ids;
    this.#marks = marks;
    this.#queues = queues;
  }
}
