/** An agent as a service of its machine: started again, through whichever agent still runs, until the experiment ends on all. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { agentStatus } from '../../../controller/experiment/agents.ts';
import { agentsOf } from '../../../controller/machine/processes.ts';
import { experimentFolder, meshKeyFile, userKeyFile } from '../../../controller/names.ts';
import { endedAt, keepService, readPeers, serviceFolder } from '../../../controller/service/service-files.ts';
import { ownProgram, unitText } from '../../../controller/service/units.ts';
import { experimentName, runIn, until } from '../../support/lab/lab.ts';
import { connectMachines } from '../../support/lab/machines.ts';
import { expectSuccess } from '../../support/lab/succeeds.ts';

const TOPOLOGY = `
services: { a: {}, b: {}, c: {} }
bridges: [s]
links:
  - { from: a, to: s, latency: 10ms, bandwidth: 100Mbps }
  - { from: b, to: s, latency: 20ms, bandwidth: 100Mbps }
  - { from: s, to: c, latency: 1ms, up: 20Mbps, down: 50Mbps }
`;

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'netfold-service-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

it('is replaced without loss of shaping, joins through any agent it knew, and ends with all', {
  timeout: 240_000,
}, async () => {
  const folder = temporaryFolder();
  const { machines, remove } = connectMachines(3);
  onTestFinished(remove);
  const names = machines.map(() => experimentName());
  const [name, service] = names as [string, string, string];
  const kept = serviceFolder(service);
  onTestFinished(() => {
    rmSync(kept, { recursive: true, force: true });
    for (const log of ['log', 'log.1']) rmSync(`/var/log/netfold/${service}.service.${log}`, { force: true });
  });
  const file = join(folder, 'wan.yaml');
  const key = join(folder, 'mesh.key');
  const userKey = join(folder, 'user.key');
  writeFileSync(file, TOPOLOGY);
  const up = await machines[0]!.netfold(
    'up',
    file,
    '--name',
    name,
    '--at',
    'a=eth0',
    '--elsewhere',
    '--detach',
  );
  expect(up, up.err).toMatchObject({ code: 0 });
  copyFileSync(meshKeyFile(name), key);
  copyFileSync(userKeyFile(name), userKey);
  const joining = (host: string, endpoint: string): string[] => [
    ...['--join', machines[0]!.address, '--experiment', name, '--mesh-key', key],
    ...['--host', host, '--at', `${endpoint}=eth0`],
  ];
  machines[2]!.start('agent', ...joining('host-c', 'c'), '--name', names[2]!);

  keepService(kept, joining('host-b', 'b'));
  const supervised = machines[1]!.start('service', 'run', service, '--supervise');
  const exited = new Promise<number | null>((resolve) => supervised.child.once('exit', resolve));
  onTestFinished(() => void supervised.child.kill('SIGKILL'));
  const knowsAll = async (): Promise<boolean> => {
    const status = await agentStatus(service, 'host-b').catch(() => undefined);
    return status?.state === 'running' && status.known === 3;
  };
  const log = `/var/log/netfold/${service}.service.log`;
  await until(knowsAll, 'it takes part', 60_000).catch((error: Error) => {
    throw new Error(`${error.message}: ${supervised.output()}${readFileSync(log, 'utf8')}`);
  });
  await until(
    () => readPeers(kept).some((peer) => peer.includes(machines[2]!.address)),
    'it remembers',
    60_000,
  );

  // It has a copy, which follows when the mesh gets another key.
  const copy = (): string => readFileSync(join(kept, 'mesh-key'), 'utf8');
  const old = copy();
  expectSuccess(await machines[0]!.netfold('mesh', 'rotate', name));
  await until(() => copy() !== old && copy() === readFileSync(key, 'utf8'), 'it has the new key', 60_000);
  rmSync(key);
  // Whom it was told to join through is gone, with its supervisor.
  expectSuccess(await machines[0]!.netfold('down', name));
  const [before] = agentsOf(service);
  expectSuccess(await machines[1]!.netfold('service', 'restart', service));
  const shaping = async (): Promise<string> => (await runIn(machines[1]!, 'tc', 'qdisc')).out;
  const isReplaced = async (): Promise<boolean> => {
    expect(await shaping()).toContain('qdisc htb 4e46:');
    const status = await agentStatus(service, 'host-b').catch(() => undefined);
    return status?.state === 'running' && agentsOf(service)[0] !== before;
  };
  await until(isReplaced, 'another agent has adopted', 60_000);

  const end = await machines[2]!.netfold('down', names[2]!, '--everywhere', '--key', userKey);
  // Where the farewell of host0 was lost, it is named as one that can't be told.
  expect(end.err).not.toMatch(/host-[bc] could not be told/);
  expect(end.out).toContain('it ends on host-b, host-c');
  expect(await exited).toBe(0);
  expect(existsSync(experimentFolder(service))).toBe(false);
  expect(await shaping()).not.toContain('4e46:');
  expect(endedAt(kept)).toMatch(/^\d{4}-/);
  expect(await machines[1]!.netfold('service', 'run', service)).toMatchObject({
    code: 0,
    err: expect.stringContaining('has ended on all hosts'),
  });
});

it('has a unit in which systemd finds nothing wrong, less exposed than one without bounds (9.6)', () => {
  const file = join(temporaryFolder(), 'netfold@wan.service');
  writeFileSync(file, unitText(ownProgram()));
  const analyze = (...words: string[]): string =>
    execFileSync('systemd-analyze', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  expect(analyze('verify', '--man=no', file)).toBe('');
  const [, exposure] = /exposure level for .*: ([\d.]+)/.exec(analyze('security', '--offline=yes', file))!;
  expect(Number(exposure)).toBeLessThan(7);
});
