/** The kernel tests of the checkout, on the kernel that Debian ships. */
import { afterAll, beforeEach, expect, it } from 'vitest';
import { VirtualMachine } from '../../deploy/vm/virtual-machine.ts';
import { type InnerTests, runInner } from './machine/inner-tests.ts';

const FILE_TIMEOUT_MS = 340_000;

/**
 * Few, because an agent takes ten seconds to start here; shares are measured by quickstart.test.ts and joined.test.ts.
 * Not here: what measures the delay line, which is a program that must wake up within tens of microseconds; an emulated
 * processor lets it sleep for milliseconds. It is tested on the real machine.
 */
const RUNS: readonly InnerTests[] = [
  { file: 'test/kernel/interfaces/tc-port.test.ts' },
  { file: 'test/kernel/interfaces/adoption.test.ts' },
  { file: 'test/kernel/interfaces/take-over.test.ts' },
  { file: 'test/kernel/interfaces/leftovers.test.ts' },
  { file: 'test/kernel/interfaces/kill.test.ts', only: 'with netem' },
  { file: 'test/kernel/interfaces/bystanders.test.ts', only: 'with netem' },
  { file: 'test/kernel/fidelity/accuracy.test.ts', only: 'with netem' },
];

let machine: VirtualMachine;

// One machine for all, or another one after that has ended.
beforeEach(async () => {
  if (!machine?.isUp) machine = await VirtualMachine.boot({ hostname: 'debian' });
});

afterAll(() => machine?.stop());

it("runs the distribution's kernel, which loads what is asked of it by itself", async () => {
  const { code, output } = await machine.run(
    'uname -rv && ip netns add probe && ip -n probe link set lo up && tc -n probe qdisc add dev lo root netem delay 30ms &&' +
      ' ip netns exec probe ping -q -c 3 -i 0.1 127.0.0.1; ip netns delete probe',
    { timeoutMs: 60_000 },
  );
  expect(code, output).toBe(0);
  expect(output).toContain(machine.release);
  expect(output).toContain('Debian');
  // Twice 30 ms: out and back.
  expect(Number(/= ([\d.]+)\//.exec(output)?.[1])).toBeGreaterThan(60);
});

it.each(RUNS)('passes $file', async (tests) => {
  const { passed, wrong } = await runInner(machine, tests, FILE_TIMEOUT_MS);
  expect(wrong, wrong.join('\n\n')).toEqual([]);
  expect(passed).not.toEqual([]);
});
