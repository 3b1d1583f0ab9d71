/** Real agents on three hosts, and processes that try to disturb them: without the key, without leave, with lies. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { agentStatus } from '../../../controller/experiment/agents.ts';
import type { Experiment } from '../../../controller/experiment/experiment.ts';
import { processesIn, signalAll } from '../../../controller/machine/processes.ts';
import { controllerSocket, identityFolder, logFile, meshKeyFile } from '../../../controller/names.ts';
import { topologyHash } from '../../../proto/bootstrap.ts';
import type { AgentStatus } from '../../../proto/status.ts';
import { endpointName } from '../../../topology/model/names.ts';
import { place, run, runIn, startLab, until } from '../../support/lab/lab.ts';
import type { Intrusion } from '../../support/mesh/mesh-intruder.ts';

const INTRUDER = join(import.meta.dirname, '../../support/mesh/mesh-intruder.ts');
/** Endpoints in turn: a and d on host0, b on host1, c on host2. What goes to d shares the last link. */
const TOPOLOGY = `
services: { a: {}, b: {}, c: {}, d: { cap_add: [NET_ADMIN], run: "iperf3 -s" } }
bridges: [s]
links:
  - { from: a, to: s, latency: 2ms, up: 200Mbps, down: 90Mbps }
  - { from: b, to: s, latency: 2ms, up: 200Mbps, down: 90Mbps }
  - { from: c, to: s, latency: 2ms, up: 200Mbps, down: 90Mbps }
  - { from: s, to: d, latency: 2ms, up: 20Mbps, down: 60Mbps }
`;
const SHARED_BPS = 20e6;

let folder: string;
let children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children = [];
  rmSync(folder, { recursive: true });
});

/** Starts a process on the emulated host 2, beside or instead of its agent. */
function intrude(lab: Experiment, part: Partial<Intrusion>): ChildProcess {
  const { hosts, endpoints } = lab.plan;
  const address = ({ address: ip, meshPort }: (typeof hosts)[number]): string => `/ip4/${ip}/tcp/${meshPort}`;
  const intrusion: Intrusion = {
    experiment: lab.name,
    topology: topologyHash({ text: TOPOLOGY }).slice(0, 16),
    endpointNames: endpoints.map(({ name }) => name),
    host: 'host9',
    listen: `/ip4/${hosts[2]!.address}/tcp/9999`,
    peers: [address(hosts[0]!), address(hosts[1]!)],
    identity: join(folder, 'identity'),
    endpoints: [],
    flows: [],
    leaving: [],
    ...part,
  };
  const words = ['netns', 'exec', hosts[2]!.namespace, process.execPath, INTRUDER, JSON.stringify(intrusion)];
  const child = spawn('ip', words, { stdio: ['ignore', 'ignore', 'inherit'] });
  children.push(child);
  return child;
}

const numberOf = ({ plan }: Experiment, name: string): number =>
  plan.endpoints.find((endpoint) => endpoint.name === endpointName(name, 0))!.number;
const claim = (lab: Experiment, name: string) => ({ number: numberOf(lab, name), addresses: ['10.9.9.9'] });
const greedy = (lab: Experiment, from: string, to: string) => ({
  source: numberOf(lab, from),
  destination: numberOf(lab, to),
  rateBps: 50e6,
  greedy: true,
});

const honest = (lab: Experiment): Promise<AgentStatus[]> =>
  Promise.all(['host0', 'host1'].map((host) => agentStatus(lab.name, host)));

/** The log entries of a host for a kind of refusal. */
function named(lab: Experiment, host: string, code: string): { peer?: string; address?: string }[] {
  return readFileSync(logFile(lab.name, host), 'utf8')
    .split('\n')
    .filter((line) => line.includes(`"netfold.code":"${code}"`))
    .map((line) => (JSON.parse(line) as { attributes: Record<string, string> }).attributes)
    .map((facts) => ({
      ...(facts['netfold.peer'] && { peer: facts['netfold.peer'] }),
      ...(facts['netfold.address'] && { address: facts['netfold.address'] }),
    }));
}

const everybodyRefused = (lab: Experiment, code: string) => async () =>
  (await honest(lab)).every(({ mesh }) => (mesh.rejected[code] ?? 0) > 0);

const isListening = async (lab: Experiment): Promise<boolean> =>
  (await runIn(place(lab, 'd'), 'ss', '-Htln', 'sport', '=', '5201')).out !== '';

/** What must be as it was: members with their endpoints, and what the kernel has for paths from a. */
async function state(lab: Experiment): Promise<string> {
  const seen = (await honest(lab)).map(({ hosts, known, conflicts, degraded }) => ({
    hosts: hosts.map(({ name, endpoints }) => ({ name, endpoints })),
    known,
    conflicts,
    degraded,
  }));
  const { out } = await runIn(place(lab, 'a'), 'tc', 'class', 'show', 'dev', 'eth0');
  return JSON.stringify({ seen, classes: out.split('\n').sort() });
}

it('a peer without the key, or not on the list, changes nothing and is named', {
  timeout: 120_000,
}, async () => {
  const lab = await startLab(TOPOLOGY, { hosts: 3 });
  const before = await state(lab);
  const { address } = lab.plan.hosts[2]!;
  const lies = {
    endpoints: [claim(lab, 'b')],
    flows: [greedy(lab, 'b', 'd')],
    leaving: ['host1', 'host2'],
  };

  const keyless = intrude(lab, lies);
  await until(everybodyRefused(lab, 'HANDSHAKE_FAILED'), 'somebody without the key is refused');
  keyless.kill('SIGKILL');
  const key = readFileSync(meshKeyFile(lab.name), 'utf8');
  intrude(lab, { ...lies, key });
  await until(everybodyRefused(lab, 'PEER_NOT_ALLOWED'), 'somebody who is not on the list is refused');
  await sleep(2000);

  expect(await state(lab)).toBe(before);
  const peer = expect.stringMatching(/^12D3KooW/);
  for (const host of ['host0', 'host1']) {
    expect(named(lab, host, 'HANDSHAKE_FAILED')).toMatchObject([{ address }]);
    expect(named(lab, host, 'PEER_NOT_ALLOWED')).toMatchObject([{ address, peer }]);
  }
});

