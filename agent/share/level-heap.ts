/**
 * A binary min-heap of (level, id) over typed arrays, ordered by level and then by id, so that equal levels come out
 * in the same order on every host. Nothing is allocated after construction.
 */
export class LevelHeap {
  readonly #levels: Float64Array;
  readonly #ids: Int32Array;
  #size = 0;

  constructor(capacity: number) {
    this.#levels = new Float64Array(capacity);
    this.#ids = new Int32Array(capacity);
  }

  get size(): number {
    return this.#size;
  }

  /** The id on top; only with `size` > 0. */
  get topId(): number {
    return this.#ids[0]!;
  }

  /** The level on top; only with `size` > 0. */
  get topLevel(): number {
    return this.#levels[0]!;
  }

  push(level: number, id: number): void {
    let hole = this.#size++;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (!before(level, id, this.#levels[parent]!, this.#ids[parent]!)) break;
      this.#levels[hole] = this.#levels[parent]!;
      this.#ids[hole] = this.#ids[parent]!;
      hole = parent;
    }
    this.#levels[hole] = level;
    this.#ids[hole] = id;
  }

  pop(): void {
    this.#size--;
    this.#sink(this.#levels[this.#size]!, this.#ids[this.#size]!);
  }

  /** Raises the level of the top, which may then move down. */
  raiseTop(level: number): void {
    this.#sink(level, this.#ids[0]!);
  }

  /** Puts (level, id) into its place, starting with the hole at the top. */
  #sink(level: number, id: number): void {
    const levels = this.#levels;
    const ids = this.#ids;
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= this.#size) break;
      const right = child + 1;
      if (right < this.#size && before(levels[right]!, ids[right]!, levels[child]!, ids[child]!))
        child = right;
      if (!before(levels[child]!, ids[child]!, level, id)) break;
      levels[hole] = levels[child]!;
      ids[hole] = ids[child]!;
      hole = child;
    }
    levels[hole] = level;
    ids[hole] = id;
  }
}

function before(levelA: number, idA: number, levelB: number, idB: number): boolean {
  return levelA < levelB || (levelA === levelB && idA < idB);
}
