/** A short run of `npm run fuzz`, and whether it finds what there is to find. */
import { describe, expect, it, test } from 'vitest';
import { type FuzzReport, fuzz } from '../../fuzz/fuzz.ts';
import { IMPORTS } from '../../fuzz/imports.ts';
import { MESSAGES } from '../../fuzz/messages.ts';
import { NETWORKS } from '../../fuzz/networks.ts';
import { cook, formatRecipe, parseRecipe } from '../../fuzz/recipe.ts';
import { type Target, textTarget } from '../../fuzz/target.ts';
import { TEXTS } from '../../fuzz/texts.ts';

const TARGETS = [...TEXTS, ...IMPORTS, ...NETWORKS, ...MESSAGES];
/** Some seconds, on two cores that do other things, too. */
const INPUTS = TARGETS.length * 256;

const run = (targets: readonly Target[], inputs: number, guided = false): Promise<FuzzReport> =>
  fuzz({ targets, seed: 1, guided, boundsMemory: false, isOver: (count) => count >= inputs });

test('no decoder and no grammar has a fault', { timeout: 120_000 }, async () => {
  const { faults, targets } = await run(TARGETS, INPUTS);
  expect(faults).toEqual([]);
  for (const { name, inputs, valid } of targets) {
    expect(inputs, name).toBeGreaterThan(256);
    // Inputs that are all refused at once test nothing.
    expect(valid / inputs, name).toBeGreaterThan(0.02);
  }
});

describe('faults are found', () => {
  const target = (read: (text: string) => void): Target =>
    textTarget({
      name: 'made',
      seeds: ['latency: 10ms'],
      read,
      isCoded: (error) => error instanceof RangeError,
    });

  it('exceptions without a code, with a recipe that repeats them', async () => {
    const broken = target((text) => {
      if (text.includes('{')) throw new TypeError('broken');
    });
    const { faults } = await run([broken], 2048);
    expect(faults[0]!.problem).toContain('TypeError: broken');
    expect(cook(parseRecipe(faults[0]!.recipe, [broken]))).toContain('{');
  });

  it('but not those with one', async () => {
    const refusing = target((text) => {
      if (text.includes('{')) throw new RangeError('coded');
    });
    expect((await run([refusing], 2048)).faults).toEqual([]);
  });

  it('a recipe gives the same input each time', () => {
    for (const one of TARGETS) {
      const recipe = { target: one, start: 0, mutations: [1, 2, 3, 4] };
      expect(cook(parseRecipe(formatRecipe(recipe), TARGETS))).toEqual(cook(recipe));
    }
    expect(() => parseRecipe('nothing/0/1', TARGETS)).toThrow(/no recipe/);
  });
});

test('inputs that reach new code are mutated further', { timeout: 60_000 }, async () => {
  const [yaml] = TEXTS;
  const { targets, blocks } = await run([yaml!], 512, true);
  expect(blocks).toBeGreaterThan(0);
  expect(targets[0]!.corpus.length).toBeGreaterThan(0);
});
