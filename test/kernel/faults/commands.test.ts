/** Real agents on three hosts, and a member of their mesh with a copy of its key who wants commands of his own executed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { commandScope, signCommand } from '../../../agent/mesh/trust/command-signature.ts';
import { readUserKey } from '../../../agent/mesh/trust/user-key.ts';
import { agentStatus } from '../../../controller/experiment/agents.ts';
import { readBootstrap } from '../../../controller/experiment/bootstraps.ts';
import { controlHistory } from '../../../controller/experiment/control.ts';
import type { Experiment } from '../../../controller/experiment/experiment.ts';
import { processesIn, signalAll } from '../../../controller/machine/processes.ts';
import { identityFolder, logFile, meshKeyFile, userKeyFile } from '../../../controller/names.ts';
import type { Command } from '../../../proto/command.ts';
import type { HistoryEntry } from '../../../proto/control.ts';
import { netfold, type Ran } from '../../support/lab/cli.ts';
import { startLab, until } from '../../support/lab/lab.ts';
import { expectSuccess } from '../../support/lab/succeeds.ts';
import type { Intrusion } from '../../support/mesh/mesh-intruder.ts';

const INTRUDER = join(import.meta.dirname, '../../support/mesh/mesh-intruder.ts');
/** Endpoints in turn: a on host0, b on host1, c on host2. */
const TOPOLOGY = `
services: { a: {}, b: {}, c: {} }
bridges: [s]
links:
  - { from: a, to: s, latency: 2ms, up: 20Mbps, down: 9Mbps }
  - { from: b, to: s, latency: 2ms, up: 20Mbps, down: 9Mbps }
  - { from: c, to: s, latency: 2ms, up: 20Mbps, down: 9Mbps }
`;

