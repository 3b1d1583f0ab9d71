/** Test files of the checkout as tests of this one, in a machine with Debian's kernel. */
import { afterAll, beforeEach, expect, it } from 'vitest';
import { VirtualMachine } from '../../../deploy/vm/virtual-machine.ts';
import { type InnerTests, runInner } from './inner-tests.ts';

const FILE_TIMEOUT_MS = 840_000;

/** Registers a test for each file. Returns the machine they run in: one for all, or another one after that has ended. */
export function itPasses(runs: readonly InnerTests[]): () => VirtualMachine {
  let machine: VirtualMachine;

  beforeEach(async () => {
    if (!machine?.isUp) machine = await VirtualMachine.boot({ hostname: 'debian' });
  });

  afterAll(() => machine?.stop());

  it.each(runs)('passes $file', async (tests) => {
    const { passed, wrong } = await runInner(machine, tests, FILE_TIMEOUT_MS);
    expect(wrong, wrong.join('\n\n')).toEqual([]);
    expect(passed).not.toEqual([]);
  });
  return () => machine;
}
