/** The example that users meet first, from topology file to measured traffic, on the kernel that Debian ships. */
import { expect, it } from 'vitest';
import { z } from 'zod';
import { VirtualMachine } from '../../deploy/vm/virtual-machine.ts';

const verdictSchema = z.object({
  faithful: z.boolean(),
  findings: z.array(
    z.object({
      what: z.string(),
      path: z.string(),
      target: z.number(),
      measured: z.number().nullable(),
      unit: z.enum(['ms', 'ratio', 'bit/s']),
      ok: z.boolean(),
    }),
  ),
});

type Found = z.infer<typeof verdictSchema>['findings'][number];

/**
 * What an emulated processor adds: 1 ms to a round trip (0.9 ms measured on an idle host), and pauses that take some
 * percent of the time from TCP (3 % measured). Losses are the kernel's and judged as on any machine.
 */
const SLOW = { roundTripMs: 3, rate: 0.1 };

/** The host has other work at times; what is wrong fails twice. */
const MEASURED = { retry: 1 };

function isFaithfulHere({ target, measured, unit, ok }: Found): boolean {
  if (ok || measured === null) return ok;
  if (unit === 'ms') return measured > target - 0.5 && measured < target + SLOW.roundTripMs;
  return unit === 'bit/s' && Math.abs(measured / target - 1) < SLOW.rate;
}

it('gives the paths and shares of examples/quickstart.yaml, on two hosts, with netem', MEASURED, async () => {
  const machine = await VirtualMachine.boot({ hostname: 'quickstart' });
  try {
    const command =
      'bin/netfold verify examples/quickstart.yaml --hosts 2 --delay-backend netem --json >/results/verdict';
    const { output } = await machine.run(command, { timeoutMs: 240_000 });
    const text = (await machine.run('cat /results/verdict', { timeoutMs: 10_000 })).output;
    expect(text, output).toMatch(/^\{/);
    const { findings } = verdictSchema.parse(JSON.parse(text));
    expect(new Set(findings.map(({ what }) => what))).toEqual(
      new Set(['round trip', 'loss', 'bandwidth', 'share']),
    );
    expect(findings.filter((finding) => !isFaithfulHere(finding))).toEqual([]);
  } finally {
    await machine.stop();
  }
});
