/** Things are removed from netfold while it runs: the rest continues, and status shows what fails. */
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { NETLINK_ROUTE, NetlinkSocket } from '../../../agent/kernel/netlink/netlink-socket.ts';
import { setUp } from '../../../agent/kernel/netlink/rtnetlink.ts';
import { removeNamespace, within } from '../../../agent/kernel/netns/namespaces.ts';
import { startTimeOf } from '../../../agent/kernel/sys/process-table.ts';
import { forceReceiveBuffer } from '../../../agent/kernel/sys/sockets.ts';
import type { Experiment } from '../../../controller/experiment/experiment.ts';
import { processesIn } from '../../../controller/machine/processes.ts';
import { dataFolder } from '../../../controller/names.ts';
import { ping } from '../../../controller/verify/traffic.ts';
import { Verification } from '../../../controller/verify/verify.ts';
import { layCable } from '../../support/kernel/veth-pair.ts';
import { place, run, runIn, startLab, until } from '../../support/lab/lab.ts';
import { expectSuccess } from '../../support/lab/succeeds.ts';

const TOPOLOGY = `
services: { a: {}, b: {}, c: {} }
bridges: [s]
links:
  - { from: a, to: s, latency: 20ms, up: 10Mbps, down: 3Mbps }
  - { from: b, to: s, latency: 5ms, bandwidth: 10Mbps }
  - { from: c, to: s, latency: 1ms, bandwidth: 10Mbps }
`;

/** So many endpoints that an audit in turn takes 12 s; their pairs are all made from the start. */
const CROWD = 60;
const CROWDED = `
services: { a: {}, b: {}, c: { replicas: ${CROWD} } }
bridges: [s]
links:
  - { from: a, to: s, latency: 20ms, bandwidth: 10Mbps }
  - { from: b, to: s, latency: 5ms, bandwidth: 10Mbps }
  - { from: c, to: s, latency: 1ms, bandwidth: 10Mbps }
`;
const SOON_MS = 3000;

async function degraded(lab: Experiment): Promise<readonly string[]> {
  return (await lab.statuses()).flatMap((status) => status.degraded);
}

async function roundTrip(lab: Experiment): Promise<number> {
  return (await ping(place(lab, 'a'), place(lab, 'b'), 5, 20)).meanMs;
}

const roots = async (lab: Experiment, node: string): Promise<string> =>
  (await runIn(place(lab, node), 'tc', 'qdisc', 'show', 'dev', 'eth0')).out;

