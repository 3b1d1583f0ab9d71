/** Machines that are joined by a command each, and what becomes of them without a controller. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { agentStatus } from '../../../controller/experiment/agents.ts';
import { agentAt, agentsOf } from '../../../controller/machine/processes.ts';
import {
  agentSocket,
  experimentFolder,
  logFile,
  meshKeyFile,
  stateFile,
  userKeyFile,
} from '../../../controller/names.ts';
import { changesSince, readDescription } from '../../../controller/record/description.ts';
import { findRecord } from '../../../controller/record/folders.ts';
import { readRecord } from '../../../controller/record/read.ts';
import { ping } from '../../../controller/verify/traffic.ts';
import type { Bootstrap } from '../../../proto/bootstrap.ts';
import { callJson } from '../../../proto/http-json.ts';
import type { AgentStatus } from '../../../proto/status.ts';
import { killIfThere } from '../../support/kernel/kill.ts';
import { expectVoice, expectVoicePackets, takeEnds, VOICE } from '../../support/lab/joined-record.ts';
import { experimentName, run, runIn, until } from '../../support/lab/lab.ts';
import { connectMachines, type Machine } from '../../support/lab/machines.ts';
import { expectSuccess } from '../../support/lab/succeeds.ts';
import { LATE_MS } from '../../support/speed.ts';

/** The event is over when others join: that they know of it, they have from the agents that are there. */
const TOPOLOGY = `
services: { a: {}, b: {}, c: {} }
bridges: [s]
links:
  - { from: a, to: s, latency: 10ms, bandwidth: 100Mbps }
  - { from: b, to: s, latency: 20ms, bandwidth: 100Mbps }
  - { from: s, to: c, latency: 1ms, up: 20Mbps, down: 50Mbps }
events:
  - at 500ms set s--c latency=5ms
`;

let folder: string;
let file: string;
let key: string;
let machines: Machine[];
let remove: () => void;
/** Names of the experiment on each machine; they share a file system. */
let names: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
  file = join(folder, 'wan.yaml');
  key = join(folder, 'mesh.key');
  writeFileSync(file, TOPOLOGY);
  ({ machines, remove } = connectMachines(3));
  names = machines.map(() => experimentName());
});

// The lab's own hook removes the experiments first.
afterEach(() => {
  remove();
  rmSync(folder, { recursive: true });
});

/** Machine 0 has endpoint a, and waits for the others. Returns its output for the user. */
async function begin(): Promise<string> {
  const options = ['--name', names[0]!, '--at', 'a=eth0', '--elsewhere', '--detach'];
  const up = await machines[0]!.netfold('up', file, ...options);
  expect(up, up.err).toMatchObject({ code: 0 });
  copyFileSync(meshKeyFile(names[0]!), key);
  return up.out;
}

const joining = (machine: number, endpoint: string, through = 0, host = `host-${endpoint}`): string[] => [
  ...['agent', '--join', machines[through]!.address, '--experiment', names[0]!, '--name', names[machine]!],
  ...['--host', host, '--mesh-key', key, '--at', `${endpoint}=eth0`],
];

async function joined(machine: number, ...how: [string, number?, string?]) {
  const started = machines[machine]!.start(...joining(machine, ...how));
  const ended = new Promise<number | null>((resolve) => started.child.once('exit', resolve));
  await until(
    () => started.output().includes('joined') || started.child.exitCode !== null,
    'it joins',
    60_000,
  );
  expect(started.output()).toContain(`joined ${names[0]} through`);
  return { ...started, ended };
}

const status = (machine: number, host: string): Promise<AgentStatus> => agentStatus(names[machine]!, host);

async function untilKnown(...agents: [number, string][]): Promise<void> {
  const complete = async (): Promise<boolean> => {
    const all = await Promise.all(agents.map(([machine, host]) => status(machine, host)));
    return all.every(({ known, state }) => known === 3 && state === 'running');
  };
  await until(complete, 'all know all endpoints', 60_000);
}

/**
 * Median round trip. What a busy machine takes for its own is added to it; and may be taken off it, as agents subtract
 * the real network's round trips.
 */
async function expectRoundTrip(from: number, to: number, ms: number): Promise<void> {
  // An agent that has just come is shaped for some ticks later, one direction after the other.
  const isShaped = async (): Promise<boolean> =>
    (await ping(machines[from]!, machines[to]!, 3, 20)).medianMs > 0.75 * ms;
  await until(isShaped, 'the path is shaped');
  const { medianMs, received } = await ping(machines[from]!, machines[to]!, 10, 20);
  expect(received).toBe(10);
  expect(medianMs).toBeGreaterThan(ms - 3 - LATE_MS);
  expect(medianMs).toBeLessThan(ms + 4 + 4 * LATE_MS);
}

