/** Finds out whether a tree can be restored, before anything is replaced. */

import { NLM_F_CREATE, NLM_F_EXCL } from '../../kernel/netlink/netlink-message.ts';
import { NETLINK_ROUTE, NetlinkSocket, type Request } from '../../kernel/netlink/netlink-socket.ts';
import { setUp } from '../../kernel/netlink/rtnetlink.ts';
import { TC_H_ROOT } from '../../kernel/netlink/tc-messages.ts';
import { inScratchNamespace } from '../../kernel/netns/scratch-namespace.ts';
import { KernelError } from '../../kernel/sys/errors.ts';
import { whatFilterLoses } from './filter-kinds.ts';
import { isKernelDefault, type QdiscTree, type TreeDevice } from './model.ts';
import { whatQdiscLoses } from './qdisc-kinds.ts';
import { snapshotTree } from './qdisc-tree.ts';
import { describeFilter, describeQdisc, differences } from './tree-compare.ts';
import { treeRequests } from './tree-requests.ts';
import { OWN_ROOT } from './tree-restore.ts';

/**
 * Checks whether `tree` can be restored: by what is known of its kinds, and by creating it on an interface of a temporary
 * namespace.
 *
 * @throws {KernelError} `QDISC_NOT_RESTORABLE` with the qdisc or filter and the reason.
 */
export function rehearseRestore(tree: QdiscTree): void {
  if (isKernelDefault(tree)) return;
  const known = knownLosses(tree);
  if (known.length > 0) throw notRestorable(tree, known);
  // The namespace ends with the socket.
  const socket = inScratchNamespace(() => new NetlinkSocket(NETLINK_ROUTE));
  try {
    const ifindex = SCRATCH_INDEX;
    socket.run([addScratchInterface(tree), setUp(ifindex)]);
    socket.run(treeRequests(ifindex, tree));
    const differing = differences(tree, snapshotTree(socket, ifindex));
    if (differing.length > 0) throw notRestorable(tree, differing);
  } catch (cause) {
    if (!(cause instanceof KernelError) || cause.code !== 'NETLINK_REFUSED') throw cause;
    throw notRestorable(tree, [cause.message], cause);
  } finally {
    socket.close();
  }
}

/** What is known without trying: one line for each part of the tree that the kernel describes incompletely. */
export function knownLosses({ qdiscs, filters }: QdiscTree): string[] {
  const root = qdiscs.find(({ parent }) => parent === TC_H_ROOT);
  const named = (name: string, reason: string | undefined): string[] =>
    reason === undefined ? [] : [`${name}: ${reason}`];
  return [
    ...qdiscs.flatMap((qdisc) => {
      const reserved = qdisc.handle === OWN_ROOT ? "its handle is netfold's own" : undefined;
      const orphaned =
        root?.handle === 0 && qdisc.handle !== 0 ? "it is attached to the kernel's own root" : undefined;
      return named(describeQdisc(qdisc), reserved ?? orphaned ?? whatQdiscLoses(qdisc));
    }),
    ...filters.flatMap((filter) => named(describeFilter(filter), whatFilterLoses(filter, filters))),
  ];
}

const MOST_REASONS = 5;

function notRestorable({ device }: QdiscTree, reasons: readonly string[], cause?: unknown): KernelError {
  const more = reasons.length > MOST_REASONS ? `; and ${reasons.length - MOST_REASONS} more` : '';
  const { ifname } = device;
  return new KernelError({
    code: 'QDISC_NOT_RESTORABLE',
    message: `what is installed on ${ifname} could not be put back as it is, so it was not touched: ${reasons.slice(0, MOST_REASONS).join('; ')}${more}`,
    remedy: `note down how it was made, remove it by hand (tc qdisc del dev ${ifname} root), and make it again after the experiment`,
    ...(cause !== undefined && { cause }),
  });
}

/** Not 2: the kernel gives that to the other end of the pair, which it creates first. */
const SCRATCH_INDEX = 1000;
const RTM_NEWLINK = 16;
const IFLA = { IFNAME: 3, MTU: 4, TXQLEN: 13, LINKINFO: 18, NUM_TX_QUEUES: 31 } as const;
const IFLA_INFO_KIND = 1;
/** The limit of a veth. The loopback interface may have a larger one. */
const LARGEST_MTU = 65_535;

/**
 * `ip link add IF index 1000 mtu M txqueuelen L numtxqueues Q type veth`: the properties that qdiscs take from their
 * interface.
 */
function addScratchInterface({ device, qdiscs }: QdiscTree): Request {
  const txQueues = usedQueues(device, qdiscs);
  return {
    type: RTM_NEWLINK,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    what: 'add an interface to rehearse on',
    body: (w) =>
      w
        .u32(0)
        .i32(SCRATCH_INDEX)
        .u32(0)
        .u32(0)
        // The same name, since filters may contain it.
        .attributeString(IFLA.IFNAME, device.ifname === 'lo' ? 'rehearsal' : device.ifname)
        .attributeU32(IFLA.MTU, Math.min(device.mtu, LARGEST_MTU))
        .attributeU32(IFLA.TXQLEN, device.txQueueLength)
        .attributeU32(IFLA.NUM_TX_QUEUES, txQueues)
        .nested(IFLA.LINKINFO, (info) => info.attributeString(IFLA_INFO_KIND, 'veth')),
  };
}

/** mq has one queue for each queue that the driver uses, which may be fewer than its maximum. */
function usedQueues(device: TreeDevice, qdiscs: QdiscTree['qdiscs']): number {
  const root = qdiscs.find(({ parent }) => parent === TC_H_ROOT);
  if (root?.kind !== 'mq') return Math.max(1, device.txQueues);
  const queues = qdiscs.filter(({ parent }) => parent !== TC_H_ROOT && parent >>> 16 === root.handle >>> 16);
  return Math.max(1, ...queues.map(({ parent }) => parent & 0xffff));
}
