/** The package's unit under a real systemd: an agent that is started, watched, bounded, and there again after a boot. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { agentStatus } from '../../controller/experiment/agents.ts';
import { meshKeyFile } from '../../controller/names.ts';
import { ping } from '../../controller/verify/traffic.ts';
import { BootedDebian, makeDebian } from '../support/debian.ts';
import { experimentName, run, until } from '../support/lab/lab.ts';
import { connectMachines, type Machine } from '../support/lab/machines.ts';
import { expectSuccess } from '../support/lab/succeeds.ts';
import { buildPackages } from '../support/packages.ts';
import { LATE_MS } from '../support/speed.ts';

const PACKAGES = ['systemd', 'systemd-sysv', 'iproute2', 'libbpf1', 'libstdc++6', 'iputils-ping'];
const TOPOLOGY =
  'services: { a: {}, b: {} }\nlinks: [{ from: a, to: b, latency: 30ms, up: 10Mbps, down: 20Mbps }]\n';
const UNIT = 'netfold@wan.service';

let folder: string;
let machines: Machine[];
let remove: () => void;
let debian: BootedDebian;
let name: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-systemd-'));
  await buildPackages(join(folder, 'built'), '022');
  const root = await makeDebian(folder, PACKAGES);
  const deb = readdirSync(join(folder, 'built')).find((file) => file.endsWith('.deb'))!;
  copyFileSync(join(folder, 'built', deb), join(root, 'netfold.deb'));
}, 1_800_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeEach(async () => {
  ({ machines, remove } = connectMachines(2));
  name = experimentName();
  debian = await boot();
  const file = join(folder, 'wan.yaml');
  writeFileSync(file, TOPOLOGY);
  const words = ['up', file, '--name', name, '--at', 'a=eth0', '--elsewhere', '--detach'];
  const up = await machines[0]!.netfold(...words);
  expect(up, up.err).toMatchObject({ code: 0 });
  const config = join(folder, 'root/etc/wan');
  mkdirSync(config, { recursive: true });
  copyFileSync(meshKeyFile(name), join(config, 'mesh.key'));
});
afterEach(async () => {
  await debian.remove();
  remove();
});

const boot = (): Promise<BootedDebian> => BootedDebian.boot(folder, machines[1]!.namespace);

async function succeed(...command: string[]): Promise<string> {
  const done = await debian.run(...command);
  expect(done, `${command.join(' ')}: ${done.out}${done.err}`).toMatchObject({ code: 0 });
  return done.out;
}

const shown = async (property: string): Promise<string> =>
  (await debian.run('systemctl', 'show', UNIT, `--property=${property}`, '--value')).out.trim();

async function expectShaped(): Promise<void> {
  const takesPart = async (): Promise<boolean> => {
    const status = await agentStatus(name, 'host0').catch(() => undefined);
    return status?.known === 2 && status.hosts.length === 2 && status.conflicts.length === 0;
  };
  await until(takesPart, 'it takes part', 120_000).catch(async (error: Error) => {
    const log = await debian.run('journalctl', '--no-pager', '--unit', UNIT);
    throw new Error(`${error.message}: ${log.out.slice(-4000)}`);
  });
  // Both delays, and not more: on a busy machine, as soon as it has time for ten.
  let medianMs = Number.NaN;
  const isShaped = async (): Promise<boolean> => {
    ({ medianMs } = await ping(machines[0]!, machines[1]!, 10, 50));
    return medianMs > 59 && medianMs < 64 + 4 * LATE_MS;
  };
  await until(isShaped, 'the path is shaped', 120_000).catch((error: Error) => {
    throw new Error(`${error.message}: ${medianMs} ms`);
  });
}

/** Installs the package, and its agent as a service. */
async function install(): Promise<void> {
  await succeed('dpkg', '--install', '/netfold.deb');
  const joining = ['--join', machines[0]!.address, '--experiment', name, '--mesh-key', '/etc/wan/mesh.key'];
  const words = [...joining, '--host', 'b', '--at', 'b=eth0'];
  await succeed('netfold', 'service', 'install', 'wan', '--boot', '--', ...words);
}

/** The experiment ends, and with it the service; then nothing is left. */
async function endAll(): Promise<void> {
  // Refused while the other is silent, as on a busy machine for a moment.
  const end = async () => (await machines[0]!.netfold('down', name, '--everywhere')).code === 0;
  await until(end, 'it ends everywhere', 60_000);
  await until(async () => (await shown('ActiveState')) === 'inactive', 'it has ended', 60_000);
  expect(await succeed('netfold', 'service', 'status')).toContain('ended at');
  await succeed('netfold', 'service', 'uninstall', 'wan');
  await succeed('dpkg', '--purge', 'netfold');
}

