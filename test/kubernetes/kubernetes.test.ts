/**
 * `netfold deploy --kubernetes` in a real cluster of two nodes: deployed, measured, kept so when pods, sandboxes and agents are
 * replaced, and taken away. Kubernetes is built the first time, which takes some ten minutes of a processor.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { netfoldVersion } from '../../controller/machine/version.ts';
import { buildImage } from '../../deploy/image/build.ts';
import { RUNTIME_IMAGE } from '../support/docker/runtime-files.ts';
import { TestCluster } from '../support/kubernetes/cluster/cluster.ts';
import { Deployed, type Pod, SOON_MS } from '../support/kubernetes/cluster/deployed.ts';
import {
  isShaped,
  podNetworks,
  type ShapedAfter,
  timeUntilShaped,
} from '../support/kubernetes/cluster/pod-networks.ts';
import { run, until } from '../support/lab/lab.ts';

const NETFOLD = join(import.meta.dirname, '../../bin/netfold');
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
const ENDPOINTS = ['client.0', 'client.1', 'server.0'];

/** Nothing of it is outside of the cluster. */
const name = `shop-${process.pid}`;

let cluster: TestCluster;
let folder: string;
/** What was measured; said again at the end, in one place. */
const measurements: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
  const tag = `netfold:${netfoldVersion()}`;
  const { image } = await buildImage({ out: join(folder, 'image'), tag, epoch: 1_700_000_000 });
  cluster = await TestCluster.start([image]);
}, 7_200_000);

afterAll(async () => {
  await cluster?.remove();
  rmSync(folder, { recursive: true, force: true });
  process.stderr.write(`kubernetes, all that was measured:\n${measurements.join('\n')}\n`);
}, 120_000);

function say(text: string): void {
  measurements.push(text);
  process.stderr.write(`kubernetes: ${text}\n`);
}

const sayShaped = (what: string, { interfaceMs, readyMs }: ShapedAfter): void =>
  say(
    `${what} was shaped ${interfaceMs.toFixed(0)} ms after its interface was there, ${readyMs.toFixed(0)} ms after its runtime said that it is ready`,
  );

/** Writes manifests and applies them; returns their folder. */
async function deploy(experiment: string, ...more: readonly string[]): Promise<string> {
  const file = join(folder, `${experiment}.yaml`);
  writeFileSync(file, TOPOLOGY);
  const out = join(folder, `${experiment}-manifests`);
  const words = ['deploy', file, '--kubernetes', '--name', experiment, '-o', out, ...more];
  expect(await run(NETFOLD, words)).toMatchObject({ code: 0, err: '' });
  await cluster.kubectl('apply', '--kustomize', out);
  return out;
}

/** From each client to the server, longer than what was asked, and not by much. */
async function expectShaped(
  deployed: Deployed,
  clients: readonly string[],
  { askedMs = 80, to = 'server' } = {},
): Promise<void> {
  for (const client of clients) {
    const measure = () => deployed.roundTrip(client, to);
    await until(async () => (await measure()) >= askedMs, 'the path is shaped', SOON_MS);
    const measured = await measure();
    say(`${client} to ${to}: ${measured} ms, asked ${askedMs}`);
    expect(measured).toBeLessThan(askedMs + 120);
  }
}

/** Kills what holds the network of a pod, of which the kubelet then makes another one for the same pod. */
async function killSandbox({ metadata, spec }: Pod): Promise<void> {
  const node = cluster.nodes.find((one) => one.name === spec.nodeName)!;
  const labels = { 'io.kubernetes.pod.uid': metadata.uid, 'io.cri-containerd.kind': 'sandbox' };
  const filter = Object.entries(labels).map(([label, value]) => `labels."${label}"==${value}`);
  const { out } = await node.ctr('containers', 'list', '--quiet', filter.join(','));
  const killed = await node.ctr('tasks', 'kill', '--signal', 'SIGKILL', out.trim());
  expect(killed).toMatchObject({ code: 0 });
}

/** No object, process or file of netfold in the API and on the nodes; pods that were there before may be. */
async function expectNothingLeft(experiment: string): Promise<void> {
  const left = await cluster.kubectl('get', 'all,configmaps,secrets', '--all-namespaces', '--output', 'name');
  expect(left).not.toContain('netfold');
  const namespaces = await cluster.kubectl('get', 'namespaces', '--output', 'name');
  expect(namespaces).not.toContain(experiment);
  for (const node of cluster.nodes) {
    const { out: processes } = await node.inside('ps', '-e', '-o', 'args=');
    expect(processes).not.toContain('netfold node');
    expect((await node.inside('ls', '/run', '/run/netns')).out).not.toContain('netfold');
  }
}

