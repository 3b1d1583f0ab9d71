/**
 * Commands for a running experiment: given to any agent, in force on all, undone by reset; and an agent that resumes.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { agentStatus } from '../../../controller/experiment/agents.ts';
import type { Experiment } from '../../../controller/experiment/experiment.ts';
import { processesIn } from '../../../controller/machine/processes.ts';
import { logFile } from '../../../controller/names.ts';
import { ping } from '../../../controller/verify/traffic.ts';
import type { HistoryEntry } from '../../../proto/control.ts';
import { endpointName } from '../../../topology/model/names.ts';
import { netfold } from '../../support/lab/cli.ts';
import { place, runIn, startLab } from '../../support/lab/lab.ts';
import { expectSuccess } from '../../support/lab/succeeds.ts';
import { LATE_MS } from '../../support/speed.ts';

const TOPOLOGY = `
services:
  a: {}
  b: { run: "echo begins; sleep 1000" }
  c: { run: "echo begins; sleep 1000" }
bridges: [s]
links:
  - { from: a, to: s, latency: 10ms, up: 20Mbps, down: 8Mbps }
  - { from: b, to: s, latency: 5ms }
  - { from: c, to: s, latency: 5ms }
`;

async function roundTrip(lab: Experiment, to: string): Promise<number | undefined> {
  const { received, medianMs } = await ping(place(lab, 'a'), place(lab, to), 5, 40);
  return received === 0 ? undefined : medianMs;
}

/** Round trips in different versions of the topology differ by at least this. */
const VERSIONS_APART_MS = 20;
const near = (milliseconds: number): unknown =>
  expect.toSatisfy(
    (value: number | undefined) => Math.abs((value ?? 0) - milliseconds) < VERSIONS_APART_MS / 2 + LATE_MS,
  );

/** The kernel's whole output for the endpoints' interfaces. */
async function kernelState(lab: Experiment): Promise<string> {
  const commands = 'tc qdisc; tc class show dev eth0; tc filter show dev eth0; nft list ruleset';
  const all = await Promise.all(['a', 'b', 'c'].map((node) => runIn(place(lab, node), 'sh', '-c', commands)));
  return all
    .map(({ out }) => out.replaceAll(/\bid \d+|tag [0-9a-f]+|direct_packets_stat \d+|jited/g, ''))
    .map((out) => out.replaceAll(/(bfifo|pfifo|netem) [0-9a-f]+:|leaf [0-9a-f]+:/g, '$1'))
    .map((out) => out.split('\n').sort().join('\n'))
    .join('\n');
}

async function tell(lab: Experiment, ...words: string[]): Promise<{ code: number | null; text: string }> {
  const { code, stdout, stderr } = await netfold(words[0]!, ...words.slice(1), '--name', lab.name);
  return { code, text: stdout + stderr };
}

/** From `a`, with the latencies that hold now. */
async function livePaths(lab: Experiment): Promise<unknown[]> {
  const { stdout } = await netfold('paths', '--live', '--name', lab.name, '--from', 'a', '--json');
  const rows = JSON.parse(stdout) as { from: string; to: string; latencyMs?: number }[];
  return rows.map(({ from, to, latencyMs }) => [from, to, latencyMs]);
}

async function historyOf(lab: Experiment): Promise<HistoryEntry[]> {
  return JSON.parse((await netfold('history', lab.name, '--json')).stdout);
}

