/** Hosts that are away while their experiment ends on all others. */
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { messengers } from '../../../agent/messenger/places.ts';
import { agentStatus } from '../../../controller/experiment/agents.ts';
import { agentsOf } from '../../../controller/machine/processes.ts';
import { endMessengers } from '../../../controller/messenger/end-messengers.ts';
import { experimentFolder, meshKeyFile, userKeyFile } from '../../../controller/names.ts';
import { endedAt, keepService, serviceFolder } from '../../../controller/service/service-files.ts';
import { experimentName, runIn, until } from '../../support/lab/lab.ts';
import { connectMachines, type Machine } from '../../support/lab/machines.ts';

const TOPOLOGY = `
services: { a: {}, b: {}, c: {} }
bridges: [s]
links:
  - { from: a, to: s, latency: 10ms, bandwidth: 100Mbps }
  - { from: b, to: s, latency: 20ms, bandwidth: 100Mbps }
  - { from: c, to: s, latency: 1ms, up: 20Mbps, down: 50Mbps }
`;

/** Where a thread does not end on a crowded machine, the kernel ends the process, after everything is removed (agent/daemon/main.ts). */
const ENDED: readonly unknown[] = [0, 'SIGALRM'];

let folder: string;
let machines: Machine[];
let remove: () => void;
/** Of the experiment on each machine; they share a file system. */
let names: [string, string, string];
const file = (name: string): string => join(folder, name);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-absent-'));
  ({ machines, remove } = connectMachines(3));
  names = [experimentName(), experimentName(), experimentName()];
  writeFileSync(file('wan.yaml'), TOPOLOGY);
  const words = ['up', file('wan.yaml'), '--name', names[0], '--at', 'a=eth0', '--elsewhere', '--detach'];
  const up = await machines[0]!.netfold(...words);
  expect(up, up.err).toMatchObject({ code: 0 });
  copyFileSync(meshKeyFile(names[0]), file('mesh.key'));
  copyFileSync(userKeyFile(names[0]), file('user.key'));
}, 240_000);

afterEach(async () => {
  await endMessengers(names[0]);
  remove();
  rmSync(folder, { recursive: true });
});

const joining = (endpoint: string, at = [0]): string[] => [
  ...at.flatMap((machine) => ['--join', machines[machine]!.address]),
  ...['--experiment', names[0], '--mesh-key', file('mesh.key')],
  ...['--host', `host-${endpoint}`, '--at', `${endpoint}=eth0`],
];

function joinAs(machine: number, endpoint: string, at?: number[]) {
  const started = machines[machine]!.start('agent', ...joining(endpoint, at), '--name', names[machine]!);
  return {
    ...started,
    ended: new Promise<unknown>((end) => started.child.once('exit', (code, signal) => end(code ?? signal))),
  };
}

/** Each of host0 and host-b knows so many hosts. */
async function untilHosts(hosts: number): Promise<void> {
  const knows = async (machine: number, host: string): Promise<boolean> => {
    const status = await agentStatus(names[machine]!, host).catch(() => undefined);
    return status?.hosts.length === hosts && status.state === 'running';
  };
  const all = async (): Promise<boolean> => (await knows(0, 'host0')) && (await knows(1, 'host-b'));
  await until(all, `they know ${hosts} hosts`, 240_000);
}

const endAll = () => machines[1]!.netfold('down', names[1], '--everywhere', '--key', file('user.key'));
const waiting = () => messengers().filter(({ message }) => message.bootstrap.experiment === names[0]);

async function untilNobodyWaits(): Promise<void> {
  await until(() => waiting().length === 0, 'nobody waits any more', 60_000).catch((error: Error) => {
    const left = waiting().map(({ message, process: one }) => [message.bootstrap.host, message.untold, one]);
    throw new Error(`${error.message}: ${JSON.stringify(left)}`);
  });
}

