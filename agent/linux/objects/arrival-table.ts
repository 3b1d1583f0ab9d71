/** The nftables table `inet netfold`, which hands packets that arrive at an interface to the queue of the delay line. */
import { constants } from 'node:os';
import { NETLINK_NETFILTER, type NetlinkSocket, type Request } from '../../kernel/netlink/netlink-socket.ts';
import * as nftables from '../../kernel/netlink/nftables.ts';
import { withNetlink } from '../../kernel/netlink/with-netlink.ts';
import { KernelError } from '../../kernel/sys/errors.ts';
import { UNGUARDED_PRIORITY } from './bpf-layout.ts';
import { TABLE_NAME } from './names.ts';

/**
 * Before connection tracking (-200), so that held packets are not tracked yet; and before the reassembly of fragments
 * (-400), so that each fragment is delayed and lost by itself. NF_IP_PRI_RAW_BEFORE_DEFRAG.
 */
const PRIORITY = -450;
const CHAIN: nftables.QueueingChain = {
  table: TABLE_NAME,
  chain: 'arrivals',
  priority: PRIORITY,
  exemptPriority: UNGUARDED_PRIORITY,
};

/**
 * Hands packets that arrive at the interface to queue `queue` of this namespace. `isReplacement`: the table may exist already, and all
 * of it is replaced; without, one that exists gets a further rule.
 */
export function queueArrivals(ifindex: number, queue: number, isReplacement: boolean): Request[] {
  return nftables.queueArriving(CHAIN, ifindex, queue, isReplacement);
}

/** Queues no more packets: those of one rule, or of all. What is queued stays so as long as the table exists. */
export function passArrivals(handle?: Uint8Array): Request[] {
  return nftables.stopQueueing(CHAIN, handle);
}

/** The rules of netfold's table, to be compared with what they were before. */
export function listRules(socket: NetlinkSocket): nftables.Rule[] {
  return nftables.listRules(socket, TABLE_NAME);
}

export function hasTable(socket: NetlinkSocket): boolean {
  return nftables.hasTable(socket, TABLE_NAME);
}

/** True when the table existed. */
export function removeTable(socket: NetlinkSocket): boolean {
  return nftables.removeTable(socket, TABLE_NAME);
}

/** `removeTable` in the namespace at this path. */
export function removeTableIn(namespace: string): boolean {
  return inNamespace(namespace, removeTable);
}

/** Whether the namespace at this path has netfold's table. */
export function hasTableIn(namespace: string): boolean {
  return inNamespace(namespace, hasTable);
}

/** False where the kernel has no nftables. */
function inNamespace(namespace: string, action: (socket: NetlinkSocket) => boolean): boolean {
  try {
    return withNetlink(namespace, NETLINK_NETFILTER, action);
  } catch (error) {
    if (error instanceof KernelError && isWithoutNftables(error)) return false;
    throw error;
  }
}

/** The kernel has no nfnetlink, or no subsystem nf_tables in it (nfnetlink_rcv_msg, net/netfilter/nfnetlink.c). */
function isWithoutNftables({ code, errno }: KernelError): boolean {
  const { EINVAL, EOPNOTSUPP, EPROTONOSUPPORT } = constants.errno;
  if (code === 'NETLINK_REFUSED') return errno === EINVAL || errno === EOPNOTSUPP;
  return code === 'SYSCALL_FAILED' && errno === EPROTONOSUPPORT;
}
