/** Lists that stay sorted under small changes. */

/** Negative: a is before b; 0 only for the same item. */
export type Compare<Item> = (a: Item, b: Item) => number;

export function insertSorted<Item>(list: Item[], item: Item, compare: Compare<Item>): void {
  list.splice(placeOf(list, item, compare), 0, item);
}

/** `item` must still compare as it did when it was inserted. */
export function removeSorted<Item>(list: Item[], item: Item, compare: Compare<Item>): void {
  list.splice(placeOf(list, item, compare), 1);
}

/** The place of the first item that is not before `item`. */
function placeOf<Item>(list: readonly Item[], item: Item, compare: Compare<Item>): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(list[middle]!, item) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
