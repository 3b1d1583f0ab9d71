/** Restores a tree on the interface from which it was taken. */
import { OWN_MAJOR } from '../../enforce/interface-state.ts';
import type { NetlinkSocket } from '../../kernel/netlink/netlink-socket.ts';
import { setGsoMaxSegments } from '../../kernel/netlink/rtnetlink.ts';
import { deleteRoot, handle, TC_H_ROOT } from '../../kernel/netlink/tc-messages.ts';
import { KernelError } from '../../kernel/sys/errors.ts';
import { isKernelDefault, type QdiscTree } from './model.ts';
import { snapshotTree } from './qdisc-tree.ts';
import { describeQdisc, differences, isPartOf } from './tree-compare.ts';
import { treeRequests } from './tree-requests.ts';

export const OWN_ROOT = handle(OWN_MAJOR, 0);

/** True where netfold's root is installed. */
export function hasOwnRoot({ qdiscs }: QdiscTree): boolean {
  return qdiscs.some(
    ({ parent, handle, kind }) => parent === TC_H_ROOT && handle === OWN_ROOT && kind === 'htb',
  );
}

function rootHandle({ qdiscs }: QdiscTree): number {
  return qdiscs.find(({ parent }) => parent === TC_H_ROOT)?.handle ?? 0;
}

/**
 * Restores `tree` in place of netfold's root, and the interface's GSO limit with it. Does nothing where the tree is already
 * in place. What an interrupted call has left is created again.
 *
 * @throws {KernelError} `QDISC_FOREIGN` where another program has meanwhile installed something else, which stays;
 *   `RESTORE_FAILED` with the differences where the result is not the same tree.
 */
export function restoreTree(socket: NetlinkSocket, ifindex: number, tree: QdiscTree): void {
  const found = snapshotTree(socket, ifindex);
  const { gsoMaxSegments } = tree.device;
  // Before the root is replaced: as long as netfold's root is there, the GSO limit is known to be netfold's.
  if (found.device.gsoMaxSegments !== gsoMaxSegments)
    socket.run([setGsoMaxSegments(ifindex, gsoMaxSegments)]);
  if (isKernelDefault(tree)) {
    if (hasOwnRoot(found)) socket.run([deleteRoot(ifindex)]);
    return;
  }
  if (differences(tree, found).length === 0) return;
  refuseNewerTree(found, tree);
  try {
    makeTree(socket, ifindex, tree, found);
  } catch (cause) {
    throw restoreFailed(tree, [(cause as Error).message], cause);
  }
  const differing = differences(tree, snapshotTree(socket, ifindex));
  if (differing.length > 0) throw restoreFailed(tree, differing);
}

function makeTree(socket: NetlinkSocket, ifindex: number, tree: QdiscTree, found: QdiscTree): void {
  // The kernel would change a root with the same handle instead of replacing it.
  if (rootHandle(found) === rootHandle(tree)) socket.run([deleteRoot(ifindex)]);
  socket.run(treeRequests(ifindex, tree));
}

function refuseNewerTree(found: QdiscTree, tree: QdiscTree): void {
  if (hasOwnRoot(found) || isKernelDefault(found) || isPartOf(found, tree)) return;
  const { ifname } = found.device;
  const root = found.qdiscs.find(({ parent }) => parent === TC_H_ROOT);
  throw new KernelError({
    code: 'QDISC_FOREIGN',
    message: `${ifname} has ${root ? describeQdisc(root) : 'filters'} that netfold has neither made nor found there`,
    remedy: `if what was there before shall come back, remove it: tc qdisc del dev ${ifname} root`,
  });
}

function restoreFailed({ device }: QdiscTree, differing: readonly string[], cause?: unknown): KernelError {
  return new KernelError({
    code: 'RESTORE_FAILED',
    message: `what was on ${device.ifname} could not be put back as it was: ${differing.join('; ')}`,
    remedy: `put it right by hand, with tc -s qdisc show dev ${device.ifname} to see what is there`,
    ...(cause !== undefined && { cause }),
  });
}
