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

export type Input = string | Buffer;

export function cook({ target, start, mutations }: Recipe): Input {
  return mutations.reduce((input: Input, seed) => step(target, input, seed), target.seeds[start]!);
}

function step({ seeds, pieces }: Target, input: Input, seed: number): Input {
  return mutate(input, new SeededRandom(seed), seeds, pieces);
}

/** A recipe with what it gives. */
export interface Cooked {
  readonly recipe: Recipe;
  readonly input: Input;
}

export const cooked = (recipe: Recipe): Cooked => ({ recipe, input: cook(recipe) });

/** With one more mutation. */
export function mutated({ recipe, input }: Cooked, seed: number): Cooked {
  const { target, start, mutations } = recipe;
  return {
    recipe: { target, start, mutations: [...mutations, seed] },
    input: step(target, input, seed),
  };
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
