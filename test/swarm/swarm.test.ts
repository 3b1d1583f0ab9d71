/** `netfold deploy --swarm` on a swarm of two nodes: deployed, shaped across them, kept so, and taken away. Needs half a minute of building. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { netfoldVersion } from '../../controller/machine/version.ts';
import { buildImage } from '../../deploy/image/build.ts';
import { IMAGE, type TestEngine } from '../support/docker/engine.ts';
import { TestSwarm } from '../support/docker/swarm.ts';
import { experimentName, type Finished, run, until } from '../support/lab/lab.ts';

const NETFOLD = join(import.meta.dirname, '../../bin/netfold');
/** Round trips between client and server: 80 ms. */
const TOPOLOGY = `
services:
  client: { image: "${IMAGE}", command: [sleep, "3600"], replicas: 2 }
  server: { image: "${IMAGE}", command: [sleep, "3600"], environment: { PRICE: "5$" } }
bridges: [s1]
links:
  - { from: client, to: s1, latency: 25ms, bandwidth: 20Mbps }
  - { from: server, to: s1, latency: 15ms }
`;
/** On a busy machine. */
const SOON_MS = 120_000;

let swarm: TestSwarm;
let folder: string;
let name: string;

const netfold = (...args: string[]): Promise<Finished> => run(NETFOLD, args, swarm.manager.env);

interface Task {
  readonly engine: TestEngine;
  readonly id: string;
}

/** Containers of a service that run now, on both nodes. */
const tasksOf = (service: string): Task[] =>
  swarm.nodes.flatMap((engine) => {
    const label = `label=com.docker.swarm.service.name=${name}_${service}`;
    const ids = engine.docker('ps', '--quiet', '--filter', label).split('\n');
    return ids.filter((id) => id !== '').map((id) => ({ engine, id }));
  });

async function roundTrip({ engine, id }: Task, to: string): Promise<number> {
  const words = ['exec', id, 'ping', '-c', '3', '-i', '0.2', '-W', '1', to];
  const { out } = await run('docker', words, engine.env);
  return Number(/= [\d.]+\/([\d.]+)\//.exec(out)?.[1] ?? Number.POSITIVE_INFINITY);
}

interface Status {
  readonly host: string;
  readonly state: string;
  readonly known: number;
  readonly expected: number;
  readonly endpoints: readonly string[];
  readonly degraded: readonly string[];
}

/** What the agents say; those that don't answer yet are left out. */
async function statuses(): Promise<Status[]> {
  const all: Status[] = [];
  for (const { engine, id } of tasksOf('netfold-agent')) {
    const words = ['exec', id, '/usr/bin/netfold', 'status', name, '--json'];
    const { out, code } = await run('docker', words, engine.env);
    if (code === 0) all.push(...(JSON.parse(out) as { agents: Status[] }).agents);
  }
  return all;
}

const allShape = async (): Promise<boolean> => {
  const all = await statuses();
  const endpoints = all.flatMap((one) => one.endpoints).sort();
  return (
    all.length === 2 &&
    endpoints.join(' ') === 'client.0 client.1 server.0' &&
    all.every((one) => one.known === 3 && one.state === 'running' && one.degraded.length === 0)
  );
};

/** From each client to the server; a task that has just begun may not be shaped yet. */
async function expectShaped(): Promise<void> {
  const clients = tasksOf('client');
  expect(clients).toHaveLength(2);
  for (const client of clients) {
    await until(async () => (await roundTrip(client, 'server')) > 80, 'the path is shaped', SOON_MS);
    expect(await roundTrip(client, 'server')).toBeLessThan(200);
  }
}

beforeAll(async () => {
  name = experimentName();
  folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
  const tag = `netfold:${netfoldVersion()}`;
  const { image } = await buildImage({ out: join(folder, 'image'), tag, epoch: 1_700_000_000 });
  swarm = await TestSwarm.start();
  for (const node of swarm.nodes) node.docker('load', '--input', image);
}, 600_000);

afterAll(async () => {
  await swarm?.remove();
  rmSync(folder, { recursive: true, force: true });
}, 120_000);

it('a stack is deployed, shaped across the nodes, kept so whatever ends, and taken away', async () => {
  const file = join(folder, 'shop.yaml');
  writeFileSync(file, TOPOLOGY);
  const out = join(folder, 'out');
  const deployed = await netfold('deploy', file, '--swarm', '--name', name, '-o', out, '--apply');
  expect(deployed).toMatchObject({ code: 0 });
  expect(readFileSync(join(out, 'stack.yaml'), 'utf8')).toContain('endpoint_mode: dnsrr');
  await until(allShape, 'both nodes shape their tasks', SOON_MS);
  await expectShaped();
  const [server] = tasksOf('server');
  expect(server!.engine.docker('exec', server!.id, 'sh', '-c', 'echo $PRICE')).toBe('5$');

  const before = tasksOf('client').map(({ id }) => id);
  swarm.manager.docker('service', 'update', '--force', '--detach=false', '--quiet', `${name}_client`);
  expect(tasksOf('client').some(({ id }) => before.includes(id))).toBe(false);
  await until(allShape, 'the new tasks are shaped', SOON_MS);
  await expectShaped();

  const [agent] = tasksOf('netfold-agent');
  agent!.engine.docker('kill', agent!.id);
  await until(() => !tasksOf('netfold-agent').some(({ id }) => id === agent!.id), 'it is gone', SOON_MS);
  await until(allShape, 'another agent goes on', SOON_MS);
  await expectShaped();

  swarm.manager.docker('stack', 'rm', name);
  await until(
    () => swarm.nodes.every((node) => node.docker('ps', '--all', '--quiet') === ''),
    'no container is left',
    SOON_MS,
  );
  await until(
    () => !swarm.manager.docker('network', 'ls', '--format', '{{.Name}}').includes(name),
    'no network is left',
    SOON_MS,
  );
}, 600_000);
