/** Machines that have IPv6 alone: they join, are shaped and end as others do. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { agentStatus } from '../../../controller/experiment/agents.ts';
import { meshKeyFile } from '../../../controller/names.ts';
import { ping } from '../../../controller/verify/traffic.ts';
import { experimentName, until } from '../../support/lab/lab.ts';
import { connectMachines } from '../../support/lab/machines.ts';
import { expectSuccess } from '../../support/lab/succeeds.ts';

/** Of what the topology asks for. */
const RTT_MS = 60;
const TOPOLOGY =
  'services: { a: {}, b: {} }\nlinks: [{ from: a, to: b, latency: 30ms, bandwidth: 100Mbps }]\n';

it('take part without being told an address to listen at', { timeout: 240_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const { machines, remove } = connectMachines(2, 6);
  onTestFinished(remove);
  const [here, there] = [machines[0]!, machines[1]!];
  const [name, joined] = [experimentName(), experimentName()];
  const file = join(folder, 'wan.yaml');
  const key = join(folder, 'mesh.key');
  writeFileSync(file, TOPOLOGY);
  const up = await here.netfold('up', file, '--name', name, '--at', 'a=eth0', '--elsewhere', '--detach');
  expectSuccess(up);
  expect(up.out).toContain(`--join /ip6/${here.address}/tcp/4646`);
  copyFileSync(meshKeyFile(name), key);
  const { child, output } = there.start(
    ...['agent', '--join', here.address, '--experiment', name, '--name', joined],
    ...['--host', 'far', '--mesh-key', key, '--at', 'b=eth0'],
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  await until(
    async () => {
      if (child.exitCode !== null) throw new Error(output());
      const status = await agentStatus(joined, 'far').catch(() => undefined);
      return status?.state === 'running' && status.known === 2;
    },
    'both know each other',
    60_000,
  );
  const isShaped = async (): Promise<boolean> => (await ping(here, there, 3, 20)).medianMs > 0.75 * RTT_MS;
  await until(isShaped, 'the path is shaped', 30_000);
  const down = await here.netfold('down', name, '--everywhere');
  expectSuccess(down);
  expect(down.out).toContain('it ends on far, host0');
  await until(() => child.exitCode !== null || child.signalCode !== null, 'the other has ended', 30_000);
});
