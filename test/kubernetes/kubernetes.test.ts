/**
 * `netfold deploy --kubernetes` in a real cluster of two nodes: deployed, measured, kept so when pods, sandboxes and agents are
 * replaced, and taken away. Kubernetes is built the first time, which takes some ten minutes of a processor.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { within } from '../../agent/kernel/netns/namespaces.ts';
import { netfoldVersion } from '../../controller/machine/version.ts';
import { buildImage } from '../../deploy/image/build.ts';
import { RUNTIME_IMAGE } from '../support/docker/runtime-files.ts';
import { TestCluster } from '../support/kubernetes/cluster/cluster.ts';
import type { TestNode } from '../support/kubernetes/cluster/node.ts';
import { run, until } from '../support/lab/lab.ts';

const NETFOLD = join(import.meta.dirname, '../../bin/netfold');
const IN_IMAGE = '/usr/bin/netfold';
/** Round trips between client and server: 80 ms. */
const TOPOLOGY = `
services:
  client: { image: "${RUNTIME_IMAGE}", command: [sleep, "3600"], replicas: 2 }
  server: { image: "${RUNTIME_IMAGE}", command: [sleep, "3600"], environment: { PRICE: "5$(HOSTNAME)" } }
bridges: [s1]
links:
  - { from: client, to: s1, latency: 25ms, bandwidth: 20Mbps }
  - { from: server, to: s1, latency: 15ms }
`;
/** On a busy machine. */
const SOON_MS = 240_000;

/** Nothing of it is outside of the cluster. */
const name = `shop-${process.pid}`;

let cluster: TestCluster;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
  const tag = `netfold:${netfoldVersion()}`;
  const { image } = await buildImage({ out: join(folder, 'image'), tag, epoch: 1_700_000_000 });
  cluster = await TestCluster.start([image]);
}, 7_200_000);

afterAll(async () => {
  await cluster?.remove();
  rmSync(folder, { recursive: true, force: true });
}, 120_000);

interface Pod {
  readonly metadata: { readonly name: string; readonly uid: string };
  readonly spec: { readonly nodeName?: string };
  readonly status: { readonly phase: string; readonly podIP?: string };
}

async function podsOf(namespace: string): Promise<Pod[]> {
  const out = await cluster.kubectl('--namespace', namespace, 'get', 'pods', '--output', 'json');
  return (JSON.parse(out) as { items: Pod[] }).items;
}

async function podOf(pod: string): Promise<Pod> {
  const out = await cluster.kubectl('--namespace', name, 'get', 'pod', pod, '--output', 'json');
  return JSON.parse(out) as Pod;
}

const inPod = (pod: string, ...command: readonly string[]) =>
  cluster.tryKubectl('--namespace', name, 'exec', pod, '--', ...command);

