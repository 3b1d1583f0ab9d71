/** Tries each ability of the kernel once, in a temporary namespace. */
import { spawnSync } from 'node:child_process';
import { possibleCpus } from '../../kernel/bpf/libbpf.ts';
import { NLM_F_CREATE, NLM_F_EXCL } from '../../kernel/netlink/netlink-message.ts';
import {
  NETLINK_NETFILTER,
  NETLINK_ROUTE,
  NetlinkSocket,
  type Request,
} from '../../kernel/netlink/netlink-socket.ts';
import { PacketQueue } from '../../kernel/netlink/nfqueue.ts';
import { addAddress, addVeth } from '../../kernel/netlink/rtnetlink.ts';
import {
  addClsact,
  handle,
  header,
  RTM,
  setHookFilter,
  setHtbClass,
  setHtbRoot,
  TC_H_ROOT,
  TCA_KIND,
  TCA_OPTIONS,
} from '../../kernel/netlink/tc-messages.ts';
import { enableIpv6, hasIpv6, makeRouter } from '../../kernel/netns/ip-settings.ts';
import { THREAD_NAMESPACE_FILE } from '../../kernel/netns/namespace-files.ts';
import { inScratchNamespace, LOOPBACK } from '../../kernel/netns/scratch-namespace.ts';
import { close, open } from '../../kernel/sys/descriptors.ts';
import { queueArrivals } from '../objects/arrival-table.ts';
import { setClassifier } from '../objects/classifier.ts';
import { FILTER_NAME } from '../objects/names.ts';
import { loadPrograms, type Programs } from '../programs/programs.ts';
import type { AbilityId } from './ability.ts';
import type { Probe } from './probe-list.ts';
import { everywhere, kernelRemedies, packageRemedies } from './remedies.ts';

const MAJOR = 0x4e46;
/** Reserved for documentation and never routed (RFC 3849). */
const EXAMPLE_ADDRESS = '2001:db8::1';
const NAMESPACES: readonly AbilityId[] = ['platform', 'root', 'network-namespaces'];
const DELAY = 'latency, jitter and loss';

/** Loads the programs when the first probe needs them. */
class LazyPrograms {
  #programs: Programs | undefined;

  get(): Programs {
    this.#programs ??= loadPrograms(1);
    return this.#programs;
  }

  close(): void {
    this.#programs?.close();
  }
}

/** `close` unloads the programs. Each probe removes everything else that it makes. */
export function kernelProbes(): { probes: Probe[]; close: () => void } {
  const programs = new LazyPrograms();
  return {
    probes: [...namespaceProbes(), ...bandwidthProbes(), ...bpfProbes(programs), ...delayProbes(), ipv6],
    close: () => programs.close(),
  };
}

function namespaceProbes(): Probe[] {
  return [
    {
      id: 'network-namespaces',
      name: 'network namespaces',
      neededFor: 'endpoints',
      need: 'lab',
      from: 'kernel',
      needs: ['platform', 'root'],
      remedies: everywhere({
        command: '',
        note: 'start the container with --privileged; outside of one: CAP_SYS_ADMIN and CAP_NET_ADMIN, and a kernel with CONFIG_NET_NS',
      }),
      attempt: inScratch(() => undefined),
    },
    {
      id: 'routing',
      name: 'routing',
      neededFor: 'packets from endpoint to endpoint',
      need: 'lab',
      from: 'kernel',
      needs: NAMESPACES,
      remedies: everywhere({
        command: '',
        note: 'start the container with --privileged: without, /proc/sys can only be read',
      }),
      attempt: inScratch(() => makeRouter(THREAD_NAMESPACE_FILE, { ipv6: false })),
    },
    {
      id: 'veth',
      name: 'veth',
      neededFor: 'interfaces of endpoints',
      need: 'lab',
      from: 'kernel',
      needs: NAMESPACES,
      remedies: kernelRemedies({ modules: ['veth'], options: ['VETH'] }),
      attempt: inScratch(tryVeth),
    },
  ];
}

