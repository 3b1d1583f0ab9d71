/**
 * How an input is made: a valid one, and the seeds of the mutations that were applied to it. `native YAML/2/17.905` is the
 * third valid input of that target, mutated with 17, then with 905. It gives the same input on every machine.
 */
import { SeededRandom } from '../../topology/model/random.ts';
import { mutate } from './mutate.ts';
import type { Target } from './target.ts';

export interface Recipe {
  readonly target: Target;
  readonly start: number;
  readonly mutations: readonly number[];
}

export function cook({ target, start, mutations }: Recipe): string | Buffer {
  return mutations.reduce(
    (input: string | Buffer, seed) => mutate(input, new SeededRandom(seed), target.seeds, target.pieces),
    target.seeds[start]!,
  );
}

export function formatRecipe({ target, start, mutations }: Recipe): string {
  return [target.name, start, mutations.join('.')].join('/');
}

/** Throws an `Error` for a text that `formatRecipe` does not make. */
export function parseRecipe(text: string, targets: readonly Target[]): Recipe {
  const [name, start, mutations = ''] = text.split('/');
  const target = targets.find((one) => one.name === name);
  const seeds = mutations === '' ? [] : mutations.split('.').map(Number);
  if (!target || target.seeds[Number(start)] === undefined || seeds.some(Number.isNaN))
    throw new Error(`"${text}" is no recipe, such as "${targets[0]!.name}/0/17.905"`);
  return { target, start: Number(start), mutations: seeds };
}
