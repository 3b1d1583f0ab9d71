/** `netfold up --engine docker` with a real engine: containers of the topology, made, shaped, ended, and removed. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { agentStatus } from '../../controller/experiment/agents.ts';
import { sandboxNames } from '../../controller/platform/containers/sandbox.ts';
import type { RecordSummary } from '../../controller/record/read.ts';
import { IMAGE, TestEngine } from '../support/docker/engine.ts';
import { killIfThere } from '../support/kernel/kill.ts';
import { experimentName, type Finished, run, until } from '../support/lab/lab.ts';
import { expectSuccess } from '../support/lab/succeeds.ts';
import { processesOf, tracesOf } from '../support/lab/traces.ts';

const NETFOLD = join(import.meta.dirname, '../../bin/netfold');
/** Round trips: client to server 80 ms. What each application sees first, it has sent itself. */
const TOPOLOGY = `
services:
  client:
    image: ${IMAGE}
    replicas: 2
    command: [sh, -c, "ping -c 1 -W 5 server; echo I am $NETFOLD_NODE of $REGION; echo 42 >$NETFOLD_OUT/answer; exec sleep 3600"]
    environment: { REGION: eu }
    resources: { cpu: 0.5, memory: 64m }
    restart: always
  server:
    image: ${IMAGE}
    entrypoint: [sh]
    command: [-c, "cat /data/greeting; id -u; pwd; id -u >$NETFOLD_OUT/user; exec sleep 3600"]
    volumes: ["./data:/data:ro"]
    ports: ["127.0.0.1::80"]
    user: "7"
    working_dir: /tmp
    healthcheck: { test: "true", interval: 1s }
    ready: { log: hello }
bridges: [s1]
links:
  - { from: client, to: s1, latency: 25ms, up: 20Mbps, down: 10Mbps }
  - { from: server, to: s1, latency: 15ms }
`;
const SOON_MS = 20_000;

let engine: TestEngine;
let folder: string;
let file: string;
let name: string;

const netfold = (...args: string[]): Promise<Finished> => run(NETFOLD, args, engine.env);
const up = (...more: string[]): Promise<Finished> =>
  netfold('up', file, '--name', name, '--engine', 'docker', '--detach', ...more);
const status = () => agentStatus(name, 'host0');
const exec = (node: string, ...command: string[]): Promise<Finished> =>
  netfold('exec', node, '--name', name, '--', ...command);
const container = (endpoint: string): string => `netfold.${name}.${endpoint}`;
const inspect = (endpoint: string, format: string): string =>
  engine.docker('inspect', '--format', format, container(endpoint));
const isRunning = (endpoint: string): boolean => inspect(endpoint, '{{.State.Running}}') === 'true';

/** What is left of the experiment in the engine. */
const left = (): string =>
  ['ps --all', 'network ls']
    .map((what) =>
      engine.docker(...what.split(' '), '--quiet', '--filter', `label=netfold.experiment=${name}`),
    )
    .join('');

beforeAll(async () => {
  engine = await TestEngine.start();
  folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
  file = join(folder, 'made.yaml');
  writeFileSync(file, TOPOLOGY);
  mkdirSync(join(folder, 'data'));
  writeFileSync(join(folder, 'data', 'greeting'), 'hello\n');
});

afterAll(async () => {
  await engine.remove();
  rmSync(folder, { recursive: true });
});

beforeEach(() => {
  name = experimentName();
});

afterEach(async () => {
  await netfold('down', name);
});

