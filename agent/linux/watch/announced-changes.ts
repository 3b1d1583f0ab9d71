/**
 * Hears what the kernel announces of changes at local endpoints: of interfaces, qdiscs, classes and filters (rtnetlink), and of
 * netfold's nftables table. Two sockets hear the namespaces of all endpoints, in a namespace of their own in which each of these
 * has a number; so thousands of endpoints cost no descriptors, and nothing in the machine's namespaces changes. Addresses and routes
 * are not heard: nothing of netfold's follows from them.
 */
import { statSync } from 'node:fs';
import { constants } from 'node:os';
import type { LocalEndpoint } from '../../../proto/bootstrap.ts';
import type { ChangeWatch } from '../../enforce/ports.ts';
import { Announcements, TOO_LONG } from '../../kernel/netlink/announcements.ts';
import { readAttributes, readString } from '../../kernel/netlink/netlink-message.ts';
import {
  NETLINK_NETFILTER,
  NETLINK_ROUTE,
  NetlinkSocket,
  refusal,
} from '../../kernel/netlink/netlink-socket.ts';
import { numberNamespace } from '../../kernel/netlink/rtnetlink.ts';
import { inScratchNamespace } from '../../kernel/netns/scratch-namespace.ts';
import { close, open } from '../../kernel/sys/descriptors.ts';
import { KernelError } from '../../kernel/sys/errors.ts';
import { TABLE_NAME } from '../objects/names.ts';
import { OWN_PORT } from '../objects/own-port.ts';

const { EEXIST, EPROTONOSUPPORT } = constants.errno;

/** RTNLGRP_LINK and RTNLGRP_TC (linux/rtnetlink.h), NFNLGRP_NFTABLES (linux/netfilter/nfnetlink.h). */
const GROUPS = { link: 1, tc: 4, nftables: 7 } as const;
/** Of ifinfomsg and of tcmsg. */
const IFINDEX_AT = 4;
/** struct nfgenmsg. The first attribute of what nftables says of tables, chains and rules is the table's name. */
const NFGENMSG_SIZE = 4;
const NFTA_TABLE = 1;

/** In one call; what comes after them has to wait for the next one. */
const MOST_AT_ONCE = 8192;

const REMEDY =
  'what somebody removes is noticed when its endpoint is read back in turn, not at once; give the agent CAP_NET_BROADCAST';

interface Heard {
  readonly endpoint: LocalEndpoint;
  /** Its number; `undefined` where it can't be heard. */
  namespace: number | undefined;
}

export class AnnouncedChanges implements ChangeWatch {
  readonly #interfaces: Announcements;
  /** Absent where the kernel has no nftables. */
  readonly #rules: Announcements | undefined;
  /** In the namespace of the two. */
  readonly #numbering: NetlinkSocket;
  readonly #endpoints = new Map<number, Heard>();
  /** Number of a namespace → the endpoints in it. */
  readonly #inNamespace = new Map<number, Set<LocalEndpoint>>();
  readonly #unheard = new Map<number, string>();
  #overruns = 0;

  constructor() {
    [this.#interfaces, this.#rules, this.#numbering] = inScratchNamespace(openSockets);
  }

  get problems(): string[] {
    return [...this.#unheard.values()];
  }

  /** How often changes came faster than they were read, so that any endpoint may have changed. */
  get overruns(): number {
    return this.#overruns;
  }

  attach(endpoint: LocalEndpoint): void {
    const heard: Heard = { endpoint, namespace: undefined };
    this.#endpoints.set(endpoint.number, heard);
    try {
      heard.namespace = this.#hear(endpoint.namespace);
      const here = this.#inNamespace.get(heard.namespace) ?? new Set();
      this.#inNamespace.set(heard.namespace, here.add(endpoint));
    } catch (error) {
      const { message } = error as Error;
      this.#unheard.set(
        endpoint.number,
        `${endpoint.name}: changes by others are not heard (${message}): ${REMEDY}`,
      );
    }
  }

  /** The number of a namespace is its inode's, by which it is known as long as it exists. Throws `KernelError`. */
  #hear(namespace: string): number {
    const fd = open(namespace);
    try {
      const number = statSync(`/proc/thread-self/fd/${fd}`).ino % 2 ** 31;
      const [verdict] = this.#numbering.batch([numberNamespace(fd, number)]);
      // Another endpoint is in it, or was.
      if (verdict && verdict.errno !== 0 && verdict.errno !== EEXIST) throw refusal(verdict);
      return number;
    } finally {
      close(fd);
    }
  }

  detach({ number }: Pick<LocalEndpoint, 'number'>): void {
    const heard = this.#endpoints.get(number);
    if (!heard) return;
    this.#endpoints.delete(number);
    this.#unheard.delete(number);
    if (heard.namespace === undefined) return;
    const here = this.#inNamespace.get(heard.namespace);
    here?.delete(heard.endpoint);
    if (here?.size === 0) this.#inNamespace.delete(heard.namespace);
  }

  take(): Set<number> {
    const changed = new Set<number>();
    const note = (namespace: number, matches: (endpoint: LocalEndpoint) => boolean): void => {
      for (const endpoint of this.#inNamespace.get(namespace) ?? [])
        if (matches(endpoint)) changed.add(endpoint.number);
    };
    const heard = this.#interfaces.receive((namespace, type, bytes, start, end) => {
      const isRead = type !== TOO_LONG && start + IFINDEX_AT + 4 <= end;
      const ifindex = isRead ? bytes.readInt32LE(start + IFINDEX_AT) : undefined;
      note(namespace, (endpoint) => ifindex === undefined || endpoint.ifindex === ifindex);
    }, MOST_AT_ONCE);
    const heardRules = this.#rules?.receive((namespace, type, bytes, start, end) => {
      if (type === TOO_LONG || isOfOwnTable(bytes.subarray(start, end))) note(namespace, () => true);
    }, MOST_AT_ONCE);
    if (heard && heardRules !== false) return changed;
    this.#overruns++;
    return new Set(this.#endpoints.keys());
  }

  close(): void {
    this.#interfaces.close();
    this.#rules?.close();
    this.#numbering.close();
  }
}

function isOfOwnTable(body: Buffer): boolean {
  return readString(readAttributes(body, NFGENMSG_SIZE).get(NFTA_TABLE)) === TABLE_NAME;
}

type Sockets = [Announcements, Announcements | undefined, NetlinkSocket];

function openSockets(): Sockets {
  const opened: { close(): void }[] = [];
  const keep = <T extends { close(): void }>(one: T): T => {
    opened.push(one);
    return one;
  };
  try {
    const interfaces = keep(new Announcements(NETLINK_ROUTE, [GROUPS.link, GROUPS.tc], OWN_PORT));
    const rules = listenToRules();
    if (rules) keep(rules);
    return [interfaces, rules, keep(new NetlinkSocket(NETLINK_ROUTE))];
  } catch (error) {
    for (const one of opened) one.close();
    throw error;
  }
}

function listenToRules(): Announcements | undefined {
  try {
    return new Announcements(NETLINK_NETFILTER, [GROUPS.nftables]);
  } catch (error) {
    if (error instanceof KernelError && error.errno === EPROTONOSUPPORT) return undefined;
    throw error;
  }
}

/** As `AnnouncedChanges`; where this machine does not let the agent listen, one that hears nothing, and says so. */
export function watchChanges(): ChangeWatch {
  try {
    return new AnnouncedChanges();
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    const problems = [`changes by others are not heard (${error.message}): ${REMEDY}`];
    return { problems, attach: () => {}, detach: () => {}, take: () => new Set(), close: () => {} };
  }
}
