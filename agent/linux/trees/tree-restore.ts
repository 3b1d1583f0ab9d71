/** Makes a tree again on the interface that it was taken from. */
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

/** True where netfold's own root is in place. */
export function hasOwnRoot({ qdiscs }: QdiscTree): boolean {
  return qdiscs.some(
    ({ parent, handle, kind }) => parent === TC_H_ROOT && handle === OWN_ROOT && kind === 'htb',
  );
}

function rootHandle({ qdiscs }: QdiscTree): number {
  return qdiscs.find(({ parent }) => parent === TC_H_ROOT)?.handle ?? 0;
}

/**
 * Puts `tree` back in place of netfold's root, and the interface's GSO limit with it. Does nothing where it is in place
 * already; what an earlier, interrupted call has made of it is made anew.
 *
 * @throws {KernelError} `QDISC_FOREIGN` where somebody has installed something else meanwhile, which stays;
 *   `RESTORE_FAILED` with what differs where the kernel doesn't come to the same tree.
 */
export function restoreTree(socket: NetlinkSocket, ifindex: number, tree: QdiscTree): void {
  const found = snapshotTree(socket, ifindex);
  const { gsoMaxSegments } = tree.device;
  // Before the root: as long as netfold's root is there, a GSO limit is known to be netfold's.
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
  // A root of the same handle would be changed rather than replaced.
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