it('commands change all hosts alike, and reset takes them back', async () => {
  const lab = await startLab(TOPOLOGY, { hosts: 2 });
  await lab.run();
  await sleep(500);
  const untouched = await kernelState(lab);
  expect([await roundTrip(lab, 'b'), await roundTrip(lab, 'c')]).toEqual([near(30), near(30)]);

  // Each by another agent.
  expectSuccess(await tell(lab, 'set', 'a--s', 'latency=+20ms', '--host', 'host0'));
  expectSuccess(await tell(lab, 'set', 'b--s', 'latency=15ms', '--host', 'host1'));
  expect([await roundTrip(lab, 'b'), await roundTrip(lab, 'c')]).toEqual([near(90), near(70)]);

  expectSuccess(await tell(lab, 'partition', 'a | c'));
  expect([await roundTrip(lab, 'b'), await roundTrip(lab, 'c')]).toEqual([near(90), undefined]);
  expect(await livePaths(lab)).toEqual([
    ['a.0', 'b.0', 45],
    ['a.0', 'c.0', undefined],
  ]);
  expectSuccess(await tell(lab, 'heal'));
  expect(await roundTrip(lab, 'c')).toEqual(near(70));

  expectSuccess(await tell(lab, 'crash', 'b', '--host', 'host1'));
  expect(await roundTrip(lab, 'b')).toBeUndefined();
  expect((await lab.statuses()).flatMap(({ processes }) => processes['b.0'] ?? [])).toEqual([
    'ended by SIGKILL',
  ]);

  const commands = await historyOf(lab);
  expect(commands.map(({ text, origin, state }) => [text, origin, state])).toEqual([
    ['set a--s latency=+20ms', 'host0', 'done'],
    ['set b--s latency=15ms', 'host1', 'done'],
    ['partition a | c', 'host0', 'done'],
    ['heal', 'host0', 'done'],
    ['crash b', 'host1', 'done'],
  ]);

  expectSuccess(await tell(lab, 'reset'));
  expect([await roundTrip(lab, 'b'), await roundTrip(lab, 'c')]).toEqual([near(30), near(30)]);
  expect(await kernelState(lab)).toBe(untouched);
  // Its command was started again.
  expect(readFileSync(logFile(lab.name, 'b.0'), 'utf8')).toBe('begins\nbegins\n');
  const epochs = (await lab.statuses()).map(({ epoch }) => epoch);
  expect(new Set(epochs).size).toBe(1);
});

it('commands may be for later, for a while, and wrong', async () => {
  const lab = await startLab(TOPOLOGY, { hosts: 2 });
  await lab.run();
  await sleep(500);
  const times = ['--at', '+4s', '--for', '3s'];
  expectSuccess(await tell(lab, 'set', 'a--s', 'latency=60ms', ...times, '--no-wait'));
  const seen = () => roundTrip(lab, 'b');
  expect(await seen()).toEqual(near(30));
  await expect.poll(seen, { timeout: 10_000 }).toEqual(near(130));
  await expect.poll(seen, { timeout: 10_000 }).toEqual(near(30));

  const before = await kernelState(lab);
  const wrong = async (...words: string[]): Promise<string> => {
    const { code, text } = await tell(lab, ...words);
    expect(code).toBe(1);
    return text;
  };
  expect(await wrong('set', 'a--t', 'latency=1ms')).toMatch(/"t"/);
  expect(await wrong('set', 'b', 'latency=1ms')).toMatch(/"b" is a service, and set is for links/);
  expect(await wrong('set', 'a--s', 'latency=fast')).toMatch(/latency=fast|"fast"/);
  expect(await wrong('leave', 'b', '2')).toMatch(/2/);
  expect(await wrong('flap', 'a--s', 'every', '100ms')).toMatch(/--for/);
  expect((await tell(lab, 'heal', '--at', '1ms')).text).toMatch(/has passed/);
  expect(await wrong('join', 'b')).toMatch(/b/);
  const unknown = await netfold('heal', '--name', `${lab.name}-not`);
  expect(unknown.code).toBe(1);
  expect(unknown.stderr).toContain('there is no experiment');
  expect(await kernelState(lab)).toBe(before);
  expect(await historyOf(lab)).toHaveLength(1);
});

