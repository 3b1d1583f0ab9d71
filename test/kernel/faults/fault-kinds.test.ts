/** What the fault suite does to agents really happens to them, and a network that stays broken is noticed. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { HOST_NAMES, possibleKinds } from '../../../bench/faults/faults.ts';
import { HostDates } from '../../../bench/faults/host-dates.ts';
import { type Fault, KINDS, type Part } from '../../../bench/faults/plan.ts';
import { onSmallDisk } from '../../../bench/faults/small-disk.ts';
import { FaultSuite, type Outcome } from '../../../bench/faults/suite.ts';
import { Traces } from '../../../bench/faults/traces.ts';
import type { Experiment } from '../../../controller/experiment/experiment.ts';
import { removeExperiment } from '../../../controller/experiment/teardown.ts';
import { agentAt } from '../../../controller/machine/processes.ts';
import { agentSocket, controllerSocket, experimentFolder, logFolderOf } from '../../../controller/names.ts';
import { lab as labPlatform } from '../../../controller/platform/lab/lab.ts';
import { endpointNamespace } from '../../../controller/platform/lab/lab-names.ts';
import type { Bootstrap } from '../../../proto/bootstrap.ts';
import { callJson } from '../../../proto/http-json.ts';
import type { AgentView } from '../../../proto/view.ts';
import { run, startLab, until } from '../../support/lab/lab.ts';

const TOPOLOGY = `
services: { a: {}, b: {} }
links: [{ from: a, to: b, latency: 5ms, up: 20Mbps, down: 10Mbps }]
`;
const LONG_MS = 2500;

let lab: Experiment;
let dates: HostDates;
let suite: FaultSuite;

beforeEach(async () => {
  dates = new HostDates(HOST_NAMES);
  lab = await startLab(TOPOLOGY, { hosts: 2, platform: onSmallDisk(labPlatform) });
  await lab.run();
  suite = new FaultSuite(lab, dates, 3);
  isStopped = false;
});

/** Of the suite itself; the lab stays. */
let isStopped: boolean;
async function stop(): Promise<void> {
  if (isStopped) return;
  isStopped = true;
  await suite.stop();
  dates.stop();
}
afterEach(stop);

/** Runs one, looks at what it does while it lasts, and expects all to be well afterwards. */
async function during(part: Part, look: () => Promise<void>): Promise<Outcome> {
  const fault: Fault = { kind: 'several', parts: [part] };
  const running = suite.run(fault);
  try {
    await sleep(400);
    await look();
  } finally {
    // Also when the look fails: the lab must not go before the fault is over.
    await running;
  }
  const outcome = await running;
  expect(outcome.agreementMs, outcome.last.join('\n')).toBeLessThan(10_000);
  return outcome;
}

/** The delay line aims at its releases' mean, so that single ones are early by a part of a millisecond. */
const EARLY_MS = 1;
const window = { fromMs: 0, toMs: LONG_MS };
const socketOf = (host: number): string => agentSocket(lab.name, HOST_NAMES[host]!);

