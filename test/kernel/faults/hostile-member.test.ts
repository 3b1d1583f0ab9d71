/** A member with key and identity that does its worst: honest traffic goes on, the liar is named, nothing of it remains. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { agentStatus } from '../../../controller/experiment/agents.ts';
import type { Experiment } from '../../../controller/experiment/experiment.ts';
import { processesIn, signalAll } from '../../../controller/machine/processes.ts';
import { identityFolder, logFile, meshKeyFile } from '../../../controller/names.ts';
import { ping } from '../../../controller/verify/traffic.ts';
import { topologyHash } from '../../../proto/bootstrap.ts';
import { arrivalRates, place, runIn, startLab, until } from '../../support/lab/lab.ts';
import type { Hostility } from '../../support/mesh/hostile-member.ts';

const MEMBER = join(import.meta.dirname, '../../support/mesh/hostile-member.ts');
/** Endpoints in turn: a and d on host0, b on host1, c on host2, whose agent is replaced by the hostile member. */
const TOPOLOGY = `
services: { a: {}, b: {}, c: {}, d: { cap_add: [NET_ADMIN], run: "iperf3 -s" } }
bridges: [s]
links:
  - { from: a, to: s, latency: 2ms, bandwidth: 200Mbps }
  - { from: b, to: s, latency: 2ms, bandwidth: 200Mbps }
  - { from: c, to: s, latency: 2ms, bandwidth: 200Mbps }
  - { from: s, to: d, latency: 2ms, up: 20Mbps, down: 60Mbps }
`;
const RATE_BPS = 20e6;
const PING_MS = 8;

/** What it does, and the codes by which it is named, any of them; none where there is nothing to refuse. */
const REPERTOIRE: readonly (readonly [Hostility['what'], readonly string[]])[] = [
  ['endpoints', ['ENDPOINT_FOREIGN']],
  ['addresses', ['ADDRESS_FOREIGN']],
  ['departures', ['HOST_NOT_ALLOWED']],
  // Its name comes last, and clocks follow the first.
  ['time', []],
  ['flood', ['GOSSIP_RATE']],
  ['garbage', ['MESSAGE_MALFORMED', 'MESSAGE_FIELD', 'GOSSIP_RATE']],
  ['replay', ['HOST_NOT_ALLOWED']],
  ['questions', ['REQUEST_RATE']],
];

const children = new Set<ChildProcess>();
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
});

function unleash(lab: Experiment, what: Hostility['what']): ChildProcess {
  const { hosts, endpoints } = lab.plan;
  const hostility: Hostility = {
    what,
    experiment: lab.name,
    topology: topologyHash({ text: TOPOLOGY }).slice(0, 16),
    endpoints: endpoints.map(({ number, name, addresses }) => ({ number, name, addresses })),
    host: 'host2',
    own: endpoints.find(({ name }) => name === 'c.0')!.number,
    others: ['host0', 'host1'],
    listen: `/ip4/${hosts[2]!.address}/tcp/9999`,
    peers: hosts.slice(0, 2).map(({ address, meshPort }) => `/ip4/${address}/tcp/${meshPort}`),
    identity: identityFolder(lab.name, 'host2'),
    key: readFileSync(meshKeyFile(lab.name), 'utf8'),
  };
  const words = ['netns', 'exec', hosts[2]!.namespace, process.execPath, MEMBER, JSON.stringify(hostility)];
  const child = spawn('ip', words, { stdio: ['ignore', 'ignore', 'inherit'] });
  children.add(child);
  return child;
}

/** What the honest agents see of each other, and what the kernel has for paths from a. */
async function state(lab: Experiment): Promise<string> {
  const seen = await Promise.all(
    ['host0', 'host1'].map(async (host) => {
      const { hosts, known, conflicts, degraded } = await agentStatus(lab.name, host);
      const named = hosts.map(({ name, endpoints }) => `${name} ${endpoints}`);
      return { hosts: named, known, conflicts, degraded };
    }),
  );
  const { out } = await runIn(place(lab, 'a'), 'tc', 'class', 'show', 'dev', 'eth0');
  return JSON.stringify({ seen, classes: out.split('\n').sort() });
}

async function refusals(lab: Experiment, codes: readonly string[]): Promise<number> {
  const { mesh } = await agentStatus(lab.name, 'host0');
  return codes.reduce((sum, code) => sum + (mesh.rejected[code] ?? 0), 0);
}

it('honest traffic keeps rate and delay whatever a member does, and nothing of it remains', {
  timeout: 240_000,
}, async () => {
  const lab = await startLab(TOPOLOGY, { hosts: 3 });
  await lab.run();
  const d = place(lab, 'd');
  await until(async () => (await runIn(d, 'ss', '-Htln', 'sport', '=', '5201')).out !== '', 'd serves');
  signalAll(processesIn([lab.plan.hosts[2]!.namespace]), 'SIGKILL');
  const isAlone = async (): Promise<boolean> => !(await state(lab)).includes('host2');
  await until(isAlone, 'host2 is gone');
  const traffic = spawn('ip', [
    ...['netns', 'exec', place(lab, 'a').namespace],
    ...['iperf3', '-c', d.address, '-t', '300', '-C', 'cubic'],
  ]);
  children.add(traffic);
  const isWhole = async (): Promise<boolean> => {
    const [rate] = await arrivalRates([d], 0.5);
    return Math.abs(rate! / RATE_BPS - 1) < 0.05;
  };
  await until(isWhole, 'the flow has the whole link');
  const before = await state(lab);

  for (const [what, codes] of REPERTOIRE) {
    const counted = await refusals(lab, codes);
    const member = unleash(lab, what);
    const isNamed = async (): Promise<boolean> => (await refusals(lab, codes)) > counted;
    const isThere = async (): Promise<boolean> => (await state(lab)).includes('host2');
    await until(codes.length > 0 ? isNamed : isThere, `${what} is noticed`, 20_000);
    const [[rate], { medianMs, received }] = await Promise.all([
      arrivalRates([d], 2),
      ping(place(lab, 'b'), place(lab, 'a'), 40, 50),
    ]);
    expect(rate! / RATE_BPS, what).toBeGreaterThan(0.95);
    expect(rate! / RATE_BPS, what).toBeLessThan(1.05);
    expect(received, what).toBe(40);
    expect(medianMs, what).toBeGreaterThan(PING_MS - 1);
    // A member that floods takes processor time of the machine on which all are here.
    expect(medianMs, what).toBeLessThan(PING_MS + 3);
    member.kill('SIGKILL');
    children.delete(member);
    await until(async () => (await state(lab)) === before, `nothing of ${what} is left`, 20_000);
    // Its allowance is full again.
    await sleep(500);
  }
  const log = readFileSync(logFile(lab.name, 'host0'), 'utf8');
  for (const code of ['ENDPOINT_FOREIGN', 'ADDRESS_FOREIGN', 'HOST_NOT_ALLOWED', 'GOSSIP_RATE'])
    expect(log).toMatch(new RegExp(`"netfold.code":"${code}".*12D3KooW`));
});
