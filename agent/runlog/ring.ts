/** The latest of many items, in bounded memory. */
export class Ring<T> {
  readonly #items: T[] = [];
  readonly #capacity: number;
  #added = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Returns the item that is no longer kept, if any. */
  push(item: T): T | undefined {
    const place = this.#added++ % this.#capacity;
    const replaced = this.#items[place];
    this.#items[place] = item;
    return replaced;
  }

  /** How many items are no longer kept. */
  get forgotten(): number {
    return this.#added - this.#items.length;
  }

  /** Oldest first. */
  toArray(): T[] {
    const oldest = this.#added % this.#capacity;
    if (this.#added <= this.#capacity) return [...this.#items];
    return [...this.#items.slice(oldest), ...this.#items.slice(0, oldest)];
  }

  /**
   * The latest ones, back to the first for which `isWanted` is false; oldest first. The cost is proportional to the
   * result.
   */
  latestWhile(isWanted: (item: T) => boolean): T[] {
    const found: T[] = [];
    for (let back = 1; back <= this.#items.length; back++) {
      const item = this.#items[(this.#added - back) % this.#capacity]!;
      if (!isWanted(item)) break;
      found.push(item);
    }
    return found.reverse();
  }
}
