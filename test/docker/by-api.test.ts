/** Containers that the API starts, or shapes: as `netfold up --engine docker` and `netfold attach`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Connection, connect, type NetfoldError } from '../../sdk/index.ts';
import { IMAGE, TestEngine } from '../support/docker/engine.ts';
import { experimentName, until } from '../support/lab/lab.ts';

const TOPOLOGY = `
services:
  client: { image: ${IMAGE}, command: [sleep, "3600"] }
  server: { image: ${IMAGE}, command: [sh, -c, "echo I serve; exec sleep 3600"], volumes: ["kept:/kept"] }
links: [{ from: client, to: server, latency: 40ms }]
`;
const SOON_MS = 30_000;

let engine: TestEngine;
let server: ChildProcess;
let there: Connection;

beforeAll(async () => {
  engine = await TestEngine.start();
  const words = ['serve', '--listen', '127.0.0.1:0', '--json'];
  server = spawn(join(import.meta.dirname, '../../bin/netfold'), words, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: engine.env,
  });
  let out = '';
  server.stdout!.on('data', (bytes: Buffer) => {
    out += bytes;
  });
  await until(() => out.trimEnd().endsWith('}'), 'the server listens', SOON_MS);
  there = connect((JSON.parse(out) as { url: string }).url);
});

afterAll(async () => {
  if (server?.exitCode === null) {
    const ended = once(server, 'exit');
    server.kill('SIGTERM');
    await ended;
  }
  await engine?.remove();
});

it('are started, shaped, and removed by the API; what can not be made says why, by the name of the file that was sent', async () => {
  const name = experimentName();
  const options = { name, file: 'shop.yaml', engine: 'docker' } as const;
  const refused = (text: string): Promise<NetfoldError> =>
    there.start(text, options).then(
      () => Promise.reject(new Error('it has started')),
      (error: NetfoldError) => error,
    );
  expect(await refused(TOPOLOGY.replace('kept:', './kept:'))).toMatchObject({ code: 'VOLUME_BESIDE' });
  const without = await refused(TOPOLOGY.replace(`image: ${IMAGE}, command: [sleep`, 'command: [sleep'));
  expect([without.code, without.message]).toEqual(['IMAGE_ABSENT', expect.stringMatching(/^shop\.yaml:/m)]);
  expect(await refused(TOPOLOGY.replaceAll(IMAGE, 'netfold-none'))).toMatchObject({ code: 'IMAGE_MISSING' });

  const lab = await there.start(TOPOLOGY, options);
  expect(await there.list()).toContainEqual(expect.objectContaining({ name, platform: 'docker' }));
  expect(engine.docker('ps', '--filter', `label=netfold.experiment=${name}`, '--quiet')).not.toBe('');
  await until(async () => (await lab.logs('server.0')).includes('I serve'), 'its log is there', SOON_MS);
  const { address } = (await lab.endpoints())
    .map(({ name: of, addresses }) => ({ of, address: addresses[0]! }))
    .at(-1)!;
  const { stdout } = await lab.exec('client.0', `ping -c 3 -W 5 ${address}`);
  expect(Number(/= [\d.]+\/([\d.]+)\//.exec(stdout)?.[1])).toBeGreaterThan(79);
  await lab.stop();
  expect(engine.docker('ps', '--all', '--filter', `label=netfold.experiment=${name}`, '--quiet')).toBe('');
  engine.docker('volume', 'rm', `netfold.${name}.kept`);
});

it('that run already are shaped by the API, and stay when it ends', async () => {
  const name = experimentName();
  engine.docker('network', 'create', 'here');
  engine.run('web', '--network', 'here', '--label', 'app=web');
  engine.run('db', '--network', 'here');
  const address = engine
    .docker('inspect', '--format', '{{.NetworkSettings.Networks.here.IPAddress}}', 'db')
    .trim();
  const roundTrip = (): number => {
    const said = engine.docker('exec', 'web', 'ping', '-c', '3', '-i', '0.3', '-W', '5', address);
    return Number(/= ([\d.]+)\//.exec(said)?.[1]);
  };
  const attach = { engine: 'docker', names: false, takeOver: false } as const;
  const text = 'services: { web: {}, db: {} }\nlinks: [{ from: web, to: db, latency: 40ms }]\n';
  const select = ['web=label:app=web', 'db=name:db'];
  await expect(
    there.start(text, { name, attach: { ...attach, select: ['web=label:app=none', 'db=name:db'] } }),
  ).rejects.toMatchObject({ message: expect.stringContaining('label:app=none') });
  await using lab = await there.start(text, { name, attach: { ...attach, select } });
  expect(await there.list()).toContainEqual(expect.objectContaining({ name, platform: 'docker' }));
  expect(roundTrip()).toBeGreaterThan(79);
  await lab.stop();
  expect(roundTrip()).toBeLessThan(40);
});