describe('while an experiment runs', () => {
  it('an interface that disappears is named, and the others go on', async () => {
    const lab = await startLab(TOPOLOGY);
    const { host, number } = lab.plan.endpoints.find(({ name }) => name === 'c.0')!;
    await run('ip', ['-n', host.namespace, 'link', 'delete', `e${number}`]);
    await until(async () => (await degraded(lab)).length > 0, 'status says so');
    expect(await degraded(lab)).toEqual([
      expect.stringMatching(/^c\.0: .*no interface eth0 \(index 2\) any more/),
    ]);
    expect(await roundTrip(lab)).toBeGreaterThan(50);
  });

  it('a namespace that dies takes its endpoint only, and is named', async () => {
    const lab = await startLab(TOPOLOGY, { delayBackend: 'delay-line' });
    const { namespace } = place(lab, 'c');
    removeNamespace(namespace);
    expect(await roundTrip(lab)).toBeGreaterThan(50);
    expect((await lab.statuses())[0]!.state).toBe('ready');
    await until(async () => (await degraded(lab)).length > 0, 'status says so');
    expect(await degraded(lab)).toEqual([expect.stringMatching(/^c\.0: .*namespace/)]);
    await lab.stop();
    expect((await run('ip', ['netns', 'list'])).out).not.toContain(lab.name);
  });

  it('packets that leave late are named, until they leave on time again', async () => {
    const lab = await startLab(TOPOLOGY);
    const pings = ping(place(lab, 'a'), place(lab, 'b'), 300, 10);
    const { host } = lab.plan.endpoints[0]!;
    const agent = processesIn([host.namespace])[0]!;
    await sleep(500);
    process.kill(agent, 'SIGSTOP');
    await sleep(1000);
    process.kill(agent, 'SIGCONT');
    await until(async () => (await degraded(lab)).length > 0, 'status says so');
    expect(await degraded(lab)).toEqual([
      expect.stringMatching(/^\d+ packets of the last 5 s left \d+\.\d ms late/),
    ]);
    await pings;
    await until(async () => (await degraded(lab)).length === 0, 'all is well again');
    const [release] = await new Verification(lab).releases();
    expect(release).toMatchObject({ what: 'release', ok: false });
  });

  it('an agent that stays stopped cuts nobody off, and says afterwards what has passed undelayed', async () => {
    const lab = await startLab(TOPOLOGY, { delayBackend: 'delay-line' });
    const agent = processesIn([lab.plan.endpoints[0]!.host.namespace])[0]!;
    const shortest = async (): Promise<number> => {
      const { out } = await runIn(place(lab, 'a'), 'ping', '-c1', '-W1', place(lab, 'b').address);
      return Number(/time=([\d.]+)/.exec(out)?.[1] ?? Number.NaN);
    };
    expect(await shortest()).toBeGreaterThan(50);
    process.kill(agent, 'SIGSTOP');
    try {
      // Lost at first: what was on its way into the queue waits there.
      await until(async () => (await shortest()) < 25, 'packets pass by the queue');
    } finally {
      process.kill(agent, 'SIGCONT');
    }
    await until(async () => (await degraded(lab)).some((one) => /did not run/.test(one)), 'status says so');
    expect(await roundTrip(lab)).toBeGreaterThan(50);
  });

  it('an application that fills the room for data is told of, until there is room again', async () => {
    const lab = await startLab(TOPOLOGY);
    const folder = dirname(dataFolder(lab.name, 'any'));
    await run('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'none', folder]);
    try {
      await runIn(place(lab, 'a'), 'sh', '-c', `head -c 30M /dev/zero >${folder}/filled`);
      await until(async () => (await degraded(lab)).length > 0, 'status says so');
      expect(await degraded(lab)).toEqual([expect.stringMatching(/^only 2 MiB are free where .*\/data is/)]);
      expect(await roundTrip(lab)).toBeGreaterThan(50);
      await run('rm', [`${folder}/filled`]);
      await until(async () => (await degraded(lab)).length === 0, 'all is well again');
    } finally {
      await run('umount', [folder]);
    }
  });

  it('an agent without descriptors says so and goes on, until it has some again', async () => {
    const lab = await startLab(TOPOLOGY, { delayBackend: 'delay-line' });
    const agent = processesIn([lab.plan.endpoints[0]!.host.namespace])[0]!;
    const numbers = readdirSync(`/proc/${agent}/fd`).map(Number);
    // One is left, for the question about the status; reading back takes two.
    let limit = 0;
    while (limit - numbers.filter((number) => number < limit).length < 1) limit++;
    const allow = (most: number): Promise<unknown> =>
      run('prlimit', ['--pid', `${agent}`, `--nofile=${most}:`]);
    const { out } = await run('prlimit', [
      '--pid',
      `${agent}`,
      '--nofile',
      '--output',
      'SOFT',
      '--noheadings',
    ]);
    await allow(limit);
    await until(async () => (await degraded(lab)).length > 0, 'status says so');
    expect((await degraded(lab)).join()).toContain('EMFILE');
    await allow(Number(out));
    await until(async () => (await degraded(lab)).length === 0, 'all is well again');
    expect(await roundTrip(lab)).toBeGreaterThan(50);
  });

  it("netfold's root that somebody deletes is put back", async () => {
    const lab = await startLab(TOPOLOGY);
    const before = await roots(lab, 'a');
    await runIn(place(lab, 'a'), 'tc', 'qdisc', 'delete', 'dev', 'eth0', 'root');
    await until(async () => (await roots(lab, 'a')).includes('htb 4e46:'), 'it is back');
    // The kernel chooses the queues' handles, and lists them by these; it counts what netfold doesn't shape, such as ARP.
    const withoutHandles = (text: string): string =>
      text
        .replaceAll(/(fifo|netem) [0-9a-f]+:/g, '$1')
        .replace(/direct_packets_stat \d+/, '')
        .split('\n')
        .sort()
        .join('\n');
    await until(
      async () => withoutHandles(await roots(lab, 'a')) === withoutHandles(before),
      'all classes have their queues',
    );
    expect(await degraded(lab)).toEqual([]);
    expect(await roundTrip(lab)).toBeGreaterThan(50);
  });

  it('what somebody removes is put back soon, however many endpoints there are, and a loop of it is bounded and named', async () => {
    const lab = await startLab(CROWDED, { delayBackend: 'delay-line' });
    const b = place(lab, 'b');
    const state = async (): Promise<{ corrected: number; cpuSeconds: number }> => {
      const { corrected = 0, cpuSeconds } = (await lab.statuses())[0]!;
      return { corrected, cpuSeconds };
    };
    const isBack = async (): Promise<boolean> => {
      const rules = (await runIn(b, 'nft', 'list', 'ruleset')).out;
      const filters = (await runIn(b, 'tc', 'filter', 'show', 'dev', 'eth0', 'ingress')).out;
      const isHeld = rules.includes('prerouting') && rules.includes('eth0') && filters.includes('bpf');
      return isHeld && (await roots(lab, 'b')).includes('htb 4e46:');
    };
    const soon = (what: string): Promise<void> => until(isBack, what, SOON_MS);
    expect(await isBack()).toBe(true);
    await runIn(b, 'nft', 'flush', 'ruleset');
    await soon('the rule is back');
    // As many rules as before, with another meaning.
    const accept = 'flush chain inet netfold arrivals; add rule inet netfold arrivals accept';
    expectSuccess(await runIn(b, 'nft', accept));
    await soon('the rule is what it was');
    await runIn(b, 'tc', 'qdisc', 'delete', 'dev', 'eth0', 'clsact');
    await soon('the programs are back');
    expect(await roundTrip(lab)).toBeGreaterThan(50);
    expect((await state()).corrected).toBe(3);
    // The rule holds for the interface, whatever it is called.
    await runIn(b, 'ip', 'link', 'set', 'dev', 'eth0', 'name', 'other0');
    expect(await roundTrip(lab)).toBeGreaterThan(50);
    await runIn(b, 'ip', 'link', 'set', 'dev', 'other0', 'name', 'eth0');
    await runIn(b, 'tc', 'qdisc', 'delete', 'dev', 'eth0', 'root');
    await soon('the root is back');
    await until(async () => (await degraded(lab)).length > 0, 'status says so');
    expect(await degraded(lab)).toEqual([
      expect.stringMatching(/^b\.0: somebody removes what netfold.* put back \d times/),
    ]);
    const before = await state();
    const start = performance.now();
    const loop =
      'end=$(($(date +%s) + 6)); while [ $(date +%s) -lt $end ]; do tc qdisc del dev eth0 root; done 2>/dev/null';
    await runIn(b, 'sh', '-c', loop);
    const seconds = (performance.now() - start) / 1000;
    const after = await state();
    expect(after.corrected - before.corrected).toBeGreaterThan(2);
    expect(after.corrected - before.corrected).toBeLessThan(6 + 2 * seconds);
    expect((after.cpuSeconds - before.cpuSeconds) / seconds).toBeLessThan(0.6);
    await soon('all is back when the loop has ended');
    await until(async () => (await degraded(lab)).length === 0, 'status is clean again', 30_000);
    expect(await roundTrip(lab)).toBeGreaterThan(50);
  });

  it("somebody's root in its place is named, and stays", async () => {
    const lab = await startLab(TOPOLOGY);
    const command = 'tc qdisc replace dev eth0 root handle 9: pfifo limit 77';
    await runIn(place(lab, 'c'), ...command.split(' '));
    await until(async () => (await degraded(lab)).length > 0, 'status says so');
    expect(await degraded(lab)).toEqual([
      expect.stringMatching(/^c\.0: eth0 .*"pfifo 9:" that is not netfold's/),
    ]);
    expect(await roots(lab, 'c')).toContain('pfifo 9: root');
    await runIn(place(lab, 'c'), 'tc', 'qdisc', 'delete', 'dev', 'eth0', 'root');
    await until(async () => (await degraded(lab)).length === 0, 'all is well again');
    expect(await roots(lab, 'c')).toContain('htb 4e46:');
  });
});

it('answers that the kernel could not deliver are an error, and the next request is answered', () => {
  const cable = layCable();
  try {
    const socket = within(cable.a.namespace, () => new NetlinkSocket(NETLINK_ROUTE));
    forceReceiveBuffer(socket.fd, 1);
    const many = Array.from({ length: 100 }, () => setUp(99));
    expect(() => socket.batch(many)).toThrow(
      expect.objectContaining({
        code: 'NETLINK_OVERRUN',
        errno: 105,
        remedy: expect.stringMatching(/again/),
      }),
    );
    expect(socket.batch([setUp(2)])).toMatchObject([{ errno: 0 }]);
    socket.close();
  } finally {
    cable.remove();
  }
});

it('of a batch every request has its verdict, whichever are refused', () => {
  const cable = layCable();
  try {
    const socket = within(cable.a.namespace, () => new NetlinkSocket(NETLINK_ROUTE));
    const errors = (...links: number[]): number[] => socket.batch(links.map(setUp)).map(({ errno }) => errno);
    const ENODEV = 19;
    expect(errors(99, 1, 99, 2)).toEqual([ENODEV, 0, ENODEV, 0]);
    expect(errors(1, 2, 99)).toEqual([0, 0, ENODEV]);
    socket.close();
  } finally {
    cable.remove();
  }
});

it('in a time namespace, the clock is the one of BPF programs', async () => {
  const file = join(import.meta.dirname, '../../../agent/kernel/bpf/kernel-clock.ts');
  const script = `
    import { kernelMonotonicNanos } from ${JSON.stringify(file)};
    process.stdout.write(kernelMonotonicNanos() + ' ' + process.hrtime.bigint());`;
  const words = ['--time', '--monotonic', '86400', '--fork', process.execPath];
  const before = process.hrtime.bigint();
  const { out, err } = await run('unshare', [...words, '--input-type=module', '-e', script]);
  expect(err).toBe('');
  const [kernel, own] = out.split(' ').map(BigInt);
  const day = 86_400n * 1_000_000_000n;
  expect(own! - kernel!).toBeGreaterThan(day - 1_000_000_000n);
  expect(kernel! >= before && kernel! <= process.hrtime.bigint()).toBe(true);
});

it('in a time namespace, a process has the start time that others see', async () => {
  const file = join(import.meta.dirname, '../../../agent/kernel/sys/process-table.ts');
  const script = `
    import { kernelStartTimeOf, startTimeOf } from ${JSON.stringify(file)};
    process.stdout.write(kernelStartTimeOf(${process.pid}) + ' ' + startTimeOf(${process.pid}));`;
  const words = ['--time', '--boottime', '86400', '--fork', process.execPath];
  const { out, err } = await run('unshare', [...words, '--input-type=module', '-e', script]);
  expect(err).toBe('');
  const [kernel, own] = out.split(' ').map(Number);
  expect(Math.abs(kernel! - startTimeOf(process.pid)!)).toBeLessThanOrEqual(1);
  expect(own! - kernel!).toBe(86_400 * 100);
});
