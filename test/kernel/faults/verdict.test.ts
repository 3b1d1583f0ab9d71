/**
 * What disturbs a run is provoked for real, and named with its host and path; an undisturbed run is faithful. How soon is a
 * matter of the machine: causes are awaited.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { parseStat } from '../../../agent/health/machine-load.ts';
import { fillQueue, sendPastQueue, useProcessors } from '../../../bench/verdict/applications.ts';
import { verdictOf } from '../../../bench/verdict/asked.ts';
import {
  cutAgent,
  cutTo,
  joinByCable,
  loseBetweenHosts,
  queueTo,
} from '../../../bench/verdict/real-network.ts';
import type { PathRow } from '../../../controller/fidelity/path-proofs.ts';
import { processesIn } from '../../../controller/machine/processes.ts';
import type { Place } from '../../../controller/verify/traffic.ts';
import { netfold } from '../../support/lab/cli.ts';
import { experimentName, place, runIn, startLab, until } from '../../support/lab/lab.ts';
import { disturbed, named } from '../../support/lab/verdict.ts';

const TOPOLOGY = `
services: { a: {}, b: {}, c: {}, d: {}, far: {} }
bridges: [s]
links:
  - { from: a, to: s, latency: 20ms, up: 10Mbps, down: 30Mbps }
  - { from: b, to: s, latency: 5ms, bandwidth: 20Mbps }
  - { from: c, to: s, latency: 2ms, bandwidth: 1Gbps }
  - { from: d, to: s, latency: 1ms, bandwidth: 1Gbps }
  - { from: far, to: s, latency: 8s, bandwidth: 1Gbps }
events:
  - at 2s set b--s latency=10ms
`;
/** What a machine says of itself that has more to do than this test: other tests beside it. */
const OF_LOAD = new Set([
  'CPU_SATURATED',
  'CPU_STOLEN',
  'PACKETS_LATE',
  'TICKS_LATE',
  'EVENTS_LATE',
  'AGENT_BUSY',
  'RTT_LONG',
  'PROBES_LOST',
]);
const FREE = 0.25;
const QUICKSTART = join(import.meta.dirname, '../../../examples/quickstart.yaml');

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function start(command: string, ...words: string[]): ChildProcess {
  const child = spawn(command, words, { stdio: 'ignore' });
  children.push(child);
  return child;
}

const startIn = ({ namespace }: Place, ...words: string[]): ChildProcess =>
  start('ip', 'netns', 'exec', namespace, ...words);

/** A TCP stream, from one to the other; resolves when it has ended. */
async function stream(from: Place, to: Place, rate: string, seconds: number): Promise<void> {
  startIn(to, 'iperf3', '-s', '-1');
  const client = () => runIn(from, 'iperf3', '-c', to.address, '-b', rate, '-t', `${seconds}`);
  await until(async () => (await client()).code === 0, 'the server listens');
}

/** Some 200 datagrams of 1,200 bytes a second: enough to be a flow, and no queue forms. */
const TRICKLE = `use Socket; use Time::HiRes "sleep"; socket(my $s, PF_INET, SOCK_DGRAM, 0); my $to = pack_sockaddr_in(9, inet_aton($ARGV[0]));
while (1) { send($s, "x" x 1200, 0, $to); sleep(0.005); }`;

