/** What a host is asked before anything is installed there: a script for any POSIX shell, and its answer as facts. Pure. */

/** Where netfold is installed on hosts: a folder for each version, named by its content. */
export const INSTALL_FOLDER = '/opt/netfold';
/** What is there of running injections: a folder for each, named as the experiment. Emptied at boot, as is the kernel's state. */
export const INJECTIONS_FOLDER = '/run/netfold-inject';

export interface HostFacts {
  readonly system: string;
  /** As `uname -r` prints it. */
  readonly kernel: string;
  /** As `uname -m` prints it. */
  readonly machine: string;
  /** Who logs in. */
  readonly user: string;
  readonly isRoot: boolean;
  /** Root's rights without a password. */
  readonly canRoot: boolean;
  /** Why not, as sudo says it. */
  readonly sudoSays: string;
  readonly cores: number;
  readonly memoryBytes: number;
  /** Free where netfold is installed. */
  readonly spaceBytes: number;
  readonly isWritable: boolean;
  /** Commands and libraries that are there, of those asked for. */
  readonly has: ReadonlySet<string>;
  /** Seconds since 1970, by the host's clock; resolution as its `date` has it. */
  readonly clockSeconds: number;
  /** The same for two names of one machine, or one network namespace of it. */
  readonly identity: string;
  /** The host's own end of the SSH connection, as its sshd sees it. */
  readonly ssh: { readonly address: string; readonly port: number } | undefined;
  readonly addresses: readonly {
    readonly ifname: string;
    readonly address: string;
    /** The interface that it is on top of (VLAN, macvlan). */
    readonly below?: string;
  }[];
  /** Versions of netfold that are installed. */
  readonly installed: readonly string[];
  /** Names of running injections. */
  readonly injections: readonly string[];
}

/** Needs no rights. One fact a line: `KEY WORDS`. */
export const PROBE_SCRIPT = `
say() { printf '%s %s\\n' "$1" "$2"; }
say clock "$(date +%s.%N)"
say system "$(uname -s)"; say kernel "$(uname -r)"; say machine "$(uname -m)"
say user "$(id -un)"; say uid "$(id -u)"; sudo=
if test "$(id -u)" = 0; then say root yes
elif words=$(sudo -n true 2>&1); then sudo="sudo -n"; say root yes
else sudo=; say root "no $(printf %s "$words" | tail -n 1)"; fi
say cores "$(grep -c ^processor /proc/cpuinfo)"
say memory "$(sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo)"
at=${INSTALL_FOLDER}; while ! test -d "$at"; do at=\${at%/*}; at=\${at:-/}; done
say space "$(df -Pk "$at" | awk 'NR == 2 { print $4 }')"
$sudo test -w "$at" && say writable yes
for command in ip tc tar gzip setsid; do command -v $command >/dev/null && say has $command; done
for folder in /lib /lib64 /usr/lib /usr/lib64 /usr/local/lib /lib/*-linux-* /usr/lib/*-linux-*; do
  test -e "$folder/libbpf.so.1" && say has libbpf.so.1
  for loader in "$folder"/ld-linux-*.so.*; do test -e "$loader" && say has glibc; done
done
say identity "$(cat /proc/sys/kernel/random/boot_id) $(readlink /proc/self/ns/net)"
say ssh "$SSH_CONNECTION"
ip -o address show 2>/dev/null | awk '{ print "address", $2, $4 }'
for home in ${INSTALL_FOLDER}/*/.netfold-installed; do
  test -e "$home" && home=\${home%/*} && say installed "\${home##*/}"
done
for run in ${INJECTIONS_FOLDER}/*; do test -d "$run" && say injection "\${run##*/}"; done
:
`;

/** Never throws: a fact that is missing is unknown. */
export function parseProbe(text: string): HostFacts {
  const facts = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [, key, words] = /^(\S+) ?(.*)$/.exec(line) ?? [];
    if (key === undefined) continue;
    const known = facts.get(key);
    if (known) known.push(words!.trim());
    else facts.set(key, [words!.trim()]);
  }
  const all = (key: string): readonly string[] => facts.get(key) ?? [];
  const one = (key: string): string => all(key)[0] ?? '';
  const root = one('root');
  return {
    system: one('system'),
    kernel: one('kernel'),
    machine: one('machine'),
    user: one('user'),
    isRoot: one('uid') === '0',
    canRoot: root === 'yes',
    sudoSays: root === 'yes' ? '' : root.replace(/^no ?/, ''),
    cores: numberOf(one('cores')),
    memoryBytes: numberOf(one('memory')) * KIBIBYTE,
    spaceBytes: numberOf(one('space')) * KIBIBYTE,
    isWritable: one('writable') === 'yes',
    has: new Set(all('has')),
    // Where `date` knows no fractions, it prints their format.
    clockSeconds: numberOf(one('clock').replace(/\.\D.*$/, '')),
    identity: one('identity'),
    ssh: connectionOf(one('ssh')),
    addresses: all('address').flatMap(addressOf),
    installed: all('installed'),
    injections: all('injection'),
  };
}

/** /proc/meminfo and df say kB, and mean 1024 bytes. */
const KIBIBYTE = 1024;

const numberOf = (text: string): number => (/^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN);

/** `CLIENT PORT SERVER PORT` (ssh(1)). */
function connectionOf(text: string): HostFacts['ssh'] {
  const [, , address, port] = text.split(' ');
  if (address === undefined || !/^\d{1,5}$/.test(port ?? '')) return undefined;
  return { address: withoutZone(address), port: Number(port) };
}

/** `eth0 192.0.2.7/24`; of veth pairs `eth0@if7`, of a VLAN `eth0.5@eth0`. Without loopback and link-local ones. */
function addressOf(text: string): HostFacts['addresses'] {
  const [name = '', network = ''] = text.split(' ');
  const [ifname = '', below = ''] = name.split('@');
  const address = network.split('/')[0]!;
  if (ifname === 'lo' || address === '' || /^(fe80:|169\.254\.)/i.test(address)) return [];
  return [{ ifname, address, ...(/^(?!if\d+$)./.test(below) && { below }) }];
}

const withoutZone = (address: string): string =>
  address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '');