let folder: string;
let child: ChildProcess | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
});
afterEach(() => {
  child?.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

const tell = (lab: Experiment, ...words: string[]): Promise<Ran> =>
  netfold(words[0]!, ...words.slice(1), '--name', lab.name);
const historyOf = async (lab: Experiment): Promise<readonly HistoryEntry[]> =>
  (await controlHistory(lab.name)).history;
const honest = (lab: Experiment) =>
  Promise.all(['host0', 'host1'].map((host) => agentStatus(lab.name, host)));

/** Takes the place of the agent of host2. */
function intrude(lab: Experiment, commands: readonly Command[]): void {
  const { hosts, endpoints } = lab.plan;
  const address = ({ address: ip, meshPort }: (typeof hosts)[number]): string => `/ip4/${ip}/tcp/${meshPort}`;
  const intrusion: Intrusion = {
    experiment: lab.name,
    topology: readBootstrap(lab.name, 'host2')!.topology.hash.slice(0, 16),
    endpointNames: endpoints.map(({ name }) => name),
    host: 'host2',
    listen: address(hosts[2]!),
    peers: [address(hosts[0]!), address(hosts[1]!)],
    identity: identityFolder(lab.name, 'host2'),
    key: readFileSync(meshKeyFile(lab.name), 'utf8'),
    ...{ endpoints: [], flows: [], leaving: [], commands },
  };
  const words = ['netns', 'exec', hosts[2]!.namespace, process.execPath, INTRUDER, JSON.stringify(intrusion)];
  child = spawn('ip', words, { stdio: ['ignore', 'ignore', 'inherit'] });
}

it('a member with the mesh key can make no host execute a command; the user can', {
  timeout: 120_000,
}, async () => {
  const lab = await startLab(TOPOLOGY, { hosts: 3 });
  await lab.run();
  const user = readUserKey(userKeyFile(lab.name));
  expect(statSync(userKeyFile(lab.name)).mode & 0o777).toBe(0o600);
  expectSuccess(await tell(lab, 'set', 'a--s', 'latency=5ms'));
  const [given] = await historyOf(lab);
  const name = expect.stringMatching(/^\S+@host0$/);
  expect(given).toMatchObject({ text: 'set a--s latency=5ms', by: name, author: user.peer, state: 'done' });

  signalAll(processesIn([lab.plan.hosts[2]!.namespace]), 'SIGKILL');
  const { mesh, topology } = readBootstrap(lab.name, 'host2')!;
  const scope = commandScope(topology.hash, mesh.commands!);
  const own = readUserKey(join(identityFolder(lab.name, 'host2'), 'agent.key'));
  const trace = join(folder, 'executed');
  const run = `run * "touch ${trace}"`;
  const { issuedAt, at } = given!;
  const said = (number: number, text: string): Command => ({
    ...{ origin: 'host2', incarnation: 1_700_000_000_000, number, issuedAt, at, text },
  });
  const { by: _, state: __, problem: ___, hit: ____, hitCount: _____, ...real } = given!;
  const later = commandScope(topology.hash, { id: '0'.repeat(32) });
  intrude(lab, [
    said(1, run),
    signCommand(said(2, run), scope, own),
    signCommand(said(3, 'quit'), scope, own),
    signCommand(said(4, 'crash a'), scope, own),
    { ...signCommand(said(5, run), scope, own), author: user.peer },
    { ...real, text: run },
    { ...real, origin: 'host2', text: run },
    real,
    signCommand(said(6, run), later, user),
    // Its own endpoint's link it may change.
    signCommand(said(7, 'set c--s latency=9ms'), scope, own),
  ]);
  const codes = ['COMMAND_UNSIGNED', 'COMMAND_RIGHT', 'COMMAND_SIGNATURE', 'COMMAND_FOREIGN'];
  const all = async (): Promise<boolean> =>
    (await honest(lab)).every((status) => codes.every((code) => (status.mesh.rejected[code] ?? 0) > 0));
  await until(all, 'all lies are refused', 30_000);
  await until(async () => (await historyOf(lab)).length === 2, 'its own command is in force', 20_000);
  // It repeats them each second.
  await sleep(2500);
  expect((await historyOf(lab)).map(({ text, by, state }) => [text, by, state])).toEqual(
    expect.arrayContaining([
      ['set a--s latency=5ms', name, 'done'],
      ['set c--s latency=9ms', 'agent host2', 'done'],
    ]),
  );
  expect(await historyOf(lab)).toHaveLength(2);
  expect(existsSync(trace)).toBe(false);
  expect((await honest(lab)).map(({ state, faults }) => [state, faults.length])).toEqual([
    ['running', 2],
    ['running', 2],
  ]);
  for (const host of ['host0', 'host1'])
    expect(readFileSync(logFile(lab.name, host), 'utf8')).toMatch(/agent host2 may not give \\"run/);

  const key = join(folder, 'another.key');
  const made = await netfold('mesh', 'user', key);
  expect(made.stdout).toMatch(/^12D3KooW\S+ \S+@\S+ network,run\n$/);
  const refused = await tell(lab, 'run', 'a', `touch ${trace}`, '--key', key);
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('may give no commands')]);
  expect(existsSync(trace)).toBe(false);

  copyFileSync(userKeyFile(lab.name), join(folder, 'copy.key'));
  expectSuccess(await tell(lab, 'run', 'a', `touch ${trace}`));
  await until(() => existsSync(trace), 'the user has it executed');
  const { stdout } = await netfold('history', lab.name);
  expect(stdout).toMatch(/@host0\s+run a/);
  // Without the experiment's key a command is the agent's own.
  rmSync(userKeyFile(lab.name));
  const bare = await tell(lab, 'run', 'a', 'true');
  expect([bare.code, bare.stderr]).toEqual([1, expect.stringContaining("run is for users' keys")]);
  expectSuccess(await tell(lab, 'disconnect', 'a', '--host', 'host0'));
  expectSuccess(await tell(lab, 'reset', '--key', join(folder, 'copy.key')));
});
