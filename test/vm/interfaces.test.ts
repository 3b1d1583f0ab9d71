/** The kernel that Debian ships, and the tests of interfaces on it; neighbours.test.ts has those that take longest. */
import { expect, it } from 'vitest';
import { itPasses } from './machine/inner-suite.ts';

/** Few, because an agent takes ten seconds to start here. */
const machine = itPasses([
  { file: 'test/kernel/interfaces/tc-port.test.ts' },
  { file: 'test/kernel/interfaces/adoption.test.ts' },
  { file: 'test/kernel/interfaces/leftovers.test.ts' },
]);

it("runs the distribution's kernel, which loads what is asked of it by itself", async () => {
  const { code, output } = await machine().run(
    'uname -rv && ip netns add probe && ip -n probe link set lo up && tc -n probe qdisc add dev lo root netem delay 30ms &&' +
      ' ip netns exec probe ping -q -c 3 -i 0.1 127.0.0.1; ip netns delete probe',
    { timeoutMs: 60_000 },
  );
  expect(code, output).toBe(0);
  expect(output).toContain(machine().release);
  expect(output).toContain('Debian');
  // Twice 30 ms: out and back.
  expect(Number(/= ([\d.]+)\//.exec(output)?.[1])).toBeGreaterThan(60);
});
