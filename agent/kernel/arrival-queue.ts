/** The kernel's side of the delay line: what arrives at an interface is handed to queue 0 of its namespace. */
import { constants } from 'node:os';
import type { LocalEndpoint } from '../endpoints/model.ts';
import { KernelError } from './errors.ts';
import { within } from './namespaces.ts';
import { NETLINK_NETFILTER, NETLINK_ROUTE, NetlinkSocket, refusal } from './netlink-socket.ts';
import { passArrivals, queueArrivals, removeTable } from './nftables.ts';
import { addClsact, addIngressFilter, deleteClsact, deleteIngressFilter } from './tc-messages.ts';

/**
 * It is taken away in two steps, since the kernel drops every queued packet of a namespace when a hook is unregistered
 * (nf_queue_nf_hook_drop in net/netfilter/nf_queue.c): close, let go of what is held, remove. A namespace that died
 * meanwhile took everything along.
 */
export interface ArrivalQueue {
  /** Hands over nothing more; what arrives passes. */
  close(): void;
  /** Removes the rest. Packets that are still held are lost. */
  remove(): void;
}

/** Installs rule and ingress program; what an earlier agent left of them is replaced. */
export function installArrivalQueue(
  { namespace, ifname, ifindex }: LocalEndpoint,
  arrivalFd: number,
): ArrivalQueue {
  withSocket(namespace, NETLINK_NETFILTER, (socket) => socket.run(queueArrivals(ifname, 0)));
  const ownClsact = withSocket(namespace, NETLINK_ROUTE, (socket) => {
    const verdict = socket.batch([addClsact(ifindex)])[0]!;
    const existed = verdict.errno === constants.errno.EEXIST;
    if (verdict.errno !== 0 && !existed) throw refusal(verdict);
    if (existed) socket.batch([deleteIngressFilter(ifindex)]);
    socket.run([addIngressFilter(ifindex, arrivalFd)]);
    return !existed;
  });
  return {
    close: () =>
      unlessGone(() => {
        // The program first: a packet that it marks and nobody queues would keep the mark. Somebody else's clsact stays.
        withSocket(namespace, NETLINK_ROUTE, (socket) =>
          socket.batch([ownClsact ? deleteClsact(ifindex) : deleteIngressFilter(ifindex)]),
        );
        withSocket(namespace, NETLINK_NETFILTER, (socket) => socket.batch(passArrivals()));
      }),
    remove: () => unlessGone(() => withSocket(namespace, NETLINK_NETFILTER, removeTable)),
  };
}

function withSocket<T>(namespace: string, protocol: number, action: (socket: NetlinkSocket) => T): T {
  const socket = within(namespace, () => new NetlinkSocket(protocol));
  try {
    return action(socket);
  } finally {
    socket.close();
  }
}

function unlessGone(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof KernelError && error.code === 'NAMESPACE_MISSING')) throw error;
  }
}