it('an undisturbed run is faithful; rules that somebody changes, replaces or goes around are named', {
  timeout: 120_000,
}, async () => {
  const lab = await startLab(TOPOLOGY, { hosts: 2, delayBackend: 'delay-line' });
  const [a, b, c] = ['a', 'b', 'c'].map((name) => place(lab, name)) as [Place, Place, Place];
  const hostOf = (name: string): string => lab.plan.endpoints.find((one) => one.name === name)!.host.name;
  const before = parseStat(readFileSync('/proc/stat', 'utf8'));
  await lab.run();
  await stream(a, b, '5M', 3);
  const after = parseStat(readFileSync('/proc/stat', 'utf8'));
  const quiet = await verdictOf(lab);
  const isFree = after.idle - before.idle > FREE * (after.total - before.total);
  const alarms = quiet.causes.filter(({ code }) => isFree || !OF_LOAD.has(code));
  expect(alarms).toEqual([]);
  expect(quiet.since).not.toBeNull();

  // Proof of the path that was used: read back at both ends, and measured by TCP.
  const used = async (): Promise<PathRow> => {
    const { paths } = JSON.parse((await netfold('verdict', lab.name, '--paths', '--json')).stdout);
    return paths.find(({ from, to }: PathRow) => from === 'a.0' && to === 'b.0');
  };
  expect(await used()).toMatchObject({ fromHost: hostOf('a.0'), toHost: hostOf('b.0'), roundTripMs: 60 });
  // The event has changed it: it is read back at the next look at what is installed.
  const wasRead = ({ inForceSince, readBackAt }: PathRow): boolean =>
    inForceSince !== null && readBackAt !== null && inForceSince <= readBackAt;
  await until(async () => wasRead(await used()), 'both ends were read back', 30_000);

  await runIn(b, 'tc', 'qdisc', 'delete', 'dev', 'eth0', 'root');
  await named(lab, 'RULES_CHANGED', hostOf('b.0'), 'b.0 > *');
  await runIn(a, 'nft', 'flush', 'ruleset');
  await named(lab, 'RULES_CHANGED', hostOf('a.0'), '* > a.0');
  await runIn(c, 'tc', 'qdisc', 'replace', 'dev', 'eth0', 'root', 'handle', '9:', 'pfifo', 'limit', '77');
  expect(await named(lab, 'NOT_ENFORCED', hostOf('c.0'), 'c.0 > *')).toMatchObject({ weight: 'invalid' });
  await runIn(c, 'tc', 'qdisc', 'delete', 'dev', 'eth0', 'root');

  await sendPastQueue(disturbed(lab), 'b');
  await named(lab, 'QUEUE_BYPASSED', hostOf('b.0'), 'b.0 > *');

  // More than the queue has room for is under way to who is 8 s away; a busy machine sends that much in some more time.
  const drain = await fillQueue(disturbed(lab), 'c', 'far');
  expect(await named(lab, 'QUEUE_OVERFLOW', hostOf('far.0'), null)).toMatchObject({ weight: 'degraded' });
  drain();

  // A cable between the two that netfold knows nothing of.
  await joinByCable(disturbed(lab), 'a', 'b');
  const passing = stream(a, b, '1M', 6);
  expect(await named(lab, 'RTT_SHORT', hostOf('a.0'), 'a.0 > b.0')).toMatchObject({ weight: 'invalid' });
  await passing;

  // Nothing but UDP, over a real network that drops what is longer than a bucket of 60 bytes: only probes can tell.
  const d = place(lab, 'd');
  const udp = startIn(d, 'perl', '-e', TRICKLE, c.address);
  const row = async (): Promise<PathRow | undefined> => {
    const { paths: rows } = JSON.parse((await netfold('verdict', lab.name, '--paths', '--json')).stdout);
    return rows.find(({ from, to }: PathRow) => from === 'd.0' && to === 'c.0');
  };
  const probed = async () => (await row())?.probes;
  await until(async () => ((await probed())?.sent ?? 0) > 3, 'd > c is probed', 20_000);
  const works = async (): Promise<boolean> => {
    const { worksSince = null, inForceSince = null } = (await row()) ?? {};
    return worksSince !== null && inForceSince !== null && worksSince >= inForceSince;
  };
  await until(works, 'd > c is seen to work', 20_000);
  // When an answer arrived, not when it was read, a turn later.
  const { latestMs } = (await probed())!;
  expect(latestMs).toBeGreaterThan(2.5);
  expect(latestMs).toBeLessThan(50);
  // A queue on the way that netfold knows nothing of, filled from the host.
  const empty = await queueTo(disturbed(lab), 'c');
  const long = await named(lab, 'RTT_LONG', hostOf('d.0'), 'd.0 > c.0');
  expect([long.weight, long.measured > long.bound]).toEqual(['degraded', true]);
  await empty();
  const goingOn = async (): Promise<string[]> =>
    (await verdictOf(lab)).causes.flatMap(({ code, path, until: end, measured, bound }) =>
      path === 'd.0 > c.0' && end === null ? [`${code} ${measured} (${bound})`] : [],
    );
  await until(async () => (await goingOn()).length === 0, 'd > c is as it was', 20_000).catch(
    async (error) => {
      throw new Error(`${error.message}: ${await goingOn()}; probes: ${JSON.stringify(await probed())}`);
    },
  );
  await cutTo(disturbed(lab), 'c');
  expect(await named(lab, 'PROBES_LOST', hostOf('d.0'), 'd.0 > c.0')).toMatchObject({ weight: 'degraded' });
  udp.kill('SIGKILL');

  const { code, stdout } = await netfold('verdict', lab.name);
  expect([code, stdout]).toEqual([
    4,
    expect.stringMatching(/✗ invalid since [\s\S]*✗ RTT_SHORT {2}.* a\.0 > b\.0/),
  ]);
  const status = JSON.parse((await netfold('status', lab.name, '--json')).stdout);
  expect(status.verdict).toMatchObject({ verdict: 'invalid' });
});

