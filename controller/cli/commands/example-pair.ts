/** A pair of endpoints for a first ping. */
import { Folding } from '../../../topology/fold/fold.ts';
import type { Graph } from '../../../topology/model/model.ts';

/** So many pairs are tried; where none of these answers, the topology is no example for a ping. */
const MOST_TRIES = 1000;

/**
 * The first endpoint of `names` and the last that it reaches and that reaches it, without losing all; else another pair that
 * does; `undefined` if none was found.
 */
export function examplePair(
  graph: Graph,
  names: readonly string[],
): { readonly from: string; readonly to: string } | undefined {
  const folding = new Folding(graph);
  const here = new Set(names);
  const numbers = graph.endpoints.flatMap((name, number) => (here.has(name) ? [number] : []));
  const answers = (from: number, to: number): boolean => {
    const [there, back] = [folding.path(from, to), folding.path(to, from)];
    return there !== undefined && back !== undefined && there.loss < 1 && back.loss < 1;
  };
  let tries = 0;
  for (const from of numbers) {
    for (const to of numbers.toReversed()) {
      if (to === from) continue;
      if (answers(from, to)) return { from: graph.endpoints[from]!, to: graph.endpoints[to]! };
      if (++tries === MOST_TRIES) return undefined;
    }
  }
  return undefined;
}
