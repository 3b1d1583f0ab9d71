/**
 * Which events are needed to make a run fail: delta debugging (Zeller and Hildebrandt, IEEE TSE 2002, algorithm ddmin). Pure but for
 * the runs themselves.
 */

export interface Shrunk {
  /** Places of the events that are needed, in their order. */
  readonly kept: readonly number[];
  readonly runs: number;
  /** Whether it holds without any single one of them; false: there were no more runs to find out, or some could not be judged. */
  readonly isSmallest: boolean;
}

/**
 * `total` events make a run fail. `fails`: whether a run with these does; it is asked once for the same ones, and `mostRuns` times at most.
 * `undefined`: the run can't say, as one that was not faithful.
 */
export async function shrink(
  total: number,
  fails: (kept: readonly number[]) => Promise<boolean | undefined>,
  mostRuns: number,
): Promise<Shrunk> {
  const search = new Search(fails, mostRuns);
  const all = Array.from({ length: total }, (_, index) => index);
  if (await search.fails([])) return { kept: [], runs: search.runs, isSmallest: true };
  const kept = await smallest(all, search);
  return { kept, runs: search.runs, isSmallest: !search.isOver && !search.isUnsure };
}

class Search {
  readonly #fails: (kept: readonly number[]) => Promise<boolean | undefined>;
  readonly #mostRuns: number;
  readonly #known = new Set<string>();
  runs = 0;
  /** Something would have been tried, and there were no more runs. */
  isOver = false;
  /** A run could not say. */
  isUnsure = false;

  constructor(fails: (kept: readonly number[]) => Promise<boolean | undefined>, mostRuns: number) {
    this.#fails = fails;
    this.#mostRuns = mostRuns;
  }

  async fails(kept: readonly number[]): Promise<boolean> {
    const key = kept.join(' ');
    if (this.#known.has(key)) return false;
    if (this.runs >= this.#mostRuns) {
      this.isOver = true;
      return false;
    }
    this.#known.add(key);
    this.runs++;
    const found = await this.#fails(kept);
    if (found === undefined) this.isUnsure = true;
    return found === true;
  }
}

/** Halves first, then smaller parts: each alone, then all but each. */
async function smallest(all: readonly number[], search: Search): Promise<readonly number[]> {
  let kept = all;
  let parts = 2;
  while (kept.length >= 2) {
    const divided = partsOf(kept, parts);
    const alone = await firstThatFails(divided, search);
    if (alone) {
      [kept, parts] = [alone, 2];
      continue;
    }
    // Of two parts, the one is what the other leaves.
    const others = parts === 2 ? [] : divided.map((part) => kept.filter((one) => !part.includes(one)));
    const rest = await firstThatFails(others, search);
    if (rest) [kept, parts] = [rest, Math.max(parts - 1, 2)];
    else if (parts >= kept.length) return kept;
    else parts = Math.min(2 * parts, kept.length);
  }
  return kept;
}

async function firstThatFails(
  candidates: readonly (readonly number[])[],
  search: Search,
): Promise<readonly number[] | undefined> {
  for (const candidate of candidates) if (await search.fails(candidate)) return candidate;
  return undefined;
}

function partsOf(all: readonly number[], count: number): number[][] {
  const cut = (index: number): number => Math.round((index * all.length) / count);
  return Array.from({ length: count }, (_, index) => all.slice(cut(index), cut(index + 1)));
}
