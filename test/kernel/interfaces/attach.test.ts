/** Endpoints that come and go while an experiment runs: a container that is started again has another namespace and address. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { namespacePath } from '../../../agent/kernel/netns/namespaces.ts';
import { agentSocket } from '../../../controller/names.ts';
import { type Place, ping } from '../../../controller/verify/traffic.ts';
import { callJson } from '../../../proto/http-json.ts';
import type { AgentStatus } from '../../../proto/status.ts';
import { experimentName, run, until } from '../../support/lab/lab.ts';
import { connectMachines, type Machines } from '../../support/lab/machines.ts';
import { expectSuccess } from '../../support/lab/succeeds.ts';

const NETFOLD = join(import.meta.dirname, '../../../bin/netfold');
/** Round trips: a–b 80 ms, c–b 60 ms. */
const TOPOLOGY = `
services: { a: {}, b: {}, c: {} }
bridges: [s1]
links:
  - { from: a, to: s1, latency: 25ms, up: 20Mbps, down: 10Mbps }
  - { from: b, to: s1, latency: 15ms }
  - { from: c, to: s1, latency: 15ms }
`;

let folder: string;
let name: string;
let network: Machines;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
  name = experimentName();
  network = connectMachines(3);
  const file = join(folder, 'attach.yaml');
  writeFileSync(file, TOPOLOGY);
  const at = network.machines.flatMap(({ namespace }, index) => [
    '--at',
    `${'abc'[index]}=eth0@${namespace}`,
  ]);
  expectSuccess(await run(NETFOLD, ['up', file, '--name', name, '--detach', ...at]));
});

afterEach(async () => {
  await run(NETFOLD, ['down', name]);
  network.remove();
  rmSync(folder, { recursive: true });
});

const ask = (path: string, body?: unknown) => callJson(`unix:${agentSocket(name, 'host0')}`, path, body);
const status = async () => (await ask('/status')) as AgentStatus;

function endpointAt({ namespace, address }: Place, number: number) {
  const [{ ifindex }] = JSON.parse(
    execFileSync('ip', ['-n', namespace, '-j', 'link', 'show', 'eth0'], { encoding: 'utf8' }),
  ) as [{ ifindex: number }];
  return {
    ...{ number, name: `${'abc'[number]}.0`, namespace: namespacePath(namespace), ifname: 'eth0', ifindex },
    addresses: [address],
    outlivesAgent: true,
  };
}

const places = () => network.machines as readonly Place[] as readonly [Place, Place, Place];

const known = (count: number) =>
  until(async () => (await status()).known === count, `${count} endpoints are known`);

it('is shaped in its new namespace at its new address, and no other is disturbed', async () => {
  const [a, b, c] = places();
  expect((await ping(a, b, 5, 20)).meanMs).toBeGreaterThan(80);
  // While all that follows happens.
  const beside = ping(c, b, 200, 20);
  await ask('/detach', { number: 0 });
  await known(2);
  const again = network.replace(0, '10.9.0.77');
  await ask('/attach', endpointAt(again, 0));
  await known(3);
  const after = await ping(again, b, 10, 20);
  expect(after.meanMs).toBeGreaterThan(80);
  expect(after.meanMs).toBeLessThan(100);
  expect(after.received).toBe(10);
  const { meanMs, received } = await beside;
  expect(received).toBe(200);
  expect(meanMs).toBeGreaterThan(60);
  expect(meanMs).toBeLessThan(75);
  expect((await status()).degraded).toEqual([]);
});

it('in place of one whose namespace is gone already, and at a rate that the file says', async () => {
  const [, b] = places();
  const again = network.replace(0, '10.9.0.78');
  await ask('/attach', endpointAt(again, 0));
  await until(async () => (await ping(again, b, 3, 20)).meanMs > 80, 'the new endpoint is shaped');
  expect((await status()).degraded).toEqual([]);
  expect((await status()).endpoints).toHaveLength(3);
  const { out } = await run('ip', ['netns', 'exec', again.namespace, 'tc', 'class', 'show', 'dev', 'eth0']);
  expect(out).toContain('rate 20Mbit');
});

it('one that can not be shaped is refused by name; the others stay', async () => {
  const [, b, c] = places();
  await ask('/detach', { number: 0 });
  const again = network.replace(0, '10.9.0.79');
  const wrong = { ...endpointAt(again, 0), ifindex: 4242 };
  await expect(ask('/attach', wrong)).rejects.toMatchObject({ code: 'INTERFACE_GONE' });
  expect((await status()).endpoints).toEqual(['b.0', 'c.0']);
  expect((await ping(c, b, 5, 20)).meanMs).toBeGreaterThan(60);
});
