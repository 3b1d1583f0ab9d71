/**
 * Machines on one switch with an SSH server each: a namespace of its own for network, mounts, names and processes, with empty
 * /run, /opt, /root, /var/log and /var/lib, and a hosts file; users are root, and `admin`, whom sudo asks for a password. Beside them one
 * machine without, from which they are reached.
 */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Finished, run, until } from './lab.ts';
import { connectMachines, type Machine } from './machines.ts';

/** Administrators' folders are not in every PATH. */
const SSHD = ['/usr/sbin/sshd', '/usr/bin/sshd'].find(existsSync) ?? '/usr/sbin/sshd';

/** A user of the hosts without root's rights. */
export const ADMIN = 'admin';

export interface SshHosts {
  readonly hosts: readonly Machine[];
  /** Where the user is. */
  readonly here: Machine;
  readonly folder: string;
  /** For `ssh -F`. */
  readonly config: string;
  /** Connects a host to the switch by a further interface, by which it answers what comes in there. */
  addInterface(index: number, ifname: string, address: string): void;
  /** Runs a line in a shell of host `index`, over SSH. */
  sh(index: number, line: string): Promise<Finished>;
  /** Ends all of them. */
  remove(): void;
}

export interface SshHostsOptions {
  /** What is written to /opt goes to the disk, and not to memory. */
  readonly isLarge?: boolean;
}

/** `ports`: where sshd listens, one for each host. */
export async function startSshHosts(
  ports: readonly number[],
  { isLarge = false }: SshHostsOptions = {},
): Promise<SshHosts> {
  const folder = mkdtempSync(join(tmpdir(), 'netfold-sshd-'));
  const { machines, remove: removeMachines, addInterface: connect } = connectMachines(ports.length + 1);
  const hosts = machines.slice(0, -1);
  const here = machines.at(-1)!;
  const file = (name: string): string => join(folder, name);
  for (const key of ['host', 'user'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', key, '-f', file(key)]);
  // sshd reads it as another user than the one who logs in.
  chmodSync(folder, 0o755);
  const hostKey = readFileSync(file('host.pub'), 'utf8').split(' ').slice(0, 2).join(' ');
  const known = hosts.map(({ address }, index) => `[${address}]:${ports[index]} ${hostKey}`);
  const plain = hosts.flatMap(({ address }, index) => (ports[index] === 22 ? [`${address} ${hostKey}`] : []));
  writeFileSync(file('known_hosts'), `${[...known, ...plain].join('\n')}\n`);
  const config = file('config');
  writeFileSync(
    config,
    [
      ...['Host *', `IdentityFile ${file('user')}`, 'IdentitiesOnly yes', 'StrictHostKeyChecking yes'],
      ...[`UserKnownHostsFile ${file('known_hosts')}`, 'GlobalKnownHostsFile /dev/null', ''],
    ].join('\n'),
  );
  const servers = hosts.map(({ namespace }, index) =>
    serve(namespace, folder, ports[index]!, isLarge ? file(`opt-${index}`) : undefined),
  );
  const remove = (): void => {
    for (const server of servers) server.kill('SIGKILL');
    removeMachines();
    rmSync(folder, { recursive: true, force: true });
  };
  const sh = (index: number, line: string): Promise<Finished> => {
    const words = [
      '-F',
      config,
      '-o',
      'BatchMode=yes',
      '-p',
      String(ports[index]),
      `root@${hosts[index]!.address}`,
    ];
    return run('ip', ['netns', 'exec', here.namespace, 'ssh', ...words, line]);
  };
  try {
    for (const index of hosts.keys())
      await until(async () => (await sh(index, 'true')).code === 0, `host ${index} answers`, 15_000);
  } catch (error) {
    const log = readFileSync(file(`log-${ports[0]}`), 'utf8');
    remove();
    throw new Error(`${(error as Error).message}; sshd says: ${log}`);
  }
  const addInterface = (index: number, ifname: string, address: string): void => {
    connect(index, ifname, address);
    const { namespace } = hosts[index]!;
    const ip = (line: string): void => void execFileSync('ip', ['-n', namespace, ...line.split(' ')]);
    // Whoever asks for an address is answered by the interface that has it.
    const lines = 'cd /proc/sys/net/ipv4/conf/all; echo 1 > arp_ignore; echo 2 > arp_announce';
    execFileSync('ip', ['netns', 'exec', namespace, 'sh', '-ec', lines]);
    ip(`rule add from ${address} lookup 4646`);
    ip(`route add default dev ${ifname} table 4646`);
    const network = address.replace(/\d+$/, '0/24');
    for (const other of [...hosts, here])
      if (other.namespace !== namespace)
        execFileSync('ip', ['-n', other.namespace, 'route', 'add', network, 'dev', 'eth0']);
  };
  return { hosts, here, folder, config, addInterface, sh, remove };
}

/** `opt`: a new folder for what is in /opt; absent: it is in memory. */
function serve(namespace: string, folder: string, port: number, opt?: string) {
  const options = [
    ...[
      '-D',
      '-f',
      '/dev/null',
      '-h',
      join(folder, 'host'),
      '-E',
      join(folder, `log-${port}`),
      '-p',
      String(port),
    ],
    ...['-o', 'PidFile=none', '-o', 'UsePAM=no', '-o', 'StrictModes=no', '-o', 'PasswordAuthentication=no'],
    ...[
      '-o',
      `AuthorizedKeysFile=${join(folder, 'user.pub')}`,
      '-o',
      'PermitRootLogin=yes',
      '-o',
      'AllowUsers=root',
      '-o',
      `AllowUsers=${ADMIN}`,
    ],
  ];
  const script = [
    // Root's home as well: what its shell runs at its start on this machine is no business of the hosts.
    'for at in /run /opt /root /var/log /var/lib; do mount -t tmpfs tmpfs $at; done',
    ...(opt === undefined ? [] : [`umount /opt; mkdir ${opt}; mount --bind ${opt} /opt`]),
    'mkdir -m 755 /run/sshd',
    'cp /etc/hosts /opt/.hosts && mount --bind /opt/.hosts /etc/hosts',
    `cp /etc/passwd /opt/.passwd && echo '${ADMIN}:*:4646:4646::/:/bin/sh' >> /opt/.passwd`,
    'mount --bind /opt/.passwd /etc/passwd',
    'test ! -d /etc/sudoers.d || mount -t tmpfs -o mode=755 tmpfs /etc/sudoers.d',
    `exec ${SSHD} ${options.join(' ')}`,
  ].join('\n');
  const apart = ['--uts', '--mount', '--pid', '--fork', '--mount-proc', '--kill-child'];
  return spawn('ip', ['netns', 'exec', namespace, 'unshare', ...apart, 'sh', '-ec', script], {
    stdio: 'ignore',
  });
}