it('manifests are deployed, shaped across the nodes, kept so whatever is replaced, and taken away', async () => {
  const deployed = new Deployed({ cluster, name, namespace: name, endpoints: ENDPOINTS });
  const clients = ['client-0', 'client-1'];
  const start = performance.now();
  const out = await deploy(name);
  await deployed.untilAllShape('both nodes shape their pods');
  say(`${((performance.now() - start) / 1000).toFixed(1)} s from deploy until all was in force`);
  const pods = await deployed.pods();
  expect(new Set(pods.map(({ spec }) => spec.nodeName)).size).toBe(2);
  await expectShaped(deployed, clients);
  expect(await deployed.roundTrip('client-0', 'server-0.server')).toBeGreaterThanOrEqual(80);
  expect((await deployed.inPod('server-0', 'sh', '-c', 'echo $PRICE')).out).toBe('5$(HOSTNAME)\n');

  // Given by one node's agent, in force on both.
  const [first] = await deployed.agents();
  expect(await deployed.inAgent(first!, 'set', 'server--s1', 'latency=40ms')).toMatchObject({ code: 0 });
  await expectShaped(deployed, clients, { askedMs: 130 });
  expect(await deployed.inAgent(first!, 'set', 'server--s1', 'latency=15ms')).toMatchObject({ code: 0 });
  const isAsBefore = async () => (await deployed.roundTrip('client-0', 'server')) < 130;
  await until(isAsBefore, 'the link is as before', SOON_MS);

  const { metadata } = await deployed.pod('client-1');
  const replaced = await timeUntilShaped(cluster, () => deployed.kubectl('delete', 'pod', 'client-1'));
  sayShaped('a replaced pod', replaced);
  expect((await deployed.pod('client-1')).metadata.uid).not.toBe(metadata.uid);
  await deployed.untilAllShape('the new pod is shaped');
  await expectShaped(deployed, clients);

  const before = await deployed.pod('client-0');
  const again = await timeUntilShaped(cluster, () => killSandbox(before));
  sayShaped('a pod whose sandbox was killed', again);
  await deployed.untilAllShape('the new sandbox is shaped');
  await expectShaped(deployed, clients);
  const after = await deployed.pod('client-0');
  expect(after.metadata.uid).toBe(before.metadata.uid);
  expect(after.status.podIP).not.toBe(before.status.podIP);

  await deployed
    .agents()
    .then(([agent]) =>
      cluster.kubectl('--namespace', `${name}-netfold`, 'delete', 'pod', agent!.metadata.name),
    );
  await deployed.untilAllShape('another agent goes on');
  await expectShaped(deployed, clients);

  await cluster.kubectl('delete', '--kustomize', out);
  await until(async () => (await podNetworks(cluster)).length === 0, 'no network of a pod is left', SOON_MS);
  await expectNothingLeft(name);
  for (const node of cluster.nodes) expect((await node.ctr('containers', 'list', '--quiet')).out).toBe('');
}, 1_800_000);

const placeOf = ({ metadata, spec, status }: Pod) => [
  metadata.uid,
  spec.nodeName,
  status.phase,
  status.podIP,
];

/** As most servers do, and the first process of a container does not by itself. */
const ENDS_WHEN_ASKED = 'trap "exit 0" TERM; sleep 3600 & wait';

/** A Deployment of somebody else: its pods have random names, and are on as many nodes as there are. */
function deploymentOf(app: string, replicas: number): object {
  const labels = { app };
  return {
    ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: app } },
    spec: {
      ...{ replicas, selector: { matchLabels: labels } },
      template: {
        metadata: { labels },
        spec: {
          containers: [{ name: 'main', image: RUNTIME_IMAGE, command: ['sh', '-c', ENDS_WHEN_ASKED] }],
          topologySpreadConstraints: [
            {
              ...{ maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule' },
              labelSelector: { matchLabels: labels },
            },
          ],
        },
      },
    },
  };
}

it('pods of Deployments that are there already are shaped, followed, and left as they were', async () => {
  const [own, experiment] = [`own-${process.pid}`, `select-${process.pid}`];
  const deployed = new Deployed({ cluster, name: experiment, namespace: own, endpoints: ENDPOINTS });
  await cluster.kubectl('create', 'namespace', own);
  for (const one of [deploymentOf('web', 2), deploymentOf('db', 1)]) {
    const file = join(folder, 'deployment.json');
    writeFileSync(file, JSON.stringify(one));
    await deployed.kubectl('apply', '--filename', file);
  }
  for (const app of ['web', 'db']) await deployed.kubectl('rollout', 'status', `deployment/${app}`);
  const namesOf = async (): Promise<string[]> =>
    (await deployed.pods('app=web')).map(({ metadata }) => metadata.name);
  const [db] = await deployed.pods('app=db');
  const to = db!.status.podIP!;
  const webs = await namesOf();
  for (const web of webs) expect(await deployed.roundTrip(web, to)).toBeLessThan(40);

  const out = await deploy(
    experiment,
    ...['--select', `client=app=web,namespace=${own}`, '--select', `server=app=db,namespace=${own}`],
  );
  await deployed.untilAllShape('the pods that are there are shaped');
  expect(
    (await deployed.statuses()).map(({ endpoints }) => endpoints.some((one) => one.startsWith('client'))),
  ).toEqual([true, true]);
  await expectShaped(deployed, webs, { to });

  const replaced = await timeUntilShaped(cluster, () => deployed.kubectl('delete', 'pod', webs[0]!));
  sayShaped('a replaced pod of a Deployment, whose predecessor ended when it was asked to,', replaced);
  await deployed.untilAllShape('the pod in its place is shaped');
  const now = await namesOf();
  expect(now).not.toContain(webs[0]);
  await expectShaped(deployed, now, { to });

  const before = await deployed.pods();
  const killed = await timeUntilShaped(cluster, () => killSandbox(before[0]!));
  sayShaped('a pod of a Deployment whose sandbox was killed', killed);
  await deployed.untilAllShape('the new sandbox is shaped');

  const running = (await deployed.pods()).map(placeOf);
  await cluster.kubectl('delete', '--kustomize', out);
  const networks = await podNetworks(cluster);
  expect(networks).toHaveLength(3);
  await until(() => !networks.some(isShaped), 'nothing is shaped any more', SOON_MS);
  const [address] = (await deployed.pods('app=db')).map(({ status }) => status.podIP!);
  for (const web of await namesOf()) expect(await deployed.roundTrip(web, address!)).toBeLessThan(40);
  expect((await deployed.pods()).map(placeOf)).toEqual(running);
  await expectNothingLeft(experiment);
  await cluster.kubectl('delete', 'namespace', own);
}, 1_800_000);