function bandwidthProbes(): Probe[] {
  return [
    {
      id: 'htb',
      name: 'HTB',
      neededFor: 'bandwidth',
      need: 'lab',
      from: 'kernel',
      needs: NAMESPACES,
      remedies: kernelRemedies({
        modules: ['sch_htb'],
        options: ['NET_SCHED', 'NET_SCH_HTB'],
        minikubeNote: 'the ISO has it since 1.17 for x86-64, and not for arm64',
      }),
      attempt: inScratch(() => runRoute(htbRequests())),
    },
  ];
}

function bpfProbes(programs: LazyPrograms): Probe[] {
  return [
    {
      id: 'libbpf',
      name: 'libbpf',
      neededFor: 'loading BPF programs',
      need: 'lab',
      from: 'packages',
      remedies: packageRemedies(
        { apt: 'libbpf1', dnf: 'libbpf', apk: 'libbpf', pacman: 'libbpf' },
        { aptNote: 'Debian 12, Ubuntu 24.04 or newer' },
      ),
      attempt: () => void possibleCpus(),
    },
    {
      id: 'bpf-socket-filter',
      name: 'BPF socket filter',
      neededFor: 'counting traffic',
      need: 'lab',
      from: 'kernel',
      needs: [...NAMESPACES, 'libbpf'],
      remedies: kernelRemedies({ modules: ['af_packet'], options: ['PACKET', 'BPF_SYSCALL', 'BPF_JIT'] }),
      attempt: inScratch(() => tryCounting(programs.get())),
    },
    {
      id: 'bpf-classifier',
      name: 'BPF classifier',
      neededFor: 'finding the class of a destination',
      need: 'lab',
      from: 'kernel',
      needs: [...NAMESPACES, 'htb', 'bpf-socket-filter'],
      remedies: kernelRemedies({
        modules: ['cls_bpf'],
        options: ['NET_CLS_BPF', 'NET_CLS_ACT'],
        minikubeNote: 'the ISO has it for x86-64 only',
      }),
      attempt: inScratch(() =>
        runRoute([...htbRequests(), setClassifier(LOOPBACK, MAJOR, programs.get().arrivalFd)]),
      ),
    },
    {
      id: 'clsact',
      name: 'clsact',
      neededFor: 'the time at which packets arrive, and queues that fill',
      need: 'lab',
      from: 'kernel',
      needs: [...NAMESPACES, 'bpf-socket-filter'],
      remedies: kernelRemedies({
        modules: ['sch_ingress', 'cls_bpf'],
        options: ['NET_SCH_INGRESS', 'NET_CLS_BPF', 'NET_CLS_ACT'],
      }),
      attempt: inScratch(() =>
        runRoute([
          addClsact(LOOPBACK),
          setHookFilter(LOOPBACK, 'ingress', programs.get().arrivalFd, { name: FILTER_NAME, priority: 1 }),
          setHookFilter(LOOPBACK, 'egress', programs.get().detacherFd, { name: FILTER_NAME, priority: 1 }),
        ]),
      ),
    },
  ];
}

function delayProbes(): Probe[] {
  return [
    {
      id: 'netem',
      name: 'netem',
      neededFor: `${DELAY}, unless the delay line does it`,
      need: 'one of',
      from: 'kernel',
      needs: NAMESPACES,
      remedies: kernelRemedies({
        modules: ['sch_netem'],
        options: ['NET_SCH_NETEM'],
        minikubeNote: 'the ISO has it since 1.6 for x86-64, and not for arm64',
      }),
      attempt: inScratch(() => runRoute([addNetemRoot()])),
    },
    {
      id: 'nfqueue',
      name: 'NFQUEUE',
      neededFor: `the delay line: ${DELAY}, unless netem does it`,
      need: 'one of',
      from: 'kernel',
      needs: NAMESPACES,
      remedies: kernelRemedies({
        modules: ['nfnetlink_queue', 'xt_NFQUEUE', 'nft_compat'],
        options: [
          'NETFILTER_NETLINK_QUEUE',
          'NETFILTER_XT_TARGET_NFQUEUE',
          'NF_TABLES',
          'NF_TABLES_INET',
          'NFT_COMPAT',
        ],
        minikubeNote: 'ISOs before August 2026 have no nftables, which carries it; use netem',
      }),
      attempt: inScratch(tryQueue),
    },
  ];
}