it('an agent that is cut off takes no commands, but for --alone; the others follow when it is back', async () => {
  const lab = await startLab(TOPOLOGY, { hosts: 2 });
  await lab.run();
  const [host0, host1] = lab.plan.hosts;
  // Agents' own traffic has addresses of its own.
  const gossip = (action: 'add' | 'delete'): void => {
    for (const [from, to] of [[host0!, host1!] as const, [host1!, host0!] as const])
      execFileSync('ip', ['-n', from.namespace, 'route', action, 'blackhole', `${to.address}/32`]);
  };
  const hosts = async (): Promise<number[]> => (await lab.statuses()).map((status) => status.hosts.length);
  const until = async (condition: () => Promise<boolean>): Promise<void> => {
    for (let attempt = 0; attempt < 200 && !(await condition()); attempt++) await sleep(100);
    expect(await condition()).toBe(true);
  };
  gossip('add');
  await until(async () => (await hosts()).every((heard) => heard === 1));
  const { code, text } = await tell(lab, 'disconnect', 'b');
  expect(code).toBe(1);
  expect(text).toMatch(/receives from none of the others: host1 is silent/);
  expect(await historyOf(lab)).toEqual([]);
  expectSuccess(await tell(lab, 'disconnect', 'b', '--alone', '--no-wait'));
  gossip('delete');
  const epochs = async (): Promise<number[]> => (await lab.statuses()).map(({ epoch }) => epoch);
  await until(async () => (await epochs()).every((epoch) => epoch === 1));
  // A host that follows has received from the other; the other receives its next heartbeat.
  await until(async () => (await hosts()).every((heard) => heard === 2));
});

it('an agent that is killed goes on in mid-timeline, with the applications that it had', async () => {
  const events = `
events:
  - at 3s leave c
  - at 18s crash b
  - at 20s join b
  - at 200s set a--s latency=200ms
`;
  const lab = await startLab(TOPOLOGY + events, { hosts: 2 });
  const startAt = await lab.run();
  const at = (seconds: number): Promise<void> => sleep(Math.max(0, startAt + seconds * 1000 - Date.now()));
  expectSuccess(await tell(lab, 'set', 'a--s', 'latency=40ms'));
  const statuses = async () =>
    Object.fromEntries(
      await Promise.all(
        lab.plan.hosts.map(async ({ name }) => [name, await agentStatus(lab.name, name)] as const),
      ),
    );
  const hostOf = (node: string) =>
    lab.plan.endpoints.find(({ name }) => name === endpointName(node, 0))!.host;
  const processOf = async (node: string): Promise<string | undefined> =>
    (await statuses())[hostOf(node).name]?.processes[endpointName(node, 0)];
  const log = (node: string): string => readFileSync(logFile(lab.name, endpointName(node, 0)), 'utf8');
  const [pidOfB, pidOfC] = [await processOf('b'), await processOf('c')];
  expect([pidOfB, pidOfC]).toEqual([expect.stringMatching(/^pid /), expect.stringMatching(/^pid /)]);

  await at(2);
  for (const host of lab.plan.hosts) {
    process.kill(processesIn([host.namespace])[0]!, 'SIGKILL');
    const next = await lab.startAgent(host);
    // One after the other: each agent learns the start only from the other one.
    await expect
      .poll(() => next.status().catch(() => undefined), { timeout: 20_000, interval: 100 })
      .toMatchObject({ state: 'running', shaped: true });
  }
  // It left while its agent was dead.
  await expect.poll(() => processOf('c'), { timeout: 5000 }).toBe('has ended');
  expect(await processOf('b')).toBe(pidOfB);
  expect([await roundTrip(lab, 'b'), await roundTrip(lab, 'c')]).toEqual([near(90), undefined]);

  await at(21);
  expect(await processOf('b')).toMatch(/^pid \d+$/);
  expect(await processOf('b')).not.toBe(pidOfB);
  expect(log('b')).toBe('begins\nbegins\n');
  expect(log('c')).toBe('begins\n');
  expect(await roundTrip(lab, 'b')).toEqual(near(90));
  const epochs = Object.values(await statuses()).map(({ epoch }) => epoch);
  // The command, c, b, b.
  expect(epochs).toEqual([4, 4]);
});
