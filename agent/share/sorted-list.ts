/** Lists that are kept sorted while they change a little at a time. */

/** Negative: a is before b; 0 only for the same item. */
export type Compare = (a: number, b: number) => number;

export function insertSorted(list: number[], item: number, compare: Compare): void {
  list.splice(placeOf(list, item, compare), 0, item);
}

/** `item` must still compare as it did when it was inserted. */
export function removeSorted(list: number[], item: number, compare: Compare): void {
  list.splice(placeOf(list, item, compare), 1);
}

/** The place of the first item that is not before `item`. */
function placeOf(list: readonly number[], item: number, compare: Compare): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(list[middle]!, item) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
