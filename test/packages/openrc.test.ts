/** The package's service under a real OpenRC: an agent that is started, started again, and there again after a boot. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { agentStatus } from '../../controller/experiment/agents.ts';
import { meshKeyFile } from '../../controller/names.ts';
import { BootedDebian, type Init, makeDebian } from '../support/debian.ts';
import { experimentName, runIn, until } from '../support/lab/lab.ts';
import { connectMachines, type Machine } from '../support/lab/machines.ts';
import { expectSuccess } from '../support/lab/succeeds.ts';
import { buildPackages } from '../support/packages.ts';

const PACKAGES = ['openrc', 'iproute2', 'libbpf1', 'libstdc++6'];
const OPENRC: Init = {
  ask: ['rc-status', '--runlevel'],
  isUp: /^default$/,
  powerOff: ['openrc-shutdown', '--poweroff', 'now'],
};
const TOPOLOGY =
  'services: { a: {}, b: {} }\nlinks: [{ from: a, to: b, latency: 30ms, up: 10Mbps, down: 20Mbps }]\n';
const SERVICE = 'netfold.wan';
const PATIENCE_MS = 120_000;

let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-openrc-'));
  await buildPackages(join(folder, 'built'), '022');
  const root = await makeDebian(folder, PACKAGES);
  // Its own process 1, instead of that of sysvinit.
  symlinkSync('openrc-init', join(root, 'sbin/init'));
  const deb = readdirSync(join(folder, 'built')).find((file) => file.endsWith('.deb'))!;
  copyFileSync(join(folder, 'built', deb), join(root, 'netfold.deb'));
}, 1_800_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('starts the agent, restarts one that was killed, has it back after a boot, and stops when all is over', async () => {
  const { machines, remove } = connectMachines(2);
  onTestFinished(remove);
  const [first, second] = machines as [Machine, Machine];
  const boot = (): Promise<BootedDebian> => BootedDebian.boot(folder, second.namespace, OPENRC);
  let debian = await boot();
  onTestFinished(() => debian.remove());
  const name = experimentName();
  const file = join(folder, 'wan.yaml');
  writeFileSync(file, TOPOLOGY);
  expectSuccess(await first.netfold('up', file, '--name', name, '--at', 'a=eth0', '--elsewhere', '--detach'));
  const config = join(folder, 'root/etc/wan');
  mkdirSync(config, { recursive: true });
  copyFileSync(meshKeyFile(name), join(config, 'mesh.key'));

  const succeed = async (...command: string[]): Promise<string> => {
    const done = await debian.run(...command);
    expect(done, `${command.join(' ')}: ${done.out}${done.err}`).toMatchObject({ code: 0 });
    return done.out;
  };
  const state = async (): Promise<string | undefined> =>
    /status: (\w+)/.exec((await debian.run('rc-service', SERVICE, 'status')).out)?.[1];
  const untilState = (wanted: string): Promise<void> =>
    until(async () => (await state()) === wanted, `the service is ${wanted}`, PATIENCE_MS);
  const log = async (): Promise<string> =>
    (await debian.run('tail', '-n', '30', '/var/log/netfold/wan.service.log')).out;
  const shaping = async (): Promise<string> => (await runIn(second, 'tc', 'qdisc')).out;
  const agent = async (): Promise<number | undefined> => {
    const { out, code } = await debian.run('cat', '/run/netfold/wan/agents/b.json');
    return code === 0 ? JSON.parse(out).pid : undefined;
  };
  const untilItTakesPart = async (): Promise<void> => {
    const takesPart = async (): Promise<boolean> => {
      const status = await agentStatus(name, 'host0').catch(() => undefined);
      return status?.known === 2 && status.hosts.length === 2 && (await shaping()).includes('htb 4e46:');
    };
    await until(takesPart, 'it takes part', PATIENCE_MS).catch(async (error: Error) => {
      throw new Error(`${error.message}: ${await state()} ${await log()}`);
    });
  };

  await succeed('dpkg', '--install', '/netfold.deb');
  const joining = ['--join', first.address, '--experiment', name, '--mesh-key', '/etc/wan/mesh.key'];
  const words = [...joining, '--host', 'b', '--at', 'b=eth0'];
  await succeed('netfold', 'service', 'install', 'wan', '--boot', '--', ...words);
  await untilItTakesPart();
  await untilState('started');
  expect(JSON.parse(await succeed('netfold', 'service', 'status', '--json'))).toMatchObject([
    { name: 'wan', unit: 'started', startsAtBoot: true },
  ]);

  const killed = await agent();
  await succeed('sh', '-c', `kill -KILL ${killed}`);
  const isAnother = async (): Promise<boolean> => ![killed, undefined].includes(await agent());
  await until(isAnother, 'another agent has started', PATIENCE_MS);
  // All the while, what was in force stays.
  expect(await shaping()).toContain('htb 4e46:');
  await untilItTakesPart();

  await succeed('rc-service', SERVICE, 'stop');
  await untilState('stopped');
  expect(await shaping()).not.toContain('4e46:');
  await succeed('rc-service', SERVICE, 'start');
  await untilItTakesPart();

  const identity = ['netfold', 'mesh', 'identity', '/var/lib/netfold/services/wan/identity'];
  const before = await succeed(...identity);
  await debian.powerOff();
  const isAlone = async (): Promise<boolean> =>
    (await agentStatus(name, 'host0').catch(() => undefined))?.hosts.length === 1;
  await until(isAlone, 'it has left', PATIENCE_MS);
  debian = await boot();
  await untilItTakesPart();
  expect(await succeed(...identity)).toBe(before);

  // Its supervisor would start it again, however it ends.
  const end = async () => (await first.netfold('down', name, '--everywhere')).code === 0;
  await until(end, 'it ends everywhere', PATIENCE_MS);
  await untilState('stopped');
  expect(await succeed('netfold', 'service', 'status')).toContain('ended at');
  await succeed('netfold', 'service', 'uninstall', 'wan');
  expect(existsSync(join(folder, 'root/etc/init.d', SERVICE))).toBe(false);
  await succeed('dpkg', '--purge', 'netfold');
});
