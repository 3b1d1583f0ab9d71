/** What keeps a host from being shaped, and what to know about it. Pure. */
import { isIPv4 } from 'node:net';
import { megabytes } from '../../proto/units.ts';
import type { AssignedEndpoint, AssignedHost } from './assigned-hosts.ts';
import type { HostFacts } from './host-probe.ts';
import { InjectError, type InjectErrorCode } from './ssh/errors.ts';
import { noRoot } from './ssh/refusals.ts';

/** BPF's batches of map entries (Linux 5.6, kernel/bpf/syscall.c). */
const OLDEST_KERNEL = [5, 6] as const;
/** netfold with its Node, unpacked, beside what is copied. */
const SPACE_BYTES = 400e6;
/** Events are played by the mesh's own time; the dates of logs are by the host's clock. */
const CLOCK_SECONDS = 1;

/** What is copied is for machines like this one: `process.arch` → `uname -m`. */
export const MACHINE_OF: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' };

export interface Shaped {
  /** Absent: the host takes no part. */
  readonly endpoint?: string;
  readonly ifname: string;
  /** Of the interface: where agents listen, and others reach them. */
  readonly address: string;
  /** The SSH session comes in by this interface. */
  readonly carriesSsh: boolean;
}

export interface Judged {
  readonly problems: readonly InjectError[];
  /** One sentence each. */
  readonly notes: readonly string[];
  /** One for each endpoint; of a host that takes no part, the one that would be. */
  readonly shaped: readonly Shaped[];
}

/** `offsetSeconds`: the host's clock less this machine's, give or take `errorSeconds`. `arch`: this machine's, as Node names it. */
export function judgeHost(
  { host, endpoints }: AssignedHost,
  facts: HostFacts,
  clock: { readonly offsetSeconds: number; readonly errorSeconds: number },
  arch: string,
): Judged {
  const problems: InjectError[] = [];
  const notes: string[] = [];
  const add = (code: InjectErrorCode, what: string, remedy: string): void => {
    problems.push(new InjectError(code, `${host.name}: ${what}`, remedy));
  };
  if (facts.system !== 'Linux')
    add('HOST_SYSTEM', `it runs ${facts.system || 'no known system'}`, 'netfold needs Linux');
  else if (isOld(facts.kernel))
    add(
      'HOST_KERNEL',
      `its kernel is ${facts.kernel}`,
      `netfold needs Linux ${OLDEST_KERNEL.join('.')} or newer: upgrade the kernel there`,
    );
  const machine = MACHINE_OF[arch] ?? arch;
  if (facts.machine !== machine)
    add(
      'HOST_ARCHITECTURE',
      `it is ${facts.machine}, and what this machine has is for ${machine}`,
      `run netfold inject from a machine that is ${facts.machine}, for hosts of that kind`,
    );
  if (!facts.canRoot) problems.push(noRoot(host, knownUser(facts) ?? host.user, facts.sudoSays));
  else if (!facts.isWritable)
    add(
      'HOST_READ_ONLY',
      '/opt can’t be written',
      'make its file system writable: findmnt -T /opt, then mount -o remount,rw',
    );
  if (facts.installed.length === 0 && facts.spaceBytes < SPACE_BYTES)
    add(
      'HOST_SPACE',
      `${mega(facts.spaceBytes)} MB are free for /opt/netfold, which takes ${mega(SPACE_BYTES)}`,
      'make room there: df -h /opt',
    );
  judgeLibraries(facts, add);
  const offset = Math.abs(clock.offsetSeconds) - clock.errorSeconds;
  if (offset > CLOCK_SECONDS)
    notes.push(
      `its clock is ${clock.offsetSeconds.toFixed(1)} s ahead of this one; only the times in its logs differ`,
    );
  const wanted: readonly Partial<AssignedEndpoint>[] =
    endpoints.length > 0 ? endpoints : [{ ...(host.shape && { shape: host.shape }) }];
  const shaped = wanted.flatMap((one) => shapedOf(one, facts, add) ?? []);
  refuseShared(shaped, facts, add);
  for (const { ifname } of shaped.filter(({ carriesSsh }) => carriesSsh))
    notes.push(`${ifname} carries this SSH session, which is never shaped (port ${facts.ssh!.port})`);
  if (endpoints.length > 1)
    notes.push(
      `what ${endpoints.map(({ name }) => name).join(' and ')} send to each other stays on the host, and is not shaped`,
    );
  return { problems, notes, shaped };
}

/** A user whose name the host gives as one that sudoers(5) takes. */
const knownUser = ({ user }: HostFacts): string | undefined =>
  /^[A-Za-z0-9_][\w.\\@-]{0,63}$/.test(user) ? user : undefined;

