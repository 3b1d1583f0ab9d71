/** The kernel's part of the delay line: packets that arrive at an interface are handed to queue 0 of its namespace. */
import { constants } from 'node:os';
import type { LocalEndpoint } from '../../../proto/bootstrap.ts';
import { programId } from '../../kernel/bpf/libbpf.ts';
import {
  NETLINK_NETFILTER,
  NETLINK_ROUTE,
  NetlinkSocket,
  refusal,
} from '../../kernel/netlink/netlink-socket.ts';
import { withNetlink } from '../../kernel/netlink/with-netlink.ts';
import { within } from '../../kernel/netns/namespaces.ts';
import { KernelError } from '../../kernel/sys/errors.ts';
import {
  hasTable,
  listRules,
  passArrivals,
  queueArrivals,
  removeTable,
  removeTableIn,
} from '../objects/arrival-table.ts';
import { installFilter, isInstalled, ownFilters, removeOwnFilters } from '../trees/named-filters.ts';

/**
 * It is removed in steps, since the kernel drops every queued packet of a namespace when a hook is unregistered
 * (nf_queue_nf_hook_drop in net/netfilter/nf_queue.c): `close`, then the thread releases its packets, then `remove`, then
 * `release`. The kernel closes a socket that has deleted rules only after a grace period (10 to 30 ms), which concurrent
 * closes share. So each step is done for all queues before the next. Of a namespace that no longer exists, nothing has to be
 * removed.
 */
export interface ArrivalQueue {
  /** What of it is not in force any more, in words: somebody has removed it. Throws where the namespace is gone. */
  missing(): string[];
  /** Queues no more packets; they pass instead. */
  close(): void;
  /** Removes everything else. Packets that are still held are lost. */
  remove(): void;
  release(): void;
}

/** Installs the rule and the ingress program, and replaces those of an earlier agent. */
export function installArrivalQueue(endpoint: LocalEndpoint, arrivalFd: number): ArrivalQueue {
  const { namespace, ifname, ifindex } = endpoint;
  const rules = withNetlink(namespace, NETLINK_NETFILTER, (socket) => {
    socket.run(queueArrivals(ifindex, 0, hasTable(socket)));
    return listRules(socket);
  });
  const programs = withNetlink(namespace, NETLINK_ROUTE, (socket) => {
    installFilter(socket, ifindex, 'ingress', arrivalFd);
    return ownFilters(socket, ifindex, 'ingress').length;
  });
  if (rules.length !== 1 || programs !== 1) throw notTaken(ifname, rules.length, programs);
  return new InstalledQueue(endpoint, arrivalFd, rules[0]!);
}

class InstalledQueue implements ArrivalQueue {
  readonly #endpoint: LocalEndpoint;
  readonly #arrivalFd: number;
  /** As the kernel has written it when it was new. */
  readonly #rule: string;
  #socket: NetlinkSocket | undefined;

  constructor(endpoint: LocalEndpoint, arrivalFd: number, rule: string) {
    this.#endpoint = endpoint;
    this.#arrivalFd = arrivalFd;
    this.#rule = rule;
  }

  missing(): string[] {
    const { namespace, ifindex } = this.#endpoint;
    const [rule, ...more] = withNetlink(namespace, NETLINK_NETFILTER, listRules);
    const isRuleIntact = rule === this.#rule && more.length === 0;
    const isThere = withNetlink(namespace, NETLINK_ROUTE, (socket) =>
      isInstalled(socket, ifindex, 'ingress', programId(this.#arrivalFd)),
    );
    return [
      ...(isRuleIntact ? [] : ['the nftables rule that hands what arrives to the delay line']),
      ...(isThere ? [] : ['the BPF program at ingress']),
    ];
  }

  close(): void {
    const { namespace, ifindex, ifname } = this.#endpoint;
    unlessGone(() => {
      // First the program: otherwise a packet that it marks, and that is not queued, would keep the mark.
      withNetlink(namespace, NETLINK_ROUTE, (socket) => removeOwnFilters(socket, ifindex, 'ingress'));
      for (const verdict of this.#open().batch(passArrivals())) {
        // Another program may have removed the table.
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

/** Removes the queue of an earlier agent, which has no reader. */
export function removeArrivalQueue({ namespace, ifindex }: LocalEndpoint): void {
  withNetlink(namespace, NETLINK_ROUTE, (socket) => removeOwnFilters(socket, ifindex, 'ingress'));
  removeTableIn(namespace);
}

/** Ignores that the namespace no longer exists: its objects ended with it. */
export function unlessGone(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof KernelError && error.code === 'NAMESPACE_MISSING')) throw error;
  }
}