async function killController(): Promise<void> {
  const pattern = `netfold.* controller .*${names[0]}|main.ts controller .*${names[0]}`;
  const { out } = await run('pgrep', ['-f', pattern]);
  const pids = out.trim().split('\n').filter(Boolean).map(Number);
  expect(pids).not.toEqual([]);
  for (const pid of pids) killIfThere(pid);
}

const kill = (machine: number): void => void process.kill(agentsOf(names[machine]!)[0]!, 'SIGKILL');

describe('several machines', () => {
  it('are joined by a command each, and go on without a controller', { timeout: 120_000 }, async () => {
    const told = await begin();
    expect(told).toContain(
      `netfold agent --join /ip4/10.9.0.1/tcp/4646 --experiment ${names[0]} --mesh-key KEYFILE --at b.0=INTERFACE --at c.0=INTERFACE`,
    );
    await joined(1, 'b');
    const first = await joined(2, 'c');
    await untilKnown([0, 'host0'], [1, 'host-b'], [2, 'host-c']);
    await expectRoundTrip(0, 2, 30);

    // To this agent no endpoint is assigned: what it claims, it may change with a user's key only.
    const command = ['set', 's--c', 'latency=15ms', '--name', names[2]!];
    const refused = await machines[2]!.netfold(...command);
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('--key FILE, or NETFOLD_KEY')]);
    const userKey = join(folder, 'user.key');
    copyFileSync(userKeyFile(names[0]!), userKey);
    expectSuccess(await machines[2]!.netfold(...command, '--key', userKey));
    await expectRoundTrip(0, 2, 50);
    await expectRoundTrip(2, 1, 70);

    await killController();
    const reset = ['reset', '--name', names[1]!, '--key', userKey];
    expectSuccess(await machines[1]!.netfold(...reset));
    await expectRoundTrip(1, 2, 50);
    await expectShares();

    first.child.kill('SIGTERM');
    expect(await first.ended).toBe(0);
    expect(existsSync(experimentFolder(names[2]!))).toBe(false);
    expect((await runIn(machines[2]!, 'tc', 'qdisc')).out).not.toContain('4e46:');
    kill(0);
    await joined(2, 'c', 1, 'another');
    const { history } = await commands(2);
    expect(history.map(({ text }) => text)).toEqual(['set s--c latency=15ms', 'reset']);
    await expectRoundTrip(1, 2, 50);
  });

  it('a killed agent that joins again is the same host', { timeout: 90_000 }, async () => {
    await begin();
    await joined(1, 'b');
    kill(1);
    await until(() => agentsOf(names[1]!).length === 0, 'it is gone');
    await joined(1, 'b');
    await until(async () => (await status(1, 'host-b')).state === 'running', 'it runs');
    expect((await status(0, 'host0')).conflicts).toEqual([]);
    await expectRoundTrip(0, 1, 60);
  });
});

it('end together: by a signed quit from any of them, also without a controller', {
  timeout: 180_000,
}, async () => {
  writeFileSync(file, TOPOLOGY + VOICE);
  await begin();
  const others = [await joined(1, 'b'), await joined(2, 'c')];
  await untilKnown([0, 'host0'], [1, 'host-b'], [2, 'host-c']);
  const end = ['down', names[2]!, '--everywhere'];
  const refused = await machines[2]!.netfold(...end);
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('--key FILE, or NETFOLD_KEY')]);
  const userKey = join(folder, 'user.key');
  copyFileSync(userKeyFile(names[0]!), userKey);
  await takeEnds(machines, names, join(folder, 'nothing'));
  await killController();
  const record = join(folder, 'joined');
  const ended = await machines[2]!.netfold(...end, '--key', userKey);
  expect(ended).toMatchObject({ code: 0, err: '' });
  expect(ended.out).toContain('it ends on host-b, host-c, host0');
  for (const other of others) expect(await other.ended).toBe(0);
  await until(() => names.every((name) => !existsSync(experimentFolder(name))), 'nothing is left', 60_000);
  for (const machine of machines) expect((await runIn(machine, 'tc', 'qdisc')).out).not.toContain('4e46:');

  // Each host has kept its own part; machines share their folder of records here, so that the last one to end joins them.
  const whole = () => readDescription(findRecord(names[0]!));
  await until(() => whole().parts?.length === 3 && whole().state === 'complete', 'parts are joined');
  expect(whole()).toMatchObject({ hosts: ['host-b', 'host-c', 'host0'] });
  expect(whole().elsewhere).toBeUndefined();
  const parts = names.slice(1).map((name) => findRecord(name));
  const gathered = await machines[0]!.netfold('records', 'gather', names[0]!, ...parts, '-o', record);
  expect(gathered, gathered.err).toMatchObject({ code: 0 });
  expect(gathered.out).toContain('3 parts, of host-b, host-c, host0');
  const { description, agents, events } = readRecord(record);
  expect(description.placement).toEqual({ 'a.0': 'host0', 'b.0': 'host-b', 'c.0': 'host-c' });
  expect(agents.map(({ host }) => host)).toEqual(['host-b', 'host-c', 'host0']);
  expect(events.map(({ text }) => text)).toEqual(['at 500ms set s--c latency=5ms', 'quit']);
  expect(await changesSince(record, description)).toEqual([]);
  expectVoice(record);
  const exported = join(folder, 'packets');
  expectSuccess(await machines[0]!.netfold('export', record, '--pcapng', '-o', exported));
  expectVoicePackets(record, join(exported, 'packets.pcapng'));
});

