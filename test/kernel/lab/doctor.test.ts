import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { THREAD_NAMESPACE_FILE } from '../../../agent/kernel/netns/namespace-files.ts';
import type { Ability, AbilityId } from '../../../agent/linux/probe/ability.ts';
import { delayBackends, probeMachine } from '../../../agent/linux/probe/probe.ts';
import type { MachineReport } from '../../../controller/machine/report.ts';

const NETFOLD = join(import.meta.dirname, '../../../bin/netfold');
const ABILITIES: readonly AbilityId[] = [
  'platform',
  'root',
  'cpus',
  'memory',
  'capacity',
  'iproute2',
  'util-linux',
  'libbpf',
  'network-namespaces',
  'routing',
  'veth',
  'htb',
  'bpf-socket-filter',
  'bpf-classifier',
  'clsact',
  'netem',
  'nfqueue',
  'ipv6',
  'pids',
  'docker',
  'ssh',
  'clock',
];

interface Ran {
  readonly code: number;
  readonly out: string;
}

async function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  try {
    const { stdout } = await promisify(execFile)(command, [...args], {
      env: { ...process.env, NO_COLOR: '1', ...env },
    });
    return { code: 0, out: stdout };
  } catch (error) {
    const { code, stdout } = error as { code: number; stdout: string };
    return { code, out: stdout };
  }
}

async function doctor(command: string, ...args: string[]): Promise<{ code: number; report: MachineReport }> {
  const { code, out } = await run(command, args);
  return { code, report: JSON.parse(out) as MachineReport };
}

const find = (abilities: readonly Ability[], id: AbilityId): Ability =>
  abilities.find((ability) => ability.id === id)!;

/** Whether `tc` can add the qdisc, in a namespace of its own: what the probe must come to as well. */
function tcCan(qdisc: string): boolean {
  const args = ['--net', 'tc', 'qdisc', 'add', 'dev', 'lo', 'root', ...qdisc.split(' ')];
  return spawnSync('unshare', args).status === 0;
}

describe('on this machine', () => {
  it('says of each ability whether it is there, in one order, and that a lab can run', async () => {
    const { code, report } = await doctor(NETFOLD, 'doctor', '--json');
    expect(code).toBe(0);
    expect(report.able).toBe(true);
    expect(report.abilities.map(({ id }) => id)).toEqual(ABILITIES);
    for (const { id, need, ok, reason, remedy, remedies } of report.abilities) {
      expect({ id, need, blocks: need === 'lab' && !ok }).toMatchObject({ blocks: false });
      expect(reason === '').toBe(ok);
      expect(remedy).not.toBe('');
      expect(remedies.length).toBeGreaterThan(0);
    }
  });

  it('finds netem where tc can add it, and else says what the kernel answered', () => {
    const netem = find(probeMachine(), 'netem');
    if (tcCan('netem delay 1ms')) expect(netem).toMatchObject({ ok: true, reason: '' });
    else {
      expect(netem.ok).toBe(false);
      expect(netem.reason).toMatch(/add the qdisc netem: ENOENT/);
    }
  });

  it('offers netem first, and the delay line where there is NFQUEUE', () => {
    const abilities = probeMachine();
    const expected = [
      ...(find(abilities, 'netem').ok ? ['netem'] : []),
      ...(find(abilities, 'nfqueue').ok ? ['delay-line'] : []),
    ];
    expect(delayBackends(abilities)).toEqual(expected);
    expect(expected).not.toEqual([]);
  });

  it('leaves no interface, qdisc, program or descriptor behind, and comes back to its namespace', () => {
    const links = (): string => execFileSync('ip', ['-o', 'link'], { encoding: 'utf8' });
    const traces = (): string[] => [
      readlinkSync(THREAD_NAMESPACE_FILE),
      execFileSync('tc', ['qdisc', 'show', 'dev', 'lo'], { encoding: 'utf8' }).replace(/refcnt \d+/g, ''),
      // Programs, maps, sockets and namespaces without a name live as long as a descriptor of them.
      ...readdirSync('/proc/self/fd').map(kindOfDescriptor).sort(),
    ];
    probeMachine();
    const before = traces();
    probeMachine();
    expect(traces()).toEqual(before);
    expect(links()).not.toMatch(/probe1[01]/);
  });
});

function kindOfDescriptor(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).replace(/\d+/g, '');
  } catch {
    // That of the listing itself, which is closed by now.
    return '';
  }
}

