import type { Path } from '../../topology/model/model.ts';

/** Paths of this many pairs are kept, in about 50 MB: both directions of 100,000 flows. */
const MAX_PAIRS = 200_000;

/**
 * `find` with a cache of its results: in each tick in which a flow changes, the paths of all flows are needed, and
 * folding a path costs more than sharing it. Make a new one for each epoch. `endpointCount` is that of the graph.
 */
export function rememberPaths(
  find: (from: number, to: number) => Path | undefined,
  endpointCount: number,
): (from: number, to: number) => Path | undefined {
  const known = new Map<number, Path | undefined>();
  return (from, to) => {
    const key = from * endpointCount + to;
    const path = known.get(key);
    if (path !== undefined || known.has(key)) return path;
    if (known.size >= MAX_PAIRS) known.clear();
    const found = find(from, to);
    known.set(key, found);
    return found;
  };
}