/** Between hosts, not endpoints. */
async function pings(from: number, to: number, count = 5): Promise<{ received: number; leastMs: number }> {
  const { hosts } = lab.plan;
  const words = ['-n', '-q', '-i', '0.02', '-W', '0.3', '-c', `${count}`, hosts[to]!.address];
  const { out } = await run('ip', ['netns', 'exec', hosts[from]!.namespace, 'ping', ...words]);
  return {
    received: Number(/(\d+) received/.exec(out)![1]),
    leastMs: Number(/= ([\d.]+)\//.exec(out)?.[1] ?? Number.NaN),
  };
}

function rulesOf(host: number): string {
  const { namespace } = lab.plan.hosts[host]!;
  const words = ['netns', 'exec', namespace, 'nft', 'list', 'ruleset'];
  return spawnSync('ip', words, { encoding: 'utf8' }).stdout;
}

it('links are cut in one direction, and bad in one', { timeout: 60_000 }, async () => {
  const directions = [{ from: 0, to: 1 }];
  await during({ what: 'cut', directions, ...window }, async () => {
    expect((await pings(0, 1)).received).toBe(0);
    expect(rulesOf(1)).toContain(`ip saddr ${lab.plan.hosts[0]!.address} drop`);
    expect(rulesOf(0)).not.toMatch(/ip saddr \S+ drop/);
  });
  expect((await pings(0, 1)).received).toBe(5);
  await during({ what: 'bad', directions, ...window }, async () => {
    const { received, leastMs } = await pings(0, 1, 60);
    expect(leastMs).toBeGreaterThan(100 - EARLY_MS);
    expect(leastMs).toBeLessThan(200);
    expect(received).toBeGreaterThan(30);
    expect(received).toBeLessThan(60);
  });
  const { received, leastMs } = await pings(0, 1, 20);
  expect(received).toBe(20);
  expect(leastMs).toBeLessThan(50);
});

it('agents stand still, die, and have no controller', { timeout: 60_000 }, async () => {
  const pid = agentAt(socketOf(1))!;
  await during({ what: 'pause', host: 1, ...window }, async () => {
    expect(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/.*\) /, '')).toMatch(/^T/);
  });
  expect(agentAt(socketOf(1))).toBe(pid);
  await during({ what: 'kill', host: 1, ...window }, async () => {
    expect(existsSync(`/proc/${pid}`)).toBe(false);
    expect(agentAt(socketOf(1))).toBeUndefined();
  });
  expect(agentAt(socketOf(1))).toBeGreaterThan(0);
  expect(agentAt(socketOf(1))).not.toBe(pid);
  await during({ what: 'controller', ...window }, async () => {
    expect(existsSync(controllerSocket(lab.name))).toBe(false);
  });
  expect(existsSync(controllerSocket(lab.name))).toBe(true);
  // Whoever ends without a fault is a failure, after which the rest goes on.
  process.kill(agentAt(socketOf(0))!, 'SIGKILL');
  await until(() => agentAt(socketOf(0)) === undefined, 'it is gone');
  const { agreementMs, last } = await suite.agree(performance.now());
  expect(agreementMs).toBe(Number.POSITIVE_INFINITY);
  expect(last[0]).toContain('the agent of host0 has ended by itself');
  await during({ what: 'pause', host: 1, fromMs: 0, toMs: 500 }, async () => {});
});

const viewOf = async (host: number): Promise<AgentView> =>
  (await callJson(`unix:${socketOf(host)}`, '/view')) as AgentView;

/** The start of the experiment by this host, from its own present date. */
async function startBy(host: number): Promise<number> {
  return ((await callJson(`unix:${socketOf(host)}`, '/bootstrap')) as Bootstrap).startAt!;
}

it('one host has another date, its agent goes on, and a new one is where the others are', {
  timeout: 60_000,
}, async () => {
  const real = await startBy(0);
  const byMs = 7_200_000;
  await during({ what: 'date', host: 1, byMs, ...window }, async () => {
    expect(Math.abs((await startBy(1)) - real - byMs)).toBeLessThan(1000);
    expect(Math.abs((await startBy(0)) - real)).toBeLessThan(1000);
  });
  expect(Math.abs((await startBy(1)) - real)).toBeLessThan(1000);
  // By the date alone, two hours would be over for it.
  dates.set(HOST_NAMES[1]!, byMs);
  await during({ what: 'kill', host: 1, fromMs: 0, toMs: 500 }, async () => {});
  await until(async () => Math.abs((await startBy(1)) - real - byMs) < 1000, 'it knows the time');
});