describe('where something is missing', () => {
  it('libbpf: what builds on it is not tried, and a lab can not run', async () => {
    const library = execFileSync(
      'sh',
      ['-c', 'ldconfig -p | sed -n "s/.*libbpf.so.1 .*=> //p" | xargs realpath'],
      { encoding: 'utf8' },
    ).trim();
    const script = `mount --bind /dev/null ${library} && exec ${NETFOLD} doctor --json`;
    const { code, report } = await doctor('unshare', '--mount', 'sh', '-c', script);
    expect([code, report.able]).toEqual([3, false]);
    expect(find(report.abilities, 'libbpf')).toMatchObject({ ok: false, tried: true });
    expect(find(report.abilities, 'libbpf').reason).toContain("libbpf.so.1 can't be loaded");
    expect(find(report.abilities, 'bpf-socket-filter')).toMatchObject({
      tried: false,
      reason: 'not tried: it needs libbpf',
    });
    expect(find(report.abilities, 'htb').ok).toBe(true);
  });

  it('root: the rest is not tried', async () => {
    const args = ['--reuid', '65534', '--regid', '65534', '--clear-groups', NETFOLD, 'doctor', '--json'];
    const { code, report } = await doctor('setpriv', ...args);
    expect([code, report.able]).toEqual([3, false]);
    expect(find(report.abilities, 'root')).toMatchObject({ ok: false, reason: 'the user id is 65534' });
    expect(find(report.abilities, 'htb')).toMatchObject({
      tried: false,
      reason: 'not tried: it needs root',
    });
    expect(find(report.abilities, 'libbpf').ok).toBe(true);
  });

  it('capabilities, as in a container: the errno is named', async () => {
    const args = ['--bounding-set', '-sys_admin', NETFOLD, 'doctor', '--json'];
    const { code, report } = await doctor('setpriv', ...args);
    expect(code).toBe(3);
    expect(find(report.abilities, 'network-namespaces').reason).toContain('EPERM');
  });
});

describe('commands', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'netfold-doctor-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function command(name: string, script: string): void {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, name), 0o755);
  }

  async function withCommands(): Promise<{ code: number; report: MachineReport }> {
    const { code, out } = await run(NETFOLD, ['doctor', '--json'], { PATH: `${folder}:${process.env.PATH}` });
    return { code, report: JSON.parse(out) as MachineReport };
  }

  it('a lesser ip, as busybox has it, is not enough', async () => {
    command('ip', 'echo "BusyBox v1.36.1 multi-call binary"; exit 1');
    const { code, report } = await withCommands();
    expect(code).toBe(3);
    expect(find(report.abilities, 'iproute2').reason).toContain('BusyBox v1.36.1');
  });

  it('an unshare without hostnames is not enough, and the package is named', async () => {
    command('unshare', 'echo "unshare: unrecognized option: uts" >&2; exit 1');
    const { code, report } = await withCommands();
    expect(code).toBe(3);
    expect(find(report.abilities, 'util-linux')).toMatchObject({
      need: 'lab',
      reason: 'unshare --uts fails: unshare: unrecognized option: uts',
      remedy: expect.stringContaining('util-linux') as string,
    });
  });

  it('a setpriv that can not bound capabilities is not enough', async () => {
    command('setpriv', 'echo "setpriv: unrecognized option: bounding-set" >&2; exit 1');
    const { code, report } = await withCommands();
    expect(code).toBe(3);
    expect(find(report.abilities, 'util-linux').reason).toBe(
      'setpriv --bounding-set fails: setpriv: unrecognized option: bounding-set',
    );
  });

  it('abilities for other platforms are listed, and are no obstacle', async () => {
    command('docker', 'test "$1" = version && echo 99.1.2');
    command('ssh', 'echo "Dropbear v2022.83" >&2');
    const { code, report } = await withCommands();
    expect(code).toBe(0);
    expect(find(report.abilities, 'docker')).toMatchObject({ ok: true, found: '99.1.2', need: 'optional' });
    expect(find(report.abilities, 'ssh')).toMatchObject({ ok: false, need: 'optional' });
  });

  it('a daemon that never answers does not hold up the report', async () => {
    command('docker', 'exec sleep 60');
    const started = performance.now();
    const { report } = await withCommands();
    expect(performance.now() - started).toBeLessThan(20_000);
    expect(find(report.abilities, 'docker').reason).toContain('no answer');
  });
});
