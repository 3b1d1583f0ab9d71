/** `netfold attach` with a real engine: containers that run already are shaped, followed through their lives, and given back. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { agentStatus } from '../../controller/experiment/agents.ts';
import type { ExperimentVerdict } from '../../controller/fidelity/verdict.ts';
import { sandboxNames } from '../../controller/platform/containers/sandbox.ts';
import { TestEngine } from '../support/docker/engine.ts';
import { killIfThere } from '../support/kernel/kill.ts';
import { experimentName, type Finished, run, until } from '../support/lab/lab.ts';
import { expectSuccess } from '../support/lab/succeeds.ts';
import { processesOf, tracesOf } from '../support/lab/traces.ts';

const NETFOLD = join(import.meta.dirname, '../../bin/netfold');
/** Round trips: client.0 and client.1 to server 80 ms. */
const TOPOLOGY = `
services: { client: { replicas: 2 }, server: {} }
bridges: [s1]
links:
  - { from: client, to: s1, latency: 25ms, up: 20Mbps, down: 10Mbps }
  - { from: server, to: s1, latency: 15ms }
`;
const SELECT = ['--select', 'client=label:app=web', '--select', 'server=name:db*'];
/** Of a new life, until it is shaped: a tenth of a second on a quiet machine. */
const SOON_MS = 20_000;

let engine: TestEngine;
let folder: string;
let file: string;
let name: string;

const netfold = (...args: string[]): Promise<Finished> => run(NETFOLD, args, engine.env);
const attach = (...more: string[]): Promise<Finished> =>
  netfold('attach', file, '--name', name, '--engine', 'docker', '--detach', ...SELECT, ...more);
const status = () => agentStatus(name, 'host0');

beforeAll(async () => {
  engine = await TestEngine.start();
  const pool = ['--subnet', '10.77.0.0/24', '--ipv6', '--subnet', 'fd77::/64'];
  engine.docker('network', 'create', ...pool, 'net');
  engine.docker('network', 'create', '--subnet', '10.78.0.0/24', 'other');
  folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
  file = join(folder, 'attach.yaml');
  writeFileSync(file, TOPOLOGY);
});

afterAll(async () => {
  await engine.remove();
  rmSync(folder, { recursive: true });
});

beforeEach(() => {
  name = experimentName();
  for (const number of [1, 2]) engine.run(`web-${number}`, '--network', 'net', '--label', 'app=web');
  engine.run('db-main', '--network', 'net');
  engine.docker('network', 'connect', 'other', 'db-main');
});

afterEach(async () => {
  await netfold('down', name);
  const left = engine.docker('ps', '--all', '--quiet').split('\n');
  engine.docker('rm', '--force', ...left);
});

