/** `netfold up --at … --never`: what the user wants left alone. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { type Place, ping } from '../../../controller/verify/traffic.ts';
import { layCable } from '../../support/kernel/veth-pair.ts';
import { experimentName, run, runIn } from '../../support/lab/lab.ts';

const NETFOLD = join(import.meta.dirname, '../../../bin/netfold');
/** So far above what a busy machine takes that both can be told apart. */
const RTT_MS = 400;

it('a port and a network pass unshaped; nothing else does', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const cable = layCable();
  onTestFinished(() => cable.remove());
  const file = join(folder, 'site.yaml');
  writeFileSync(
    file,
    'services: { a: {}, b: {} }\nlinks: [{ from: a, to: b, latency: 200ms, bandwidth: 20Mbps }]\n',
  );
  const [a, b] = [cable.a, cable.b].map(({ name, namespace, addresses }) => ({
    ...{ name, namespace: namespace.split('/').at(-1)!, addresses },
    address: addresses[0]!,
  })) as [Place & { addresses: string[] }, Place & { addresses: string[] }];
  const at = [a, b].flatMap((end) => ['--at', `${end.name[0]}=eth0@${end.namespace}`]);
  const name = experimentName();
  const never = ['--never', 'tcp:5302', '--never', 'fd09::/64'];
  const up = await run(NETFOLD, ['up', file, '--name', name, '--detach', ...at, ...never]);
  expect(up, up.err).toMatchObject({ code: 0 });
  onTestFinished(async () => void (await run(NETFOLD, ['down', name])));

  expect((await ping(a, b, 4, 20)).medianMs).toBeGreaterThan(0.9 * RTT_MS);
  expect((await ping(a, { ...b, address: b.addresses[1]! }, 4, 20)).medianMs).toBeLessThan(RTT_MS / 2);
  for (const port of [5301, 5302]) {
    const server = spawn('ip', [
      'netns',
      'exec',
      b.namespace,
      'iperf3',
      '-s',
      '--forceflush',
      '-p',
      String(port),
    ]);
    onTestFinished(() => void server.kill('SIGKILL'));
    await once(server.stdout, 'data');
  }
  const connectMs = async (port: number): Promise<number> => {
    const line = `s=$(date +%s%N); exec 3<>/dev/tcp/${b.address}/${port}; e=$(date +%s%N); echo $(((e - s) / 1000000))`;
    const times = [];
    for (let turn = 0; turn < 3; turn++) times.push(Number((await runIn(a, 'bash', '-c', line)).out));
    return Math.min(...times);
  };
  expect(await connectMs(5301)).toBeGreaterThan(0.9 * RTT_MS);
  expect(await connectMs(5302)).toBeLessThan(RTT_MS / 2);
});

it('what names no traffic is wrong usage', async () => {
  const refused = await run(NETFOLD, ['up', 'none.yaml', '--at', 'a=lo', '--never', 'tcp:0']);
  expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('"tcp:0" names no traffic')]);
});