it('an agent whose port is in use does not start, says which, and leaves nothing', async () => {
  await begin();
  const taken = spawn('ip', [
    'netns',
    'exec',
    machines[1]!.namespace,
    'iperf3',
    '-s',
    '--forceflush',
    '-p',
    '4646',
  ]);
  onTestFinished(() => void taken.kill('SIGKILL'));
  await once(taken.stdout, 'data');
  const refused = await machines[1]!.netfold(...joining(1, 'b'));
  expect(refused.err).toMatch(/the mesh can't listen: EADDRINUSE.*:4646/);
  expect(refused.code).toBe(3);
  expect(existsSync(experimentFolder(names[1]!))).toBe(false);
});

describe('with an allow-list', () => {
  const list = (): string => join(folder, 'allow.txt');
  const identity = (machine: number): string => join(folder, `identity${machine}`);
  const peerOf = async (machine: number): Promise<string> =>
    (await machines[machine]!.netfold('mesh', 'identity', identity(machine))).out.trim();
  const beginListed = (...more: string[]) =>
    machines[0]!.netfold(
      ...['up', file, '--name', names[0]!, '--at', 'a=eth0', '--elsewhere', '--detach', '--host', 'first'],
      ...['--identity', identity(0), '--allow', list(), ...more],
    );

  it('those that are on it meet, where they say that they are; others are refused', {
    timeout: 90_000,
  }, async () => {
    writeFileSync(list(), `${await peerOf(0)} first\n${await peerOf(1)} host-b b\n`, { mode: 0o600 });
    const up = await beginListed('--announce', '10.9.0.1', '--announce', '[2001:db8::7]:5000');
    expect(up, up.err).toMatchObject({ code: 0 });
    expect(up.out).toContain('--join /ip4/10.9.0.1/tcp/4646 --join /ip6/2001:db8::7/tcp/5000 --experiment');
    expect(up.out).toContain('--at c.0=INTERFACE --identity FOLDER');
    copyFileSync(meshKeyFile(names[0]!), key);
    const words = [...joining(2, 'c'), '--identity', identity(2)];
    const stranger = await machines[2]!.netfold(...words);
    expect(stranger.err).toMatch(/doesn't allow this agent \(`netfold mesh identity`\)/);
    expect(stranger.code).toBe(1);
    const second = machines[1]!.start(...joining(1, 'b'), '--identity', identity(1));
    await until(() => second.output().includes('joined'), 'it joins', 20_000);
    await until(async () => (await status(0, 'first')).known === 2, 'they know each other', 20_000);
    const told = (await callJson(`unix:${agentSocket(names[1]!, 'host-b')}`, '/bootstrap')) as Bootstrap;
    expect(told.mesh.peers.map((peer) => peer.replace(/\/p2p\/.*/, ''))).toEqual(
      expect.arrayContaining(['/ip4/10.9.0.1/tcp/4646', '/ip6/2001:db8::7/tcp/5000']),
    );
    expect(told.mesh.allow).toHaveLength(2);
    // The list assigns b to it: what is its own, it may change.
    const give = (...words: string[]) => machines[1]!.netfold(...words, '--name', names[1]!);
    expectSuccess(await give('set', 'b--s', 'latency=25ms'));
    expect((await give('set', 'a--s', 'latency=25ms')).err).toContain('agent host-b may not give');
    expect((await give('history')).out).toMatch(/agent host-b +set b--s/);
    // No program listens at one of the two addresses; the other one knows the right agent.
    expect((await status(1, 'host-b')).mesh.unreachable).toEqual([]);
    expect((await status(0, 'first')).mesh.rejected.PEER_NOT_ALLOWED).toBeGreaterThan(0);
  });

  it('a list without the first machine: nothing starts', async () => {
    writeFileSync(list(), `${await peerOf(0)} somebody\n`, { mode: 0o600 });
    const refused = await beginListed();
    expect(refused.err).toMatch(/the others would refuse first: .* may only be somebody/);
    expect(refused.code).toBe(1);
    expect(existsSync(experimentFolder(names[0]!))).toBe(false);
  });
});

async function commands(machine: number): Promise<{ history: { text: string }[] }> {
  const { out } = await machines[machine]!.netfold('history', names[machine]!, '--json');
  return { history: JSON.parse(out) };
}

/** Round trips of 30 and 50 ms over one link of 20 Mb/s: 12.5 and 7.5 Mb/s. */
async function expectShares(): Promise<void> {
  const servers = [5201, 5202].map((port) => runIn(machines[2]!, 'iperf3', '-s', '-1', '-p', `${port}`));
  const clients = [0, 1].map((machine) =>
    runIn(
      machines[machine]!,
      'iperf3',
      '-C',
      'cubic',
      '-t',
      '8',
      '-p',
      `${5201 + machine}`,
      '-c',
      '10.9.0.3',
    ),
  );
  const shareOf = async (machine: number, host: string): Promise<number> => {
    const { flows } = await status(machine, host);
    return flows.find(({ to }) => to === 'c.0')?.shareBps ?? 0;
  };
  const isNear = (bps: number, wanted: number): boolean => Math.abs(bps / wanted - 1) < 0.05;
  const areRight = async (): Promise<boolean> =>
    isNear(await shareOf(0, 'host0'), 12.5e6) && isNear(await shareOf(1, 'host-b'), 7.5e6);
  await until(areRight, 'shares are 12.5 and 7.5 Mb/s', 8000);
  await Promise.all([...clients, ...servers]);
}

describe('joining is refused, and leaves nothing,', () => {
  it.each([
    ['where nobody answers', ['--join', '10.9.0.9'], 3, /no agent answers at \/ip4\/10\.9\.0\.9/],
    ['for another experiment', ['--experiment', 'lan'], 1, /runs the experiment test-.*, not lan/],
    ['for a host that is there', ['--host', 'host0'], 1, /there is a host host0/],
    ['for an endpoint that is there', ['--at', 'a=eth0'], 1, /a\.0 is on host0 already/],
    ['for an unknown node', ['--at', 'd=eth0'], 1, /the topology has no "d"/],
    ['with another key', ['--mesh-key', 'OTHER'], 1, /the program at .* does not answer/],
  ])('%s', async (_, change, code, message) => {
    await begin();
    const words = joining(1, 'b');
    words[words.indexOf(change[0]!) + 1] = change[1]!;
    const other = join(folder, 'other.key');
    await machines[1]!.netfold('mesh', 'key', other);
    const refused = await machines[1]!.netfold(...words.map((word) => (word === 'OTHER' ? other : word)));
    expect(refused.err).toMatch(message);
    expect(refused.code).toBe(code);
    expect(existsSync(experimentFolder(names[1]!))).toBe(false);
  });
});

describe('an experiment whose controller was killed', () => {
  const resume = (...more: string[]) => machines[0]!.netfold('resume', names[0]!, ...more);

  it('is resumed: its agents are supervised, and in the end nothing is left', {
    timeout: 90_000,
  }, async () => {
    await begin();
    await joined(1, 'b');
    expect(await resume()).toMatchObject({
      code: 1,
      err: expect.stringContaining('has a controller already'),
    });
    await killController();
    // Whatever files the controller left: its agent has the data.
    for (const left of [stateFile(names[0]!), join(experimentFolder(names[0]!), 'bootstrap')])
      rmSync(left, { recursive: true });
    expectSuccess(await resume('--detach'));
    const before = agentAt(agentSocket(names[0]!, 'host0'));
    kill(0);
    const again = (): number | undefined => agentAt(agentSocket(names[0]!, 'host0'));
    await until(() => (again() ?? before) !== before, 'it is started again', 20_000);
    const log = readFileSync(logFile(names[0]!, 'controller'), 'utf8');
    expect(log).toMatch(/^\d{4}-\S+ the agent of host0 has ended; it is started again$/m);
    await until(
      async () => (await status(0, 'host0').catch(() => undefined))?.known === 2,
      'it is back',
      20_000,
    );
    await expectRoundTrip(0, 1, 60);
    expectSuccess(await machines[0]!.netfold('down', names[0]!));
    expect((await runIn(machines[0]!, 'tc', 'qdisc')).out).not.toContain('4e46:');
    expect(readdirSync('/run/netfold')).not.toContain(names[0]);
    // The others go on.
    expect((await status(1, 'host-b')).state).toBe('running');
  });

  it("can't be resumed without agent and file, and is told what is missing", async () => {
    await begin();
    await killController();
    kill(0);
    rmSync(join(experimentFolder(names[0]!), 'bootstrap'), { recursive: true });
    const refused = await resume();
    expect(refused.err).toMatch(/the agent of host0 does not answer, and its file is gone/);
    expect(refused.code).toBe(3);
    expect(existsSync(stateFile(names[0]!))).toBe(true);
  });
});
