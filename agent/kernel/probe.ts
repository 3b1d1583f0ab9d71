/**
 * What this machine can do, found by doing it: in a network namespace without a name that exists only during the
 * probe. Nothing of the machine is touched.
 */
import { existsSync } from 'node:fs';
import { close, open, setns, unshareNetwork } from './libc.ts';
import { NETLINK_NETFILTER, NETLINK_ROUTE, NetlinkSocket } from './netlink-socket.ts';
import { PacketQueue } from './nfqueue.ts';
import { queueArrivals } from './nftables.ts';
import { loadPrograms } from './programs.ts';
import { addClassifier, addClsact, addIngressFilter, setHtbClass, setHtbRoot } from './tc-messages.ts';

export interface Ability {
  readonly name: string;
  readonly neededFor: string;
  readonly ok: boolean;
  /** What happened when it was tried; empty when it is there. */
  readonly reason: string;
  /** What to do where it is missing. */
  readonly remedy: string;
}

interface Probe {
  readonly name: string;
  readonly neededFor: string;
  readonly remedy: string;
  /** Throws where the machine can't. */
  readonly attempt: () => void;
}

const LOOPBACK = 1;
const MAJOR = 0x4e46;

/** Tries everything that a local lab needs, in the order in which one thing needs the other. */
export function probeMachine(): Ability[] {
  const first = [linux, root, command('ip', 'commands in endpoints', 'iproute2')];
  const abilities = first.map(tryProbe);
  if (abilities.some(({ ok }) => !ok)) return abilities;
  return [...abilities, ...inScratchNamespace(() => kernelProbes().map(tryProbe))];
}

function tryProbe({ name, neededFor, remedy, attempt }: Probe): Ability {
  try {
    attempt();
    return { name, neededFor, remedy, ok: true, reason: '' };
  } catch (error) {
    return { name, neededFor, remedy, ok: false, reason: (error as Error).message };
  }
}

const linux: Probe = {
  name: 'Linux on a 64-bit little-endian machine',
  neededFor: 'everything',
  remedy: 'run netfold on Linux (x86-64 or ARM64), in a virtual machine if need be',
  attempt: () => {
    const supported = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch);
    if (!supported) throw new Error(`this is ${process.platform} on ${process.arch}`);
  },
};

const root: Probe = {
  name: 'root',
  neededFor: 'namespaces, tc and BPF',
  remedy: 'run the command as root: sudo netfold …',
  attempt: () => {
    if (process.getuid?.() !== 0) throw new Error(`the user id is ${process.getuid?.()}`);
  },
};

function command(name: string, neededFor: string, pkg: string): Probe {
  return {
    name: `command ${name}`,
    neededFor,
    remedy: `install ${pkg}: apt-get install ${pkg} (Debian, Ubuntu), dnf install ${pkg} (Fedora), apk add ${pkg} (Alpine)`,
    attempt: () => {
      const folders = (process.env.PATH ?? '').split(':');
      if (!folders.some((folder) => existsSync(`${folder}/${name}`)))
        throw new Error(`${name} is not in PATH`);
    },
  };
}

const namespaces: Probe = {
  name: 'network namespaces',
  neededFor: 'endpoints',
  remedy:
    'run with CAP_SYS_ADMIN and CAP_NET_ADMIN (a container: --privileged), on a kernel with CONFIG_NET_NS',
  attempt: unshareNetwork,
};

/** Runs in a new namespace of this thread, and comes back. */
function inScratchNamespace(action: () => Ability[]): Ability[] {
  const home = open('/proc/thread-self/ns/net');
  try {
    const ability = tryProbe(namespaces);
    if (!ability.ok) return [ability];
    try {
      return [ability, ...action()];
    } finally {
      setns(home);
    }
  } finally {
    close(home);
  }
}

function kernelProbes(): Probe[] {
  const module = (name: string): string =>
    `modprobe ${name}, or use a distribution kernel (not a minimal one)`;
  const route = (use: (socket: NetlinkSocket) => void) => () => withSocket(NETLINK_ROUTE, use);
  return [
    {
      name: 'HTB',
      neededFor: 'bandwidth',
      remedy: module('sch_htb'),
      attempt: route((socket) => {
        const rate = { bytesPerSecond: 125_000, burstBytes: 1514 };
        socket.run([setHtbRoot(LOOPBACK, MAJOR, 100), setHtbClass(LOOPBACK, MAJOR, 1, rate, 1514)]);
      }),
    },
    {
      name: 'BPF and libbpf',
      neededFor: 'counting traffic, finding classes',
      remedy:
        'install libbpf (apt-get install libbpf1, dnf install libbpf, apk add libbpf); Linux 5.6 or newer',
      attempt: () => loadPrograms(1).close(),
    },
    {
      name: 'BPF classifier',
      neededFor: 'finding the class of a destination',
      remedy: module('cls_bpf'),
      attempt: () =>
        withPrograms(({ arrivalFd }) =>
          withSocket(NETLINK_ROUTE, (s) => s.run([addClassifier(LOOPBACK, MAJOR, arrivalFd)])),
        ),
    },
    {
      name: 'clsact',
      neededFor: 'right timestamps of delayed packets',
      remedy: module('sch_ingress'),
      attempt: () =>
        withPrograms(({ arrivalFd }) =>
          withSocket(NETLINK_ROUTE, (s) =>
            s.run([addClsact(LOOPBACK), addIngressFilter(LOOPBACK, arrivalFd)]),
          ),
        ),
    },
    {
      name: 'NFQUEUE',
      neededFor: 'latency, jitter and loss (delay line)',
      remedy: module('-a nfnetlink_queue xt_NFQUEUE nft_compat'),
      attempt: () => {
        withSocket(NETLINK_NETFILTER, (socket) => socket.run(queueArrivals('lo', 0)));
        new PacketQueue(0).close();
      },
    },
  ];
}

function withSocket(protocol: number, use: (socket: NetlinkSocket) => void): void {
  const socket = new NetlinkSocket(protocol);
  try {
    use(socket);
  } finally {
    socket.close();
  }
}

function withPrograms(use: (programs: { arrivalFd: number }) => void): void {
  const programs = loadPrograms(1);
  try {
    use(programs);
  } finally {
    programs.close();
  }
}
