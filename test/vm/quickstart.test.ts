/** The example that users meet first, from topology file to measured traffic, on the kernel that Debian ships. */
import { expect, it } from 'vitest';
import { z } from 'zod';
import { VirtualMachine } from '../../deploy/vm/virtual-machine.ts';

const verdictSchema = z.object({
  faithful: z.boolean(),
  findings: z.array(z.looseObject({ what: z.string(), ok: z.boolean() })),
});

it('finds examples/quickstart.yaml faithful, on two hosts, with netem', async () => {
  const machine = await VirtualMachine.boot({ hostname: 'quickstart' });
  try {
    const command =
      'bin/netfold verify examples/quickstart.yaml --hosts 2 --delay-backend netem --json >/results/verdict';
    const { output } = await machine.run(command, { timeoutMs: 480_000 });
    const text = (await machine.run('cat /results/verdict', { timeoutMs: 30_000 })).output;
    expect(text, output).toMatch(/^\{/);
    const { faithful, findings } = verdictSchema.parse(JSON.parse(text));
    expect(new Set(findings.map(({ what }) => what))).toEqual(
      new Set(['round trip', 'loss', 'bandwidth', 'share']),
    );
    expect(findings.filter(({ ok }) => !ok)).toEqual([]);
    expect(faithful).toBe(true);
  } finally {
    await machine.stop();
  }
});
