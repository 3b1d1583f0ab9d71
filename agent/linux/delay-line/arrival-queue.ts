/** The kernel's side of the delay line: what arrives at an interface is handed to queue 0 of its namespace. */
import { constants } from 'node:os';
import type { LocalEndpoint } from '../../../proto/bootstrap.ts';
import {
  NETLINK_NETFILTER,
  NETLINK_ROUTE,
  NetlinkSocket,
  refusal,
} from '../../kernel/netlink/netlink-socket.ts';
import { addClsact, setIngressFilter } from '../../kernel/netlink/tc-messages.ts';
import { withNetlink } from '../../kernel/netlink/with-netlink.ts';
import { within } from '../../kernel/netns/namespaces.ts';
import { KernelError } from '../../kernel/sys/errors.ts';
import {
  countRules,
  hasTable,
  passArrivals,
  queueArrivals,
  removeTable,
  removeTableIn,
} from '../objects/arrival-table.ts';
import { FILTER_NAME, OWN_CLSACT_FILTER_NAME } from '../objects/names.ts';
import { listQdiscs } from '../tc/tc-dumps.ts';
import { filtersOf, nameOf, ownFilters, removeOwnFilters } from '../trees/named-filters.ts';

/**
 * It is taken away in two steps, since the kernel drops every queued packet of a namespace when a hook is unregistered
 * (nf_queue_nf_hook_drop in net/netfilter/nf_queue.c): close, let go of what is held, remove. A namespace that died
 * meanwhile took everything along. Then `release`: the kernel lets go of a socket that has deleted rules only after a grace
 * period (10 to 30 ms), but of many sockets after the same one. So each step is taken for all queues before the next.
 */
export interface ArrivalQueue {
  /** Hands over nothing more; what arrives passes. */
  close(): void;
  /** Removes the rest. Packets that are still held are lost. */
  remove(): void;
  release(): void;
}

/** Installs rule and ingress program; what an earlier agent left of them is replaced. */
export function installArrivalQueue(endpoint: LocalEndpoint, arrivalFd: number): ArrivalQueue {
  const { namespace, ifname, ifindex } = endpoint;
  const rules = withNetlink(namespace, NETLINK_NETFILTER, (socket) => {
    socket.run(queueArrivals(ifname, 0, hasTable(socket)));
    return countRules(socket);
  });
  const programs = withNetlink(namespace, NETLINK_ROUTE, (socket) => {
    installProgram(socket, ifindex, arrivalFd);
    return ownFilters(socket, ifindex, entrance(socket, ifindex) ?? 'clsact').length;
  });
  if (rules !== 1 || programs !== 1) throw notTaken(ifname, rules, programs);
  return new InstalledQueue(endpoint);
}

class InstalledQueue implements ArrivalQueue {
  readonly #endpoint: LocalEndpoint;
  #socket: NetlinkSocket | undefined;

  constructor(endpoint: LocalEndpoint) {
    this.#endpoint = endpoint;
  }

  close(): void {
    const { namespace, ifindex, ifname } = this.#endpoint;
    unlessGone(() => {
      // The program first: a packet that it marks and nobody queues would keep the mark.
      withNetlink(namespace, NETLINK_ROUTE, (socket) => removeProgram(socket, ifindex));
      for (const verdict of this.#open().batch(passArrivals())) {
        // Somebody else may have removed the table.
        const isGone = verdict.errno === constants.errno.ENOENT;
        if (verdict.errno !== 0 && !isGone) throw refusal(verdict, ifname);
      }
    });
  }

  remove(): void {
    unlessGone(() => removeTable(this.#open()));
  }

  release(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  #open(): NetlinkSocket {
    this.#socket ??= within(this.#endpoint.namespace, () => new NetlinkSocket(NETLINK_NETFILTER));
    return this.#socket;
  }
}

function notTaken(ifname: string, rules: number, programs: number): KernelError {
  return new KernelError({
    code: 'READBACK_MISMATCH',
    message: `what arrives at ${ifname} must meet one rule and one BPF program; the kernel has ${rules} and ${programs}`,
    remedy: 'see `nft list ruleset` and `tc filter show dev IF ingress`; somebody else may be removing them',
  });
}

/** Takes away what an earlier agent left and nobody serves. */
export function removeArrivalQueue({ namespace, ifindex }: LocalEndpoint): void {
  withNetlink(namespace, NETLINK_ROUTE, (socket) => removeProgram(socket, ifindex));
  removeTableIn(namespace);
}

/**
 * Where there is no clsact, one is made in the same send as the filter, so that no kill can come between: it is the
 * filter's name that tells whose the clsact is.
 */
function installProgram(socket: NetlinkSocket, ifindex: number, programFd: number): void {
  const kind = entrance(socket, ifindex);
  if (kind === undefined) {
    const settings = { name: OWN_CLSACT_FILTER_NAME, priority: 1 };
    socket.run([addClsact(ifindex), setIngressFilter(ifindex, programFd, settings)]);
    return;
  }
  const filters = filtersOf(socket, ifindex, kind);
  const own = ownFilters(socket, ifindex, kind)[0];
  const taken = new Set(filters.map(({ priority }) => priority));
  let priority = own?.priority ?? 1;
  // Somebody else's filters stay where they are.
  while (!own && taken.has(priority)) priority++;
  socket.run([setIngressFilter(ifindex, programFd, { name: own ? nameOf(own) : FILTER_NAME, priority })]);
}

function removeProgram(socket: NetlinkSocket, ifindex: number): void {
  const kind = entrance(socket, ifindex);
  if (kind !== undefined) removeOwnFilters(socket, ifindex, kind);
}

/** What the interface has to attach filters to for what arrives. */
function entrance(socket: NetlinkSocket, ifindex: number): string | undefined {
  return listQdiscs(socket, ifindex).find(({ kind }) => kind === 'clsact' || kind === 'ingress')?.kind;
}

/** A namespace that is gone took everything along. */
export function unlessGone(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof KernelError && error.code === 'NAMESPACE_MISSING')) throw error;
  }
}