it('starts the agent, bounds it, restarts one that hangs, and has it back after a boot as who it was', async () => {
  await install();
  expect(await shown('FragmentPath')).toMatch(/^(\/usr)?\/lib\/systemd\/system\/netfold@\.service$/);
  expect(await shown('ActiveState')).toBe('active');
  await expectShaped();

  // What the unit takes away from it is really away.
  const pid = await shown('MainPID');
  const status = await succeed('cat', `/proc/${pid}/status`);
  const bounding = BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)$/m.exec(status)![1]}`);
  const has = (capability: bigint): boolean => ((bounding >> capability) & 1n) === 1n;
  const [chown, netAdmin, sysModule, sysBoot, sysTime] = [0n, 12n, 16n, 22n, 25n] as const;
  expect([chown, netAdmin].map(has)).toEqual([true, true]);
  expect([sysModule, sysBoot, sysTime].map(has)).toEqual([false, false, false]);
  expect(status).toMatch(/^Seccomp:\s*2$/m);
  const inView = (...command: string[]) =>
    debian.run('nsenter', `--target=${pid}`, '--mount', '--', ...command);
  for (const path of ['/etc/x', '/usr/x', '/root/x', '/var/lib/x'])
    expect((await inView('touch', path)).err).toContain('Read-only file system');
  for (const path of ['/run', '/var/lib/netfold', '/var/log/netfold', '/var/cache/netfold'])
    expect(await inView('test', '-w', path)).toMatchObject({ code: 0 });
  const security = await debian.run('systemd-analyze', 'security', '--no-pager', UNIT);
  const [, exposure] = /exposure level for .*: ([\d.]+)/.exec(security.out)!;
  console.info(`exposure of the unit: ${exposure}`);
  expect(Number(exposure)).toBeLessThan(7);

  // One that hangs feeds no watchdog.
  await succeed('sh', '-c', `kill -STOP ${pid}`);
  const isAnother = async (): Promise<boolean> => {
    const now = await shown('MainPID');
    return now !== pid && now !== '0' && (await shown('ActiveState')) === 'active';
  };
  await until(isAnother, 'another agent has started', 150_000);
  expect(await succeed('journalctl', '--no-pager', '--unit', UNIT)).toContain('Watchdog timeout');
  await expectShaped();

  const identity = ['netfold', 'mesh', 'identity', '/var/lib/netfold/services/wan/identity'];
  const before = await succeed(...identity);
  await debian.powerOff();
  const isAlone = async (): Promise<boolean> =>
    (await agentStatus(name, 'host0').catch(() => undefined))?.hosts.length === 1;
  await until(isAlone, 'it has left', 30_000);
  debian = await boot();
  await expectShaped();
  expect(await succeed(...identity)).toBe(before);
  expect(await shown('ActiveState')).toBe('active');

  await endAll();
});

const NEXT = '999.0.0';

/** The same as another version. */
async function makeNext(): Promise<void> {
  const root = join(folder, 'root');
  const script = `rm -rf "$2" && dpkg-deb -R "$1/netfold.deb" "$2" && sed -i "s/^Version:.*/Version: $3/" "$2/DEBIAN/control" &&
sed -i 's/"version": *"[^"]*"/"version":"'"$3"'"/' "$2/usr/lib/netfold/package.json" "$2/usr/lib/netfold/dist/package.json" && dpkg-deb --root-owner-group -Znone -b "$2" "$1/next.deb"`;
  expectSuccess(await run('sh', ['-ec', script, 'sh', root, join(folder, 'next'), NEXT]));
}

it('an upgrade to the next version shapes all the time', async () => {
  await makeNext();
  await install();
  await expectShaped();
  const before = await shown('MainPID');
  const { delay } = await agentStatus(name, 'host0');
  const pings = spawn('ip', [
    ...['netns', 'exec', machines[0]!.namespace],
    ...['ping', '-n', '-i', '0.1', machines[1]!.address],
  ]);
  let said = '';
  pings.stdout.on('data', (text: Buffer) => {
    said += text.toString();
  });
  await until(() => said.includes('icmp_seq=10 '), 'ten pings are back', 30_000);

  await succeed('dpkg', '--install', '/next.deb');
  expect((await succeed('netfold', '--version')).trim()).toBe(NEXT);
  // The old one still runs, of files that are gone.
  expect(await shown('MainPID')).toBe(before);
  const atRestart = said.split('icmp_seq=').length - 1;
  await succeed('netfold', 'service', 'restart', 'wan');
  await until(
    async () => !['0', before].includes(await shown('MainPID')) && (await shown('ActiveState')) === 'active',
    'the next agent runs',
    120_000,
  );
  await expectShaped();
  pings.kill('SIGINT');
  await once(pings, 'close');
  const times = [...said.matchAll(/icmp_seq=(\d+) .*time=([\d.]+) ms/g)].map(([, number, ms]) => ({
    number: Number(number),
    ms: Number(ms),
  }));
  const short = times.filter(({ ms }) => ms < 55);
  console.info(`${times.length} pings, of which ${short.length} with less than both delays`);
  if (delay.backend === 'netem') expect(short).toEqual([]);
  // The delay line of the host that is upgraded is a part of its agent: until the next one runs, one of both delays is missing.
  for (const { number, ms } of short) {
    expect(ms).toBeGreaterThan(25);
    expect(number).toBeGreaterThan(atRestart);
  }
  await endAll();
});