/** Milliseconds, by the name of the service. */
async function roundTrip(from: string, to = 'server'): Promise<number> {
  const { out } = await inPod(from, 'ping', '-c', '5', '-i', '0.3', '-W', '1', to);
  return Number(/= [\d.]+\/([\d.]+)\//.exec(out)?.[1] ?? Number.POSITIVE_INFINITY);
}

const agents = (): Promise<Pod[]> => podsOf(`${name}-netfold`);

const inAgent = ({ metadata }: Pod, ...words: readonly string[]) =>
  cluster.tryKubectl('--namespace', `${name}-netfold`, 'exec', metadata.name, '--', IN_IMAGE, ...words);

interface Status {
  readonly state: string;
  readonly known: number;
  readonly endpoints: readonly string[];
  readonly degraded: readonly string[];
}

/** What the agents say; those that don't answer yet are left out. */
async function statuses(): Promise<Status[]> {
  const all: Status[] = [];
  for (const agent of await agents()) {
    const { out, code } = await inAgent(agent, 'status', name, '--json');
    if (code === 0) all.push(...(JSON.parse(out) as { agents: Status[] }).agents);
  }
  return all;
}

async function allShape(): Promise<boolean> {
  const all = await statuses();
  return (
    all.length === 2 &&
    all
      .flatMap(({ endpoints }) => endpoints)
      .sort()
      .join(' ') === 'client.0 client.1 server.0' &&
    all.every((one) => one.known === 3 && one.state === 'running' && one.degraded.length === 0)
  );
}

/** With what the agents say if it does not come to that. */
async function untilAllShape(what: string): Promise<void> {
  try {
    await until(allShape, what, SOON_MS);
  } catch (error) {
    const [says, pods] = [await statuses(), await cluster.kubectl('get', 'pods', '--all-namespaces')];
    const logs = await Promise.all(
      (await agents()).map(({ metadata }) =>
        cluster.tryKubectl('--namespace', `${name}-netfold`, 'logs', '--tail=30', metadata.name),
      ),
    );
    const words = [JSON.stringify(says), pods, ...logs.map(({ out, err }) => out + err)];
    throw new Error(`${(error as Error).message}\n${words.join('\n')}`, { cause: error });
  }
}

/** From each client to the server, longer than what was asked, and not by much. */
async function expectShaped(askedMs = 80): Promise<void> {
  for (const client of ['client-0', 'client-1']) {
    await until(async () => (await roundTrip(client)) >= askedMs, 'the path is shaped', SOON_MS);
    const measured = await roundTrip(client);
    say(`${client} to server: ${measured} ms, asked ${askedMs}`);
    expect(measured).toBeLessThan(askedMs + 120);
  }
}

const say = (text: string): void => {
  process.stderr.write(`kubernetes: ${text}\n`);
};

interface Network {
  readonly node: TestNode;
  readonly file: string;
}

/** Networks of pods that are there on any node, as this process finds them. */
async function networks(): Promise<Network[]> {
  const all = await Promise.all(
    cluster.nodes.map(async (node) =>
      (await node.podNetworks()).map((one) => ({ node, file: `/proc/${node.init}/root/run/netns/${one}` })),
    ),
  );
  return all.flat();
}

/** What tc shows; empty until there is an interface that is up. */
function queuesIn(file: string): string {
  try {
    return within(file, () =>
      readFileSync('/proc/thread-self/net/route', 'utf8').includes('eth0')
        ? execFileSync('tc', ['qdisc', 'show', 'dev', 'eth0'], { encoding: 'utf8' })
        : '',
    );
  } catch {
    return '';
  }
}

/** Milliseconds from the interface of a pod that is new to its being shaped. */
async function timeUntilShaped(replace: () => Promise<unknown>): Promise<number> {
  const before = new Set((await networks()).map(({ file }) => file));
  await replace();
  let fresh: Network | undefined;
  const isThere = async (): Promise<boolean> => {
    fresh = (await networks()).find(({ file }) => !before.has(file) && queuesIn(file) !== '');
    return fresh !== undefined;
  };
  await until(isThere, 'there is another network', SOON_MS);
  const start = performance.now();
  await until(() => queuesIn(fresh!.file).includes('htb 4e46:'), 'it is shaped', SOON_MS);
  return performance.now() - start;
}

it('manifests are deployed, shaped across the nodes, kept so whatever is replaced, and taken away', async () => {
  const file = join(folder, 'shop.yaml');
  writeFileSync(file, TOPOLOGY);
  const out = join(folder, 'manifests');
  const written = await run(NETFOLD, ['deploy', file, '--kubernetes', '--name', name, '-o', out]);
  expect(written).toMatchObject({ code: 0, err: '' });

  const start = performance.now();
  await cluster.kubectl('apply', '--kustomize', out);
  await untilAllShape('both nodes shape their pods');
  say(`${((performance.now() - start) / 1000).toFixed(1)} s from apply until all was in force`);
  const pods = await podsOf(name);
  expect(new Set(pods.map(({ spec }) => spec.nodeName)).size).toBe(2);
  await expectShaped();
  expect(await roundTrip('client-0', 'server-0.server')).toBeGreaterThanOrEqual(80);
  expect((await inPod('server-0', 'sh', '-c', 'echo $PRICE')).out).toBe('5$(HOSTNAME)\n');

  // Given by one node's agent, in force on both.
  const [first] = await agents();
  expect(await inAgent(first!, 'set', 'server--s1', 'latency=40ms')).toMatchObject({ code: 0 });
  await expectShaped(130);
  expect(await inAgent(first!, 'set', 'server--s1', 'latency=15ms')).toMatchObject({ code: 0 });
  await until(async () => (await roundTrip('client-0')) < 130, 'the link is as before', SOON_MS);

  const { metadata } = await podOf('client-1');
  const replaced = await timeUntilShaped(() =>
    cluster.kubectl('--namespace', name, 'delete', 'pod', 'client-1'),
  );
  say(`a replaced pod was shaped ${replaced.toFixed(0)} ms after its interface was there`);
  expect((await podOf('client-1')).metadata.uid).not.toBe(metadata.uid);
  await untilAllShape('the new pod is shaped');
  await expectShaped();

  await cluster.kubectl('--namespace', `${name}-netfold`, 'delete', 'pod', first!.metadata.name);
  await untilAllShape('another agent goes on');
  await expectShaped();

  await cluster.kubectl('delete', '--kustomize', out);
  const left = await cluster.kubectl('get', 'all,configmaps,secrets', '--all-namespaces', '--output', 'name');
  expect(left).not.toContain('netfold');
  const namespaces = await cluster.kubectl('get', 'namespaces', '--output', 'name');
  expect(namespaces).not.toContain(name);
  await until(async () => (await networks()).length === 0, 'no network of a pod is left', SOON_MS);
  for (const node of cluster.nodes) {
    expect((await node.ctr('containers', 'list', '--quiet')).out).toBe('');
    const { out: processes } = await node.inside('ps', '-e', '-o', 'args=');
    expect(processes).not.toContain('netfold node');
    expect((await node.inside('ls', '/run', '/run/netns')).out).not.toContain('netfold');
  }
}, 1_800_000);