/** The mean round trip between two containers, in milliseconds, as busybox measures it; infinite: nothing came back. */
async function roundTrip(from: string, address: string): Promise<number> {
  const { out } = await run(
    'docker',
    ['exec', from, 'ping', '-c', '3', '-i', '0.2', '-W', '1', address],
    engine.env,
  );
  return Number(/= [\d.]+\/([\d.]+)\//.exec(out)?.[1] ?? Number.POSITIVE_INFINITY);
}

async function expectShaped(from: string, address: string): Promise<void> {
  const meanMs = await roundTrip(from, address);
  expect(meanMs).toBeGreaterThan(80);
  // Three pings on a machine that may be busy; without shaping it is less than a millisecond.
  expect(meanMs).toBeLessThan(200);
}

const says = (what: string) => async (): Promise<boolean> =>
  (await status()).degraded.some((why) => why.includes(what));

/** What serves the agent: `netfold attach --detach` has left it. */
const controllersOf = (experiment: string): number[] =>
  processesOf(experiment).filter((pid) => {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return words.includes('attach') && !words.includes('--detach');
  });

const isShaped = async (container: string): Promise<boolean> =>
  (await engine.inNetworkOf(container, 'tc', 'qdisc', 'show')).out.includes('htb 4e46:');

async function comesBack(container: string, endpoint: string, what: string): Promise<void> {
  await until(
    async () => (await status()).endpoints.includes(endpoint) && (await isShaped(container)),
    what,
    SOON_MS,
  );
  await until(async () => (await status()).degraded.length === 0, 'nothing is degraded', SOON_MS);
}

describe('containers that run already', () => {
  it('are shaped on the network that is meant, used as endpoints, and given back running', async () => {
    const before = await engine.inNetworkOf('web-1', 'tc', 'qdisc', 'show');
    const pids = ['web-1', 'web-2', 'db-main'].map((one) => engine.pidOf(one));
    expectSuccess(await attach('--network', 'net'));
    const db = engine.addressOf('db-main', 'net');
    await expectShaped('web-1', db);
    await expectShaped('web-2', engine.addressOf('db-main', 'net', 'GlobalIPv6Address'));
    expect((await status()).endpoints).toEqual(['client.0', 'client.1', 'server.0']);

    const { out, code } = await netfold(
      'exec',
      'client.0',
      '--name',
      name,
      '--',
      'sh',
      '-c',
      'hostname; echo $NETFOLD_NODE; exit 7',
    );
    expect(out).toBe(`${engine.docker('inspect', '--format', '{{.Config.Hostname}}', 'web-1')}\nclient.0\n`);
    expect(code).toBe(7);
    const logs = await netfold('logs', 'client', '--name', name);
    expect(logs.out).toBe('client.0 | I am web-1\nclient.1 | I am web-2\n');

    const second = await netfold(
      'attach',
      file,
      '--name',
      `${name}x`,
      '--engine',
      'docker',
      '--network',
      'net',
      ...SELECT,
    );
    expect(second).toMatchObject({ code: 1 });
    expect(second.err).toContain(`the container web-1 is client.0 of the experiment ${name}`);
    const crash = await netfold('crash', 'client.0', '--name', name);
    expect(crash.code).toBe(1);
    expect(crash.err).toContain('crash is not possible here');
    expectSuccess(await netfold('disconnect', 'client.0', '--name', name));
    await until(
      async () => (await roundTrip('web-1', db)) === Number.POSITIVE_INFINITY,
      'it is cut off',
      SOON_MS,
    );
    expectSuccess(await netfold('reconnect', 'client.0', '--name', name));
    await until(async () => (await roundTrip('web-1', db)) < 200, 'it is back', SOON_MS);

    expectSuccess(await netfold('down', name));
    expect(await engine.inNetworkOf('web-1', 'tc', 'qdisc', 'show')).toEqual(before);
    const tables = await engine.inNetworkOf('web-1', 'nft', 'list', 'tables');
    expect(tables.out).not.toContain('netfold');
    expect(['web-1', 'web-2', 'db-main'].map((one) => engine.pidOf(one))).toEqual(pids);
    expect(sandboxNames(name)).toEqual([]);
    // The process behind `attach --detach` sees the end as well, and looks whether anything is left.
    await until(() => processesOf(name).length === 0, 'its processes have ended', SOON_MS);
    expect(tracesOf(name).folder).toBe(false);
    expect(await roundTrip('web-1', db)).toBeLessThan(40);
  });

  it('are followed: one is started again, one stops, one is replaced; and the engine hangs, and is started again', async () => {
    const hosts = (container: string): string => engine.docker('exec', container, 'cat', '/etc/hosts');
    const before = hosts('web-2');
    expectSuccess(await attach('--network', '10.77.0.0/16', '--names'));
    const db = engine.addressOf('db-main', 'net');
    await until(() => hosts('web-2').includes(`${db}\tserver.0 server\n`), 'names resolve', SOON_MS);
    expect(await roundTrip('web-2', 'server')).toBeGreaterThan(80);
    expect(hosts('web-2').startsWith(before)).toBe(true);
    engine.docker('restart', '--time', '0', 'web-1');
    await comesBack('web-1', 'client.0', 'the container that was started again is shaped');
    await expectShaped('web-1', db);

    engine.docker('kill', 'web-2');
    await until(
      async () => !(await status()).endpoints.includes('client.1'),
      'the one that ended is no endpoint',
      SOON_MS,
    );
    await until(says('its container web-2 does not run (exited)'), 'status names it', SOON_MS);
    const isNamed = async (): Promise<boolean> => {
      const { causes } = JSON.parse((await netfold('verdict', name, '--json')).out) as ExperimentVerdict;
      return causes.some(
        ({ code, host, path, until: end, message }) =>
          code === 'PLACE_WRONG' &&
          host === 'host0' &&
          path === null &&
          end === null &&
          message.includes('web-2'),
      );
    };
    await until(isNamed, 'the verdict names it', SOON_MS);
    expect(await isShaped('web-1')).toBe(true);
    engine.docker('rm', '--force', 'web-2');
    engine.run('web-3', '--network', 'net', '--label', 'app=web');
    await comesBack('web-3', 'client.1', 'another that is selected takes its place');
    await expectShaped('web-3', db);
    expect(sandboxNames(name)).toHaveLength(3);

    // Nothing is asked of the engine until it goes on.
    process.kill(engine.daemonPid, 'SIGSTOP');
    await until(says('does not answer within'), 'status says that the engine hangs', 30_000);
    process.kill(engine.daemonPid, 'SIGCONT');
    await until(async () => (await status()).degraded.length === 0, 'it answers again', 30_000);

    await engine.stopDaemon();
    await until(says('no engine answers at'), 'status says that the engine is gone', SOON_MS);
    expect((await status()).endpoints).toHaveLength(3);
    await engine.startDaemon();
    await until(async () => (await status()).degraded.length === 0, 'it is there again', SOON_MS);
    engine.docker('restart', '--time', '0', 'db-main');
    await comesBack('db-main', 'server.0', 'its news arrive again');
    const again = engine.addressOf('db-main', 'net');
    await expectShaped('web-1', again);
    for (const container of ['web-1', 'web-3', 'db-main'])
      await until(() => hosts(container).includes(`${again}\tserver.0 `), 'names follow', SOON_MS);
    expectSuccess(await netfold('down', name));
    expect(hosts('web-3')).not.toContain('netfold');
  });

  it('of a Compose project are attached and detached in the middle of traffic, and lose no more than a round trip of it', async () => {
    const labels = (service: string, number: number): string[] => [
      ...['--label', 'com.docker.compose.project=shop', '--label', `com.docker.compose.service=${service}`],
      ...['--label', `com.docker.compose.container-number=${number}`],
    ];
    for (const number of [1, 2])
      engine.run(`shop-web-${number}`, '--network', 'net', ...labels('web', number));
    engine.run('shop-db-1', '--network', 'net', ...labels('db', 1));
    const db = engine.addressOf('shop-db-1', 'net');
    const inside = [`--net=/proc/${engine.pidOf('shop-web-2')}/ns/net`, 'ping', '-q', '-i', '0.02', db];
    const pinging = spawn('nsenter', inside, { stdio: ['ignore', 'pipe', 'ignore'] });
    let summary = '';
    pinging.stdout.on('data', (text: Buffer) => {
      summary += text.toString();
    });
    const over = new Promise((resolve) => pinging.once('close', resolve));
    try {
      const select = ['--select', 'client=compose:shop/web', '--select', 'server=compose:shop/db'];
      const words = ['attach', file, '--name', name, '--engine', 'docker', '--detach', ...select];
      expectSuccess(await netfold(...words));
      await expectShaped('shop-web-1', db);
      expectSuccess(await netfold('down', name));
    } finally {
      pinging.kill('SIGINT');
      await over;
    }
    const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(summary)!.map(Number);
    expect(sent).toBeGreaterThan(50);
    // 80 ms are four packets; the last may be under way, and a busy machine sends some at once.
    expect(sent! - received!).toBeLessThanOrEqual(6);
  });

  it('are refused by name where their packets pass the rule by', async () => {
    const db = engine.addressOf('db-main', 'net');
    engine.docker('network', 'connect', 'other', 'web-2');
    await engine.inNetworkOf('web-2', 'ip', 'route', 'add', `${db}/32`, 'dev', 'eth1');
    const { code, err } = await attach('--network', 'net');
    expect(code).toBeGreaterThan(0);
    expect(err).toContain(
      `client.1 would not be shaped: on the way to server.0, the route to ${db} begins at 10.78.0.`,
    );
    expect(await isShaped('web-1')).toBe(false);
    expect(sandboxNames(name)).toEqual([]);
  });

  it('are followed by the next controller, when the first was killed', async () => {
    expectSuccess(await attach('--network', 'net'));
    for (const pid of controllersOf(name)) killIfThere(pid);
    engine.docker('restart', '--time', '0', 'web-2');
    expectSuccess(await netfold('resume', name, '--detach'));
    await comesBack('web-2', 'client.1', 'what happened meanwhile is made good');
    await expectShaped('web-2', engine.addressOf('db-main', 'net'));
  });
});
