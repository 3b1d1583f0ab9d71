/**
 * The kernel's part of the delay line: packets that arrive at an interface are handed to a queue of its namespace. Endpoints in one
 * namespace have one table there, with a rule and a queue for each.
 */
import { statSync } from 'node:fs';
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
  /** Removes everything else; the hook, when no other queue of the namespace needs it. Packets that are still held are lost. */
  remove(): void;
  release(): void;
}

/** A queue of a namespace, and the endpoint whose it is. */
interface Place {
  readonly number: number;
  /** Of the namespace. */
  readonly queue: number;
  installed?: InstalledQueue;
}

/** The queues of all endpoints of this process, by namespace. */
export class ArrivalQueues {
  readonly #arrivalFd: number;
  /** Device and inode of a namespace → what is in it. */
  readonly #inNamespace = new Map<string, Place[]>();
  /** Number of an endpoint → where it is. */
  readonly #where = new Map<number, string>();

  constructor(arrivalFd: number) {
    this.#arrivalFd = arrivalFd;
  }

  /** The number of the endpoint's queue in its namespace: the lowest that no other one has there, until `free`. */
  reserve({ number, namespace }: LocalEndpoint): number {
    const known = this.#placeOf(number);
    if (known) return known.queue;
    const key = identityOf(namespace);
    const places = this.#inNamespace.get(key) ?? [];
    const taken = new Set(places.map((place) => place.queue));
    let queue = 0;
    while (taken.has(queue)) queue++;
    this.#inNamespace.set(key, [...places, { number, queue }]);
    this.#where.set(number, key);
    return queue;
  }

  /** After its queue was removed, or if none was installed. */
  free(number: number): void {
    const key = this.#where.get(number);
    if (key === undefined) return;
    this.#where.delete(number);
    const others = this.#inNamespace.get(key)!.filter((place) => place.number !== number);
    if (others.length > 0) this.#inNamespace.set(key, others);
    else this.#inNamespace.delete(key);
  }

  /** Installs the rule and the ingress program, and replaces those of an earlier agent. */
  install(endpoint: LocalEndpoint): ArrivalQueue {
    const queue = this.reserve(endpoint);
    const { number, namespace, ifname, ifindex } = endpoint;
    const others = (): InstalledQueue[] => this.#othersOf(number);
    const rules = withNetlink(namespace, NETLINK_NETFILTER, (socket) => {
      const theirs = new Set(others().map(({ rule }) => rule));
      if (theirs.size === 0) socket.run(queueArrivals(ifindex, queue, hasTable(socket)));
      else {
        for (const { text, handle } of listRules(socket))
          if (!theirs.has(text)) socket.run(passArrivals(handle));
        socket.run(queueArrivals(ifindex, queue, false));
      }
      return listRules(socket).flatMap(({ text }) => (theirs.has(text) ? [] : [text]));
    });
    const programs = withNetlink(namespace, NETLINK_ROUTE, (socket) => {
      installFilter(socket, ifindex, 'ingress', this.#arrivalFd);
      return ownFilters(socket, ifindex, 'ingress').length;
    });
    if (rules.length !== 1 || programs !== 1) throw notTaken(ifname, rules.length, programs);
    const installed = new InstalledQueue(endpoint, this.#arrivalFd, rules[0]!, others);
    this.#placeOf(number)!.installed = installed;
    return installed;
  }

  /** Removes the queue of an earlier agent, which has no reader. The table stays where another endpoint has its rule in it. */
  removeLeft(endpoint: LocalEndpoint): void {
    const key = identityOf(endpoint.namespace);
    const isShared = (this.#inNamespace.get(key) ?? []).some(({ installed }) => installed?.isStanding);
    if (isShared) removeArrivalFilters(endpoint);
    else removeArrivalQueue(endpoint);
  }

  #placeOf(number: number): Place | undefined {
    const key = this.#where.get(number);
    return key === undefined ? undefined : this.#inNamespace.get(key)?.find((one) => one.number === number);
  }

  /** Queues of other endpoints that are installed in the same namespace. */
  #othersOf(number: number): InstalledQueue[] {
    const places = this.#inNamespace.get(this.#where.get(number) ?? '') ?? [];
    return places.flatMap((place) =>
      place.number !== number && place.installed?.isStanding ? [place.installed] : [],
    );
  }
}

/** The same for all paths of a namespace. One that is gone has no other endpoint. */
function identityOf(namespace: string): string {
  const found = statSync(namespace, { throwIfNoEntry: false });
  return found ? `${found.dev}:${found.ino}` : namespace;
}

class InstalledQueue implements ArrivalQueue {
  /** As the kernel has written it when it was new. */
  readonly rule: string;
  readonly #endpoint: LocalEndpoint;
  readonly #arrivalFd: number;
  readonly #others: () => InstalledQueue[];
  #isStanding = true;
  #socket: NetlinkSocket | undefined;

  constructor(endpoint: LocalEndpoint, arrivalFd: number, rule: string, others: () => InstalledQueue[]) {
    this.#endpoint = endpoint;
    this.#arrivalFd = arrivalFd;
    this.rule = rule;
    this.#others = others;
  }

  /** Until it is removed. */
  get isStanding(): boolean {
    return this.#isStanding;
  }

  missing(): string[] {
    const { namespace, ifindex } = this.#endpoint;
    const rules = withNetlink(namespace, NETLINK_NETFILTER, listRules);
    const theirs = new Set(this.#others().map(({ rule }) => rule));
    const [rule, ...more] = rules.filter(({ text }) => !theirs.has(text));
    const isRuleIntact = rule?.text === this.rule && more.length === 0;
    const isThere = withNetlink(namespace, NETLINK_ROUTE, (socket) =>
      isInstalled(socket, ifindex, 'ingress', programId(this.#arrivalFd)),
    );
    return [
      ...(isRuleIntact ? [] : ['the nftables rule that hands what arrives to the delay line']),
      ...(isThere ? [] : ['the BPF program at ingress']),
    ];
  }

  close(): void {
    const { ifname } = this.#endpoint;
    unlessGone(() => {
      // First the program: otherwise a packet that it marks, and that is not queued, would keep the mark.
      removeArrivalFilters(this.#endpoint);
      for (const verdict of this.#open().batch(this.#passing())) {
        // Another program may have removed the table.
        const isGone = verdict.errno === constants.errno.ENOENT;
        if (verdict.errno !== 0 && !isGone) throw refusal(verdict, ifname);
      }
    });
  }

  /** All of the chain, unless others have their rules in it. */
  #passing(): ReturnType<typeof passArrivals> {
    if (this.#others().length === 0) return passArrivals();
    const own = listRules(this.#open()).find(({ text }) => text === this.rule);
    return own ? passArrivals(own.handle) : [];
  }

  remove(): void {
    this.#isStanding = false;
    if (this.#others().length === 0) unlessGone(() => removeTable(this.#open()));
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

/** Removes the queues of an earlier agent from the endpoint and its namespace. They have no reader. */
export function removeArrivalQueue(endpoint: LocalEndpoint): void {
  removeArrivalFilters(endpoint);
  removeTableIn(endpoint.namespace);
}

function removeArrivalFilters({ namespace, ifindex }: LocalEndpoint): void {
  withNetlink(namespace, NETLINK_ROUTE, (socket) => removeOwnFilters(socket, ifindex, 'ingress'));
}

/** Ignores that the namespace no longer exists: its objects ended with it. */
export function unlessGone(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof KernelError && error.code === 'NAMESPACE_MISSING')) throw error;
  }
}