type Add = (code: InjectErrorCode, what: string, remedy: string) => void;

const mega = (bytes: number): string => Math.floor(megabytes(bytes)).toLocaleString('en');

function isOld(release: string): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  if (major === undefined) return false;
  const [oldMajor, oldMinor] = OLDEST_KERNEL;
  return Number(major) < oldMajor || (Number(major) === oldMajor && Number(minor) < oldMinor);
}

const PACKAGES = [
  { brings: ['ip', 'tc'], name: 'iproute2' },
  { brings: ['libbpf.so.1'], name: 'libbpf1' },
  { brings: ['tar'], name: 'tar' },
  { brings: ['gzip'], name: 'gzip' },
  { brings: ['setsid'], name: 'util-linux' },
] as const;

function judgeLibraries({ has }: HostFacts, add: Add): void {
  const missing = PACKAGES.filter(({ brings }) => brings.some((one) => !has.has(one)));
  if (missing.length > 0) {
    const what = missing.flatMap(({ brings }) => brings.filter((one) => !has.has(one)));
    const names = missing.map(({ name }) => name).join(' ');
    add(
      'HOST_LIBRARY',
      `there is no ${what.join(', ')}`,
      `install it there, on Debian: apt-get install -y ${names}`,
    );
  }
  if (!has.has('glibc'))
    add(
      'HOST_LIBRARY',
      'there is no glibc, which Node needs',
      'use a distribution with glibc (Alpine has musl)',
    );
}

/** The interface that the inventory names, or the one by which SSH comes in. */
function shapedOf(
  { name, shape }: Partial<AssignedEndpoint>,
  { addresses, ssh }: HostFacts,
  add: Add,
): Shaped | undefined {
  const sshIfname = addresses.find(({ address }) => address === ssh?.address)?.ifname;
  const ifname =
    shape?.kind === 'interface'
      ? shape.value
      : shape?.kind === 'address'
        ? addresses.find(({ address }) => address === shape.value)?.ifname
        : sshIfname;
  if (ifname === undefined) {
    const what = shape
      ? `it has no address ${shape.value}`
      : 'it is not known by which interface SSH comes in';
    const remedy = `write \`shape: INTERFACE\` in the inventory; there are: ${listed(addresses)}`;
    add('HOST_INTERFACE', what, remedy);
    return undefined;
  }
  const own = addresses.filter((one) => one.ifname === ifname).map(({ address }) => address);
  const address = shape?.kind === 'address' ? shape.value : (own.find(isIPv4) ?? own[0]);
  if (address === undefined) {
    const remedy = `correct \`shape\` in the inventory; there are: ${listed(addresses)}`;
    add('HOST_INTERFACE', `it has no interface ${ifname} with an address`, remedy);
    return undefined;
  }
  return { ...(name !== undefined && { endpoint: name }), ifname, address, carriesSsh: ifname === sshIfname };
}

/** Each endpoint has an interface to itself, through which no other one's packets pass. */
function refuseShared(shaped: readonly Shaped[], { addresses }: HostFacts, add: Add): void {
  for (const [index, { endpoint, ifname }] of shaped.entries()) {
    const below = addresses.find((one) => one.ifname === ifname)?.below;
    const twin = shaped.slice(0, index).find((one) => one.ifname === ifname);
    const base = shaped.find((one) => one.ifname === below);
    const remedy = `give each endpoint an interface of its own; there are: ${listed(addresses)}`;
    if (twin) add('HOST_INTERFACE', `${twin.endpoint} and ${endpoint} are both on ${ifname}`, remedy);
    else if (base)
      add(
        'HOST_INTERFACE',
        `${ifname} of ${endpoint} sends through ${base.ifname} of ${base.endpoint}`,
        remedy,
      );
  }
}

const listed = (addresses: HostFacts['addresses']): string =>
  addresses.map(({ ifname, address }) => `${ifname} (${address})`).join(', ') || 'none';

/** Names that lead to one machine: the second of each, with the first. */
export function sameMachines(
  hosts: readonly { readonly name: string; readonly facts: HostFacts }[],
): InjectError[] {
  const seen = new Map<string, string>();
  return hosts.flatMap(({ name, facts: { identity } }) => {
    const other = seen.get(identity);
    if (other === undefined || identity === '') {
      seen.set(identity, name);
      return [];
    }
    const message = `${name}: it is the same machine as ${other}`;
    return [new InjectError('HOST_TWICE', message, 'leave one of them out of the inventory')];
  });
}
