/** `netfold attach --engine cri` with a real runtime: pods that run already are shaped, followed, and given back. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { namespacePath } from '../../agent/kernel/netns/namespaces.ts';
import { agentStatus } from '../../controller/experiment/agents.ts';
import { sandboxNames } from '../../controller/platform/containers/sandbox.ts';
import { withRuntime } from '../../controller/platform/cri/open-runtime.ts';
import { type Pod, TestRuntime } from '../support/docker/runtime.ts';
import { experimentName, type Finished, run, until } from '../support/lab/lab.ts';
import { expectSuccess } from '../support/lab/succeeds.ts';
import { processesOf, tracesOf } from '../support/lab/traces.ts';

const NETFOLD = join(import.meta.dirname, '../../bin/netfold');
/** Round trips between web and db: 80 ms. */
const TOPOLOGY = `
services: { web: { replicas: 2 }, db: {} }
bridges: [s1]
links:
  - { from: web, to: s1, latency: 25ms, up: 20Mbps, down: 10Mbps }
  - { from: db, to: s1, latency: 15ms }
`;
const WEB = { labels: { app: 'web' } };
const SELECT = ['--select', 'web=label:app=web,namespace:shop', '--select', 'db=name:shop/db-*'];
/** Of a new sandbox, until it is shaped: less than half a second on a quiet machine. */
const SOON_MS = 20_000;
/** Of a start. */
const START_MS = 90_000;

let runtime: TestRuntime;
let folder: string;
let file: string;
let name: string;
let [first, second, db]: Pod[] = [];

const netfold = (...args: string[]): Promise<Finished> => run(NETFOLD, args, runtime.env);
const attach = (...more: string[]): Promise<Finished> =>
  netfold('attach', file, '--name', name, '--engine', 'cri', '--detach', ...more);
/** Where the runtime's own server for commands listens. */
const beside = (...args: string[]): Promise<Finished> =>
  run('nsenter', [`--net=${namespacePath(runtime.name)}`, NETFOLD, ...args], runtime.env);
const status = () => agentStatus(name, 'host0');

beforeAll(async () => {
  runtime = await TestRuntime.start();
  folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
  file = join(folder, 'pods.yaml');
  writeFileSync(file, TOPOLOGY);
  name = experimentName();
  [first, second, db] = await Promise.all([
    runtime.run('shop', 'web-0', WEB),
    runtime.run('shop', 'web-1', WEB),
    runtime.run('shop', 'db-0'),
    runtime.run('other', 'web-0', WEB),
    runtime.run('shop', 'on-host', { onHost: true }),
  ]);
  await runtime.runContainer(first!, 'main', ['sh', '-c', 'echo I am web-0; exec sleep 3600']);
  await runtime.runContainer(db!, 'main', ['sleep', '3600'], { isLogged: false });
});

afterAll(async () => {
  runtime.release();
  await netfold('down', name);
  await runtime.remove();
  rmSync(folder, { recursive: true });
});

