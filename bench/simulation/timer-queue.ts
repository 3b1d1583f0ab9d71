/** Timers, in the order of their due times: a binary heap. */

export interface Timer {
  due: number;
  /** Of timers with the same due time, the first set comes first. */
  order: number;
  readonly period: number | undefined;
  readonly run: () => void;
  cancelled: boolean;
}

export class TimerQueue {
  readonly #heap: Timer[] = [];

  get first(): Timer | undefined {
    return this.#heap[0];
  }

  /** How many timers are not cancelled. */
  get pending(): number {
    return this.#heap.reduce((count, { cancelled }) => count + (cancelled ? 0 : 1), 0);
  }

  push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.length;
    for (let above = (at - 1) >> 1; at > 0 && isBefore(timer, heap[above]!); above = (at - 1) >> 1) {
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = timer;
  }

  /** Removes the first. */
  pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let at = 0;
    for (let below = this.#lesser(1); below < heap.length; below = this.#lesser(2 * at + 1)) {
      if (!isBefore(heap[below]!, last)) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = last;
  }

  /** The smaller of two neighbours in the heap. */
  #lesser(at: number): number {
    const [one, other] = [this.#heap[at], this.#heap[at + 1]];
    return one && other && isBefore(other, one) ? at + 1 : at;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order);
}