it('a stopped agent, a cut mesh, a lossy network and a machine without idle time are named', {
  timeout: 120_000,
}, async () => {
  const lab = await startLab(TOPOLOGY, { hosts: 2, delayBackend: 'delay-line' });
  const [host0, host1] = lab.plan.hosts;
  await lab.run();
  const agent = processesIn([host1!.namespace])[0]!;
  const isNear = ({ name }: { name: string }): boolean => !name.startsWith('far');
  const here = lab.plan.endpoints.find((one) => isNear(one) && one.host.name === host0!.name)!;
  const there = lab.plan.endpoints.find((one) => isNear(one) && one.host.name === host1!.name)!;
  const roundTrip = async (): Promise<number> => {
    const { out } = await runIn(here, 'ping', '-c1', '-W1', there.address);
    return Number(/time=([\d.]+)/.exec(out)?.[1] ?? Number.NaN);
  };
  const isBegun = async (): Promise<boolean> =>
    (await lab.statuses()).every(({ nowMs }) => nowMs !== null && nowMs > 2500);
  await until(isBegun, 'both run, and have judged twice', 20_000);
  const whole = await roundTrip();
  expect(whole).toBeGreaterThan(5);
  process.kill(agent, 'SIGSTOP');
  try {
    await named(lab, 'HOST_SILENT', host1!.name, null);
    const { causes } = await verdictOf(lab);
    expect(causes).toContainEqual(expect.objectContaining({ code: 'AGENT_SILENT', host: host1!.name }));
    // What arrives at its endpoints passes by its queue in the end.
    await until(async () => (await roundTrip()) < 0.7 * whole, 'packets pass by the queue', 20_000);
  } finally {
    process.kill(agent, 'SIGCONT');
  }
  const stall = await named(lab, 'AGENT_STALLED', host1!.name, null);
  expect(stall.measured).toBeGreaterThan(1000);
  await named(lab, 'PACKETS_UNDELAYED', host1!.name, null);
  await until(
    async () =>
      (await verdictOf(lab)).causes.every((one) => one.code !== 'HOST_SILENT' || one.until !== null),
    'it is heard again',
    20_000,
  );

  const mend = await cutAgent(disturbed(lab), 1);
  const isCut = async (host: string): Promise<boolean> =>
    (await verdictOf(lab)).causes.some(
      (one) => one.code === 'HOST_SILENT' && one.host === host && one.until === null,
    );
  await until(
    async () => (await isCut(host0!.name)) && (await isCut(host1!.name)),
    'each says that the other is silent',
    20_000,
  );
  await mend();

  // Each way, the real network between the two loses three packets in ten.
  const heard = async (): Promise<boolean> => !(await isCut(host0!.name)) && !(await isCut(host1!.name));
  await until(heard, 'both hear of each other again', 20_000);
  const losesNothing = await loseBetweenHosts(disturbed(lab));
  const loss = await named(lab, 'UNDERLAY_LOSSY', host1!.name, null);
  expect([loss.weight, loss.measured > loss.bound]).toEqual(['degraded', true]);
  await losesNothing();

  const leaveProcessors = useProcessors();
  try {
    const full = await named(lab, 'CPU_SATURATED', host0!.name, null);
    expect([full.weight, full.measured]).toEqual(['degraded', expect.closeTo(0, 1)]);
  } finally {
    leaveProcessors();
  }
});

it('the quickstart, undisturbed, is faithful at its end, and up --strict says so', {
  timeout: 120_000,
}, async () => {
  const before = parseStat(readFileSync('/proc/stat', 'utf8'));
  const { code, stdout } = await netfold(
    'up',
    QUICKSTART,
    '--name',
    experimentName(),
    '--duration',
    '8s',
    '--strict',
  );
  const after = parseStat(readFileSync('/proc/stat', 'utf8'));
  const isFree = after.idle - before.idle > FREE * (after.total - before.total);
  const codes = [...stdout.matchAll(/^ {2}[!✗] ([A-Z_]+) /gm)].map(([, one]) => one!);
  expect(codes.filter((one) => isFree || !OF_LOAD.has(one))).toEqual([]);
  expect([code, stdout]).toEqual(
    codes.length === 0
      ? [0, expect.stringMatching(/: ✓ faithful since /)]
      : [4, expect.stringMatching(/: ! degraded since /)],
  );
});