async function roundTrip(from: Pod): Promise<number> {
  const address = await runtime.addressOf(db!);
  const { out } = await runtime.inNetworkOf(from, 'ping', '-c', '3', '-i', '0.2', '-W', '1', address);
  return Number(/= [\d.]+\/([\d.]+)\//.exec(out)?.[1] ?? Number.POSITIVE_INFINITY);
}

async function expectShaped(from: Pod): Promise<void> {
  const meanMs = await roundTrip(from);
  expect(meanMs).toBeGreaterThan(80);
  // Three pings on a machine that may be busy; without shaping it is less than a millisecond.
  expect(meanMs).toBeLessThan(200);
}

const isShaped = async (pod: Pod): Promise<boolean> =>
  (await runtime.inNetworkOf(pod, 'tc', 'qdisc', 'show')).out.includes('htb 4e46:');

it.each<[what: string, words: readonly string[], code: number, said: string]>([
  [
    'a pod on the network of its host',
    ['web=label:app=web,namespace:shop', 'db=name:on-host'],
    1,
    "the pod shop/on-host has the machine's own network (hostNetwork: true)",
  ],
  [
    'pods of other namespaces, too',
    ['web=label:app=web', 'db=name:db-0'],
    1,
    'finds 3 pods (other/web-0 shop/web-0 shop/web-1)',
  ],
  ['a project of Compose', ['web=compose:shop/web', 'db=name:db-0'], 2, 'pods are of no project of Compose'],
])('%s: refused', async (_, select, code, said) => {
  const refused = await attach(...select.flatMap((one) => ['--select', one]));
  expect(refused.err).toContain(said);
  expect(refused.code).toBe(code);
  expect(sandboxNames(name)).toEqual([]);
  expect(tracesOf(name)).toMatchObject({ folder: false, processes: [] });
});

it.each([
  'containerd/containerd.sock',
  'crio/crio.sock',
  'k3s/containerd/containerd.sock',
  'k0s/containerd.sock',
])('a runtime is found where %s is looked for', async (path) => {
  const machine = mkdtempSync(join(folder, 'run-'));
  const socket = join(machine, path);
  mkdirSync(dirname(socket), { recursive: true });
  symlinkSync(runtime.socket, socket);
  vi.stubEnv('CONTAINER_RUNTIME_ENDPOINT', undefined);
  vi.stubEnv('NETFOLD_RUN', machine);
  try {
    const found = await withRuntime(undefined, async (one, at) => [at, await one.version()]);
    expect(found).toEqual([socket, expect.stringMatching(/^containerd /)]);
  } finally {
    vi.unstubAllEnvs();
  }
});

it('pods in which all has ended are known from those in which something runs, or has not begun', async () => {
  await runtime.runContainer(second!, 'once', ['echo', 'over']);
  const other = (await runtime.client.list()).find((one) => one.name === 'other/web-0');
  const ids = [first!.id, second!.id, other!.id];
  const ended = async (): Promise<string[]> => [...(await runtime.client.ended(ids))];
  await until(async () => (await ended()).length > 0, 'one has ended', SOON_MS);
  expect(await ended()).toEqual([second!.id]);
});

it('pods are shaped where the runtime says they are, used, followed when they are replaced, and given back', async () => {
  const before = await runtime.inNetworkOf(first!, 'tc', 'qdisc', 'show');
  expectSuccess(await attach(...SELECT));
  expect((await status()).endpoints).toEqual(['db.0', 'web.0', 'web.1']);
  await expectShaped(first!);
  await expectShaped(second!);

  const script = 'hostname; echo $FROM_IMAGE; exit 7';
  const executed = await beside('exec', 'web.0', '--name', name, '--', 'sh', '-c', script);
  expect(executed).toMatchObject({ code: 7, out: 'web-0\nyes\n' });
  expect(await beside('exec', 'web.0', '--name', name, '--', 'nosuch')).toMatchObject({ code: 127 });
  expect((await netfold('logs', 'web.0', '--name', name)).out).toBe('I am web-0\n');
  await isRefusedInside();
  const crash = await netfold('crash', 'web.0', '--name', name);
  expect(crash.err).toContain('crash is not possible here');

  await runtime.removePod(second!);
  await until(async () => !(await status()).endpoints.includes('web.1'), 'its sandbox is gone', SOON_MS);
  await until(
    async () => (await status()).degraded.some((why) => why.includes('web.1 is not there')),
    'status names it',
    SOON_MS,
  );
  await isShapedBeforeItRuns();
  await until(async () => (await status()).degraded.length === 0, 'nothing is degraded', SOON_MS);
  await expectShaped(second);

  // A runtime that hangs, and one that is started again.
  const says = (what: string) => async (): Promise<boolean> =>
    (await status()).degraded.some((why) => why.includes(what));
  const isWell = async (): Promise<boolean> => (await status()).degraded.length === 0;
  process.kill(runtime.daemonPid, 'SIGSTOP');
  await until(says('does not answer within'), 'status says that the runtime hangs', SOON_MS);
  process.kill(runtime.daemonPid, 'SIGCONT');
  await until(isWell, 'it answers again', SOON_MS);
  await runtime.stopDaemon();
  await until(says('no container runtime answers at'), 'status says that it is gone', SOON_MS);
  expect((await status()).endpoints).toHaveLength(3);
  await runtime.startDaemon();
  await until(isWell, 'it is there again', SOON_MS);
  await expectShaped(second);

  expectSuccess(await netfold('down', name));
  expect(await runtime.inNetworkOf(first!, 'tc', 'qdisc', 'show')).toEqual(before);
  expect(sandboxNames(name)).toEqual([]);
  // The process behind `attach --detach` sees the end as well, and looks whether anything is left.
  await until(() => processesOf(name).length === 0, 'its processes have ended', SOON_MS);
  expect(tracesOf(name).folder).toBe(false);
  expect(await roundTrip(first!)).toBeLessThan(40);
}, 300_000);

/** The runtime has made the network of the next web-1, and nothing else: CRI does not have the sandbox, and nothing runs in it. */
async function isShapedBeforeItRuns(): Promise<void> {
  const isThere = async (): Promise<boolean> => (await status()).endpoints.includes('web.1');
  const begin = async (attempt: number): Promise<{ made: Promise<Pod> }> => {
    runtime.hold();
    const made = runtime.run('shop', 'web-1', { ...WEB, attempt });
    made.catch(() => {});
    await until(isThere, 'it is shaped before it runs', SOON_MS);
    expect((await runtime.client.list()).filter((one) => one.name === 'shop/web-1')).toEqual([]);
    return { made };
  };
  const failing = await begin(1);
  runtime.release({ fails: true });
  await expect(failing.made).rejects.toThrow();
  await until(async () => !(await isThere()), 'it is no endpoint after all', SOON_MS);
  await until(() => sandboxNames(name).length === 2, 'nothing keeps its network', SOON_MS);

  const coming = await begin(2);
  const names = sandboxNames(name);
  runtime.release();
  second = await coming.made;
  expect(await isShaped(second)).toBe(true);
  await until(async () => (await status()).degraded.length === 0, 'nothing is degraded', SOON_MS);
  expect(sandboxNames(name)).toEqual(names);
}

/** What can't be done in a pod, or in this one. */
async function isRefusedInside(): Promise<void> {
  const inside = (...words: string[]) => beside(...words, '--name', name, '--', 'true');
  const refusals: [Promise<Finished>, string][] = [
    [inside('exec', 'web.0', '--user', '7'), '--user is not possible'],
    [inside('exec', 'web.0', '--privileged'), '--privileged is not possible'],
    [inside('exec', 'web.1'), 'no container runs in the pod of web.1'],
    [netfold('logs', 'db.0', '--name', name), 'the output of the container main is kept nowhere'],
  ];
  for (const [refused, said] of refusals) {
    const { code, err } = await refused;
    expect(err).toContain(said);
    expect(code).toBe(3);
  }
}

it('on a machine of a cluster, pods are endpoints by their numbers, and the key of all machines gives commands', async () => {
  const keys = mkdtempSync(join(folder, 'keys-'));
  const [mesh, user] = [join(keys, 'mesh.key'), join(keys, 'user.key')];
  expectSuccess(await netfold('mesh', 'key', mesh));
  expectSuccess(await netfold('mesh', 'user', user));
  const cluster = join(keys, 'cluster.yaml');
  writeFileSync(cluster, TOPOLOGY);
  const words = [
    ...['node', cluster, '--name', name, '--engine', 'cri', '--find', 'localhost:4699', '--host', 'host0'],
    ...['--listen', '127.0.0.1:4699', '--mesh-key', mesh, '--user-key', user, ...SELECT],
  ];
  const node = spawn(NETFOLD, words, { env: runtime.env, stdio: 'ignore' });
  const ended = new Promise((resolve) => node.once('exit', resolve));
  try {
    const isRunning = async (): Promise<boolean> => {
      const { state, endpoints } = await status();
      return state === 'running' && endpoints.length === 3;
    };
    await until(() => isRunning().catch(() => false), 'all pods are endpoints', START_MS);
    await until(async () => (await roundTrip(second!)) > 80, 'it is shaped', SOON_MS);
    const set = await netfold('set', 'db--s1', 'latency=40ms', '--name', name, '--key', user);
    expect(set).toMatchObject({ code: 0 });
    await until(async () => (await roundTrip(first!)) > 130, 'the command is in force', SOON_MS);
    await isRefusedBeside([mesh, user, cluster], async () => node.kill('SIGTERM'));
  } finally {
    node.kill('SIGTERM');
    expect(await ended).toBe(0);
  }
  expect(sandboxNames(name)).toEqual([]);
  expect(await isShaped(first!)).toBe(false);
}, 300_000);

/** As in a container, where it has a /run of its own: another experiment does not take the same pods, until this one has ended. */
async function isRefusedBeside(
  [mesh, user, cluster]: readonly string[],
  end: () => Promise<unknown>,
): Promise<void> {
  const other = `${name}x`;
  const words = [
    ...['node', cluster!, '--name', other, '--engine', 'cri', '--find', 'localhost:4698', '--host', 'host0'],
    ...['--listen', '127.0.0.1:4698', '--mesh-key', mesh!, '--user-key', user!, ...SELECT],
  ];
  const script = 'mount -t tmpfs tmpfs /run && mkdir /run/netns && exec "$@"';
  const contained = ['--mount', 'sh', '-c', script, 'sh', NETFOLD, ...words];
  const node = spawn('unshare', contained, { env: runtime.env, stdio: 'ignore' });
  const ended = new Promise((resolve) => node.once('exit', resolve));
  const says = async (): Promise<{ endpoints?: string[]; degraded?: string[] } | undefined> => {
    const { out, code } = await run('nsenter', [
      `--target=${node.pid}`,
      '--mount',
      NETFOLD,
      'status',
      other,
      '--json',
    ]);
    return code === 0 ? JSON.parse(out).agents[0] : undefined;
  };
  try {
    const why = `web.0 is not shaped: the pod shop/web-0 is web.0 of the experiment ${name}`;
    await until(async () => (await says())?.degraded?.includes(why) === true, 'it says why', START_MS);
    expect((await says())!.endpoints).toEqual([]);
    expect(await roundTrip(first!)).toBeGreaterThan(130);
    await end();
    await until(async () => (await says())?.endpoints?.length === 3, 'it takes what is free', SOON_MS);
  } finally {
    node.kill('SIGTERM');
    await ended;
  }
}
