/** Ranges in names: `server[1..4]`, `leaf[i=1..4]`, `node[01..10]`. */

/** A range of a name, in the order of the text. */
export interface Range {
  /** Of the number in `${…}`. */
  readonly name: string;
  readonly first: number;
  readonly last: number;
  /** Digits of each number, for `[01..10]`. */
  readonly width: number;
}

/** A combination of numbers: the texts with them, and each by its name. */
export interface Combination {
  readonly texts: readonly string[];
  readonly indices: ReadonlyMap<string, string>;
}

const RANGE = /\[(?:([A-Za-z_]\w*)=)?(\d{1,9})\.\.(\d{1,9})\]/g;
const DEFAULT_NAME = 'n';

export function hasRange(text: string): boolean {
  return text.search(RANGE) !== -1;
}

export function rangesIn(text: string): Range[] {
  return [...text.matchAll(RANGE)].map(([, name = DEFAULT_NAME, first, last]) => ({
    name,
    first: Number(first),
    last: Number(last),
    width: first!.length > 1 && first!.startsWith('0') ? first!.length : 0,
  }));
}

/** How many combinations the ranges of the texts have; 0 if one of them is backwards. */
export function combinationCount(texts: readonly string[]): number {
  return texts
    .flatMap(rangesIn)
    .reduce((product, { first, last }) => product * Math.max(0, last - first + 1), 1);
}

/**
 * Every combination of the ranges in `texts`, the last range fastest. Names of several ranges are left out of `indices`:
 * nobody can say which is meant.
 */
export function* combinations(texts: readonly string[]): Generator<Combination> {
  const ranges = texts.map(rangesIn);
  const all = ranges.flat();
  const names = new Set(all.map(({ name }) => name));
  const unique = new Set([...names].filter((name) => all.filter((one) => one.name === name).length === 1));
  const numbers = all.map(({ first }) => first);
  const count = combinationCount(texts);
  for (let nth = 0; nth < count; nth++) {
    const written = all.map(({ width }, index) => String(numbers[index]!).padStart(width, '0'));
    let next = 0;
    yield {
      texts: texts.map((text) => text.replace(RANGE, () => written[next++]!)),
      indices: new Map(
        all.flatMap(({ name }, index) => (unique.has(name) ? [[name, written[index]!] as const] : [])),
      ),
    };
    for (let at = all.length - 1; at >= 0; at--) {
      if (++numbers[at]! <= all[at]!.last) break;
      numbers[at] = all[at]!.first;
    }
  }
}

/** The names of several ranges, which `${…}` can't mean. */
export function ambiguousNames(texts: readonly string[]): string[] {
  const names = texts.flatMap(rangesIn).map(({ name }) => name);
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}