it('one that was stopped ends when it goes on, and nothing is left anywhere', {
  timeout: 400_000,
}, async () => {
  const b = joinAs(1, 'b');
  const c = joinAs(2, 'c');
  await untilHosts(3);
  const [agent] = agentsOf(names[2]);
  process.kill(agent!, 'SIGSTOP');
  await untilHosts(2);
  const end = await endAll();
  expect(end.err).toContain('host-c could not be told');
  expect(end.out).toMatch(/it ends on host-b, host0$/m);
  expect(ENDED, b.output()).toContain(await b.ended);
  await until(() => !existsSync(experimentFolder(names[0])), 'host0 has ended', 120_000);
  for (const machine of machines.slice(0, 2))
    expect((await runIn(machine, 'tc', 'qdisc')).out).not.toContain('4e46:');
  await until(() => waiting().filter((one) => one.process?.listens).length === 2, 'two wait for it', 240_000);
  expect(waiting().map(({ message }) => message.untold.map(({ name }) => name))).toEqual([
    ['host-c'],
    ['host-c'],
  ]);

  expect((await machines[0]!.netfold('ls')).out).toMatch(
    new RegExp(`${names[0]} has ended; a messenger for host0 waits until .* to tell host-c`),
  );
  expect((await machines[0]!.netfold('status', names[0])).out).toContain('to tell host-c');

  // Another experiment gets the port of one of them.
  const next = experimentName();
  const up = await machines[0]!.netfold(
    'up',
    file('wan.yaml'),
    '--name',
    next,
    '--at',
    'a=eth0',
    '--elsewhere',
    '--detach',
  );
  expect(up, up.err).toMatchObject({ code: 0 });
  expect(
    waiting()
      .map((one) => one.process?.listens)
      .sort(),
  ).toEqual([false, true]);
  expect(await machines[0]!.netfold('down', next)).toMatchObject({ code: 0 });

  expect(c.child.exitCode).toBeNull();
  process.kill(agent!, 'SIGCONT');
  expect(ENDED, c.output()).toContain(await c.ended);
  expect(c.output()).toContain(`has left ${names[0]}`);
  expect(existsSync(experimentFolder(names[2]))).toBe(false);
  expect((await runIn(machines[2]!, 'tc', 'qdisc')).out).not.toContain('4e46:');
  await untilNobodyWaits();
});

it('one that was switched off learns it when its service joins again, before it shapes anything', {
  timeout: 400_000,
}, async () => {
  const kept = serviceFolder(names[2]);
  try {
    keepService(kept, joining('c'));
    const b = joinAs(1, 'b');
    machines[2]!.start('service', 'run', names[2]);
    await untilHosts(3);
    process.kill(agentsOf(names[2])[0]!, 'SIGKILL');
    await untilHosts(2);
    await endAll();
    expect(ENDED, b.output()).toContain(await b.ended);
    await until(
      () => waiting().filter((one) => one.process?.listens).length === 2,
      'two wait for it',
      240_000,
    );
    const back = await machines[2]!.netfold('service', 'run', names[2]);
    expect(back).toMatchObject({ code: 0, err: expect.stringContaining('has ended on all hosts') });
    expect(endedAt(kept)).toMatch(/^\d{4}-/);
    await untilNobodyWaits();
  } finally {
    rmSync(kept, { recursive: true, force: true });
  }
});

it('one that joins meets the experiment as it was started anew, and nobody waits for it any more', {
  timeout: 400_000,
}, async () => {
  const b = joinAs(1, 'b');
  const first = joinAs(2, 'c');
  await untilHosts(3);
  process.kill(agentsOf(names[2])[0]!, 'SIGKILL');
  await untilHosts(2);
  expect(await first.ended).toBe('SIGKILL');
  await endAll();
  expect(ENDED, b.output()).toContain(await b.ended);
  await until(() => waiting().filter((one) => one.process?.listens).length === 2, 'two wait', 240_000);

  const place = ['--name', names[0], '--at', 'a=eth0', '--elsewhere', '--detach'];
  const up = await machines[0]!.netfold('up', file('wan.yaml'), ...place, '--mesh-key', file('mesh.key'));
  expect(up, up.err).toMatchObject({ code: 0 });
  expect(waiting().map(({ message }) => message.bootstrap.host)).toEqual(['host-b']);
  // It asks the messenger first.
  joinAs(2, 'c', [1, 0]);
  const both = async (): Promise<boolean> => {
    const status = await agentStatus(names[2], 'host-c').catch(() => undefined);
    return status?.hosts.map(({ name }) => name).join() === 'host-c,host0' && status.state === 'running';
  };
  await until(both, 'the two know each other, and nobody else', 240_000);
  await untilNobodyWaits();
});