it('an agent that lies about endpoints of others is not believed, and named', {
  timeout: 120_000,
}, async () => {
  const lab = await startLab(TOPOLOGY, { hosts: 3 });
  await lab.run();
  await until(() => isListening(lab), 'd serves');
  signalAll(processesIn([lab.plan.hosts[2]!.namespace]), 'SIGKILL');
  const key = readFileSync(meshKeyFile(lab.name), 'utf8');
  const identity = identityFolder(lab.name, 'host2');
  const insider = { host: 'host2', identity, key, leaving: ['host0', 'host1'] };
  const traffic = runIn(place(lab, 'a'), 'iperf3', '-c', place(lab, 'd').address, '-t', '25', '-C', 'cubic');
  const shareOf = async (): Promise<number> => {
    const { flows } = await agentStatus(lab.name, 'host0');
    return flows.find(({ from, to }) => from === 'a.0' && to === 'd.0')?.shareBps ?? 0;
  };
  const near = (part: number) => async () => Math.abs((await shareOf()) / SHARED_BPS - part) < 0.02;
  await until(near(1), 'the flow has the whole link');

  const liar = intrude(lab, {
    ...insider,
    endpoints: [claim(lab, 'b'), claim(lab, 'a')],
    flows: [greedy(lab, 'b', 'd'), greedy(lab, 'a', 'd')],
  });
  await until(everybodyRefused(lab, 'ENDPOINT_FOREIGN'), 'the lie is refused');
  for (let look = 0; look < 20; look++) {
    expect(await near(1)()).toBe(true);
    await sleep(100);
  }
  const hosts = (await honest(lab)).map((status) =>
    status.hosts.map(({ name, endpoints }) => [name, endpoints]),
  );
  const truth = [
    ['host0', 2],
    ['host1', 1],
    ['host2', 0],
  ];
  expect(hosts).toEqual([truth, truth]);
  liar.kill('SIGKILL');

  // Its messages are accepted: those about its own endpoint count.
  intrude(lab, { ...insider, endpoints: [claim(lab, 'c')], flows: [greedy(lab, 'c', 'd')] });
  await until(near(0.5), 'the flow has half of the link');
  const peer = expect.stringMatching(/^12D3KooW/);
  for (const host of ['host0', 'host1']) {
    expect(named(lab, host, 'ENDPOINT_FOREIGN')).toMatchObject([{ peer }]);
    expect(named(lab, host, 'HOST_NOT_ALLOWED')).toMatchObject([{ peer }]);
  }
  for (const child of children) child.kill('SIGKILL');
  await traffic;
});

it('an agent that was killed comes back as the same peer, and as no conflict', {
  timeout: 60_000,
}, async () => {
  const lab = await startLab(TOPOLOGY, { hosts: 2 });
  const host = lab.plan.hosts[1]!;
  signalAll(processesIn([host.namespace]), 'SIGKILL');
  const next = await lab.startAgent(host);
  await next.waitUntilReady(30_000, () => {});
  const all = [
    { name: 'host0', endpoints: 2 },
    { name: 'host1', endpoints: 2 },
  ];
  await until(async () => {
    const { hosts } = await agentStatus(lab.name, 'host0');
    return JSON.stringify(hosts.map(({ name, endpoints }) => ({ name, endpoints }))) === JSON.stringify(all);
  }, 'host 0 hears the new one');
  const { conflicts, mesh } = await agentStatus(lab.name, 'host0');
  expect(conflicts).toEqual([]);
  expect(mesh.rejected).not.toHaveProperty('HOST_CLAIMED');
});

it('secrets are for root alone', { timeout: 60_000 }, async () => {
  const lab = await startLab(TOPOLOGY, { hosts: 2 });
  const modeOf = (path: string): number => statSync(path).mode & 0o777;
  expect(modeOf(meshKeyFile(lab.name))).toBe(0o600);
  expect(modeOf(controllerSocket(lab.name))).toBe(0o600);
  expect(modeOf(identityFolder(lab.name, 'host0'))).toBe(0o700);
  expect(modeOf(join(identityFolder(lab.name, 'host0'), 'agent.key'))).toBe(0o600);
  const folderOf = identityFolder(lab.name, 'host0');
  const netfold = join(import.meta.dirname, '../../../bin/netfold');
  const before = await run(netfold, ['mesh', 'identity', folderOf]);
  expect(before).toMatchObject({ code: 0, out: expect.stringMatching(/^12D3KooW\w{44}\n$/) });
  expect(await run(netfold, ['mesh', 'identity', folderOf])).toEqual(before);
  const made = await run(netfold, ['mesh', 'key', join(folder, 'mesh.key')]);
  expect(made.code).toBe(0);
  expect(modeOf(join(folder, 'mesh.key'))).toBe(0o600);
  expect(made.out).not.toContain(readFileSync(join(folder, 'mesh.key'), 'utf8').split('\n')[2]);
  expect(await run(netfold, ['mesh', 'key', join(folder, 'mesh.key')])).toMatchObject({ code: 1 });
});