const ipv6: Probe = {
  id: 'ipv6',
  name: 'IPv6',
  neededFor: 'endpoints with IPv6 addresses',
  need: 'optional',
  from: 'kernel',
  needs: NAMESPACES,
  remedies: everywhere({
    command: 'modprobe ipv6',
    note: 'boot without ipv6.disable=1, on a kernel with CONFIG_IPV6',
  }),
  attempt: inScratch(() => {
    if (!hasIpv6()) throw new Error('the kernel has no IPv6: /proc/sys/net/ipv6 does not exist');
    enableIpv6(THREAD_NAMESPACE_FILE);
    runRoute([addAddress(LOOPBACK, EXAMPLE_ADDRESS)]);
  }),
};

/** Each probe has its own namespace, so that none depends on what another left. */
function inScratch(action: () => void): () => undefined {
  return () => {
    inScratchNamespace(action);
  };
}

function htbRequests(): Request[] {
  const rate = { bytesPerSecond: 125_000, burstBytes: 1514 };
  return [setHtbRoot(LOOPBACK, MAJOR, 100), setHtbClass(LOOPBACK, MAJOR, 1, rate, 1514)];
}

/** `tc qdisc add dev lo root handle 4e46: netem limit 1000` */
function addNetemRoot(): Request {
  return {
    type: RTM.NEWQDISC,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    what: 'add the qdisc netem',
    body: (w) =>
      header(w, LOOPBACK, handle(MAJOR, 0), TC_H_ROOT)
        .attributeString(TCA_KIND, 'netem')
        // struct tc_netem_qopt: latency, limit, loss, gap, duplicate, jitter.
        .attribute(TCA_OPTIONS, (o) => o.u32(0).u32(1000).u32(0).u32(0).u32(0).u32(0)),
  };
}

function tryVeth(): void {
  const namespace = open(THREAD_NAMESPACE_FILE);
  try {
    const end = (index: number) => ({
      index,
      name: `probe${index}`,
      mac: Buffer.from([2, 0, 0, 0, 0, index]),
    });
    runRoute([addVeth(end(10), end(11), namespace)]);
  } finally {
    close(namespace);
  }
}

/** The filter stays on the socket, and with it the namespace, until the programs are closed. */
function tryCounting(programs: Programs): void {
  programs.countTraffic({
    number: 0,
    name: 'probe',
    namespace: THREAD_NAMESPACE_FILE,
    ifname: 'lo',
    ifindex: LOOPBACK,
    addresses: [],
  });
}

/** The kernel loads modules for tc by itself, but not the module of an xtables target in a table of family inet. */
const QUEUE_MODULES = ['nfnetlink_queue', 'xt_NFQUEUE', 'nft_compat'];

function tryQueue(): void {
  const request = (): void =>
    withSocket(NETLINK_NETFILTER, (socket) => socket.run(queueArrivals(LOOPBACK, 0, false)));
  try {
    request();
  } catch {
    // Without modules, or without modprobe, the second attempt gives the error.
    spawnSync('modprobe', ['-q', '-a', ...QUEUE_MODULES]);
    request();
  }
  new PacketQueue(0).close();
}

function runRoute(requests: readonly Request[]): void {
  withSocket(NETLINK_ROUTE, (socket) => socket.run(requests));
}

function withSocket(protocol: number, use: (socket: NetlinkSocket) => void): void {
  const socket = new NetlinkSocket(protocol);
  try {
    use(socket);
  } finally {
    socket.close();
  }
}