/** The mean round trip, in milliseconds, as busybox measures it; infinite: nothing came back. */
async function roundTrip(from: string, to: string): Promise<number> {
  const { out } = await netfold(
    ...['exec', from, '--name', name, '--user', '0', '--', 'ping'],
    ...['-c', '3', '-i', '0.2', '-W', '1', to],
  );
  return Number(/= [\d.]+\/([\d.]+)\//.exec(out)?.[1] ?? Number.POSITIVE_INFINITY);
}

async function expectShaped(from: string, to: string): Promise<void> {
  const meanMs = await roundTrip(from, to);
  expect(meanMs).toBeGreaterThan(80);
  // Three pings on a machine that may be busy; without shaping it is less than a millisecond.
  expect(meanMs).toBeLessThan(200);
}

const logOf = async (node: string): Promise<string> => (await netfold('logs', node, '--name', name)).out;

/** Processes of the experiment: what serves the agent, and the agent. */
const killAll = (): void => {
  for (const pid of processesOf(name)) killIfThere(pid);
};

describe('containers of the topology', () => {
  it('are made as the file says, shaped before their first packet, reach each other by name, live as events say, and are removed', async () => {
    expectSuccess(await up());
    expect((await status()).endpoints).toEqual(['client.0', 'client.1', 'server.0']);
    await until(async () => (await logOf('client.1')).includes('I am'), 'its application has begun', SOON_MS);
    // Its very first packet took as long as all others.
    const first = Number(/round-trip.* = ([\d.]+)/.exec(await logOf('client.1'))?.[1]);
    expect(first).toBeGreaterThan(80);
    expect(await logOf('client.1')).toContain('I am client.1 of eu');
    await until(async () => (await logOf('server')).includes('/tmp'), 'the server has begun', SOON_MS);
    expect(await logOf('server')).toBe('hello\n7\n/tmp\n');
    for (const server of ['server', 'server.0']) await expectShaped('client.0', server);
    await expectShaped('server', 'client.1');

    expect(inspect('client.0', '{{.HostConfig.NanoCpus}} {{.HostConfig.Memory}}')).toBe('500000000 67108864');
    expect((await exec('client.1', 'sh', '-c', 'hostname; exit 7')).code).toBe(7);
    expect((await exec('client.1', 'hostname')).out).toBe('client.1\n');
    expect(engine.docker('port', `${container('server.0')}.network`)).toMatch(/^80\/tcp -> 127.0.0.1:\d+$/);
    await until(
      () => inspect('server.0', '{{.State.Health.Status}}') === 'healthy',
      'it is healthy',
      SOON_MS,
    );
    const { processes } = await status();
    expect(processes['server.0']).toContain('ready');

    expectSuccess(await netfold('crash', 'client.0', '--name', name));
    await until(() => !isRunning('client.0'), 'a crash kills it', SOON_MS);
    expect(inspect('client.0', '{{.State.ExitCode}}')).toBe('137');
    expectSuccess(await netfold('join', 'client.0', '--name', name));
    await until(() => isRunning('client.0'), 'a join starts it', SOON_MS);
    await expectShaped('client.0', 'server');
    expectSuccess(await netfold('leave', 'server', '--name', name));
    await until(() => !isRunning('server.0'), 'a leave ends it', SOON_MS);
    expectSuccess(await netfold('join', 'server', '--name', name));
    await until(() => isRunning('server.0'), 'it is there again', SOON_MS);

    // By another than netfold: the service's policy holds, and its network has stayed.
    engine.docker('kill', container('client.1'));
    await until(
      async () => /started again 1 time/.test((await status()).processes['client.1'] ?? ''),
      'it is started again',
      SOON_MS,
    );
    await until(() => isRunning('client.1'), 'it runs again', SOON_MS);
    await expectShaped('client.1', 'server');

    expectSuccess(await netfold('down', name));
    const { out } = await netfold('records', 'show', name, '--json');
    const record = JSON.parse(out) as RecordSummary;
    const { images } = record.description;
    const kept = (path: string): string => readFileSync(join(record.folder, 'out', path), 'utf8');
    expect([kept('client.0/answer'), kept('client.1/answer'), kept('server.0/user')]).toEqual([
      '42\n',
      '42\n',
      '7\n',
    ]);
    const image = { name: IMAGE, id: engine.docker('inspect', '--format', '{{.Id}}', IMAGE), digests: [] };
    expect(images).toEqual({ 'client.0': image, 'client.1': image, 'server.0': image });
    expect(left()).toBe('');
    expect(sandboxNames(name)).toEqual([]);
    // The process behind `up --detach` sees the end as well, and looks whether anything is left.
    await until(() => processesOf(name).length === 0, 'its processes have ended', SOON_MS);
    expect(tracesOf(name).folder).toBe(false);
    expect(engine.docker('images', '--quiet', 'netfold-pause')).toBe('');
    // Logs of what has ended are kept.
    expect(await logOf('server')).toContain('hello');
  });

  it('follow the network of a container that is started again, and go on with the next controller and agent', async () => {
    expectSuccess(await up('--ip', 'both'));
    engine.docker('restart', '--time', '0', `${container('client.0')}.network`);
    await until(async () => (await roundTrip('client.0', 'server')) < 200, 'it is there again', SOON_MS);
    await expectShaped('client.0', 'server');
    const pid = inspect('client.1', '{{.State.Pid}}');
    killAll();
    expectSuccess(await netfold('resume', name, '--detach'));
    expect(inspect('client.1', '{{.State.Pid}}')).toBe(pid);
    await expectShaped('client.1', 'server');
    expectSuccess(await netfold('crash', 'client.1', '--name', name));
    await until(() => !isRunning('client.1'), 'the next agent ends what the first has started', SOON_MS);

    killAll();
    rmSync(join('/run/netfold', name), { recursive: true });
    expect((await netfold('ls')).out).toContain(name);
    expectSuccess(await netfold('down', name));
    expect(left()).toBe('');
    expect(sandboxNames(name)).toEqual([]);
  });
});