it('an agent hangs, lacks what it needs, and loses what it has installed', {
  timeout: 90_000,
}, async (context) => {
  if (possibleKinds().length < KINDS.length) context.skip('no control groups of version 1');
  const pid = agentAt(socketOf(1))!;
  const groupOf = (thread: number): string => readFileSync(`/proc/${pid}/task/${thread}/cgroup`, 'utf8');
  const threads = (): number[] => readdirSync(`/proc/${pid}/task`).map(Number);
  await during({ what: 'hang', host: 1, threads: 'main', ...window }, async () => {
    for (const thread of threads()) expect(groupOf(thread).includes('netfold-hang-')).toBe(thread === pid);
  });
  for (const thread of threads()) expect(groupOf(thread)).not.toContain('netfold-hang-');

  const softLimit = async (name: string): Promise<string> => {
    const words = ['--pid', `${pid}`, `--${name}`, '--output', 'SOFT', '--noheadings'];
    return (await run('prlimit', words)).out.trim();
  };
  const before = await softLimit('nofile');
  await during({ what: 'short', host: 1, of: 'descriptors', ...window }, async () => {
    expect(Number(await softLimit('nofile'))).toBeLessThan(1000);
  });
  expect(await softLimit('nofile')).toBe(before);
  await during({ what: 'short', host: 1, of: 'files', ...window }, async () => {
    expect(await softLimit('fsize')).toBe('1');
  });
  expect(await softLimit('fsize')).toBe('unlimited');

  const rules = (): string => {
    const words = ['netns', 'exec', endpointNamespace(lab.name, 'b.0'), 'nft', 'list', 'ruleset'];
    return spawnSync('ip', words, { encoding: 'utf8' }).stdout;
  };
  const right = rules();
  expect(right).toContain('netfold');
  await during({ what: 'take', object: 'rules', endpoints: [1], everyMs: 50, ...window }, async () => {
    await until(async () => rules() === '', 'the rules are gone');
  });
  expect(rules()).toBe(right);

  // Last, as the kernel may end it.
  await during({ what: 'short', host: 1, of: 'memory', ...window }, async () => {
    if (existsSync(`/proc/${pid}`)) expect(groupOf(pid)).toContain('netfold-short-');
  });
  expect(agentAt(socketOf(1))).toBeGreaterThan(0);
});

it('the disk is full: what is commanded is in force, and told until it is written down', {
  timeout: 60_000,
}, async () => {
  const journal = join(logFolderOf(lab.name), 'host1.commands');
  const command = { host: 0, atMs: 300, text: 'set a--b latency=9ms' };
  const fault: Fault = { kind: 'disk', parts: [{ what: 'disk', ...window }], command };
  const running = suite.run(fault);
  const free = (): number => statfsSync(experimentFolder(lab.name)).bavail;
  await until(() => free() === 0, 'nothing is free');
  await until(async () => (await viewOf(1)).degraded.join().includes('keeping commands'), 'it is told');
  expect(existsSync(journal) ? readFileSync(journal, 'utf8') : '').not.toContain('latency=9ms');
  const { agreementMs, last } = await running;
  expect(agreementMs, last.join('\n')).toBeLessThan(10_000);
  expect(readFileSync(journal, 'utf8')).toContain('latency=9ms');
  expect(free()).toBeGreaterThan(0);
});

it('a link that stays cut, and what an experiment leaves, are found', { timeout: 90_000 }, async () => {
  const traces = new Traces(lab.name);
  const { namespace } = lab.plan.hosts[1]!;
  const cut =
    'table inet t {\nchain c { type filter hook input priority 0; ip saddr 100.64.0.0/10 drop; }\n}\n';
  const nft = spawnSync('ip', ['netns', 'exec', namespace, 'nft', '-f', '-'], { input: cut });
  expect(nft.status).toBe(0);
  // Until they have missed each other, they agree.
  await until(async () => (await viewOf(0)).members.length === 1, 'they are silent to each other');
  const { agreementMs, last } = await suite.agree(performance.now());
  expect(agreementMs).toBe(Number.POSITIVE_INFINITY);
  expect(last.join('\n')).toMatch(/members of host0: -.*host1/);
  const left = traces.left().join('\n');
  expect(left).toContain(`namespace ${endpointNamespace(lab.name, 'a.0')}`);
  expect(left).toContain(`process ${agentAt(socketOf(0))}`);
  expect(left).toContain(`/run/netfold/${lab.name}`);
  await stop();
  await removeExperiment(lab.name, undefined, lab.platform);
  expect(traces.left()).toEqual([]);
});
