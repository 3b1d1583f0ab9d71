/**
 * Finds what netfold has left on interfaces, by the names and handles of its objects in the kernel, and removes it. No file
 * is needed for that; a journal entry, if there is one, has the state before netfold.
 */
import { statSync } from 'node:fs';
import { constants } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import { type Link, listLinks } from '../../kernel/netlink/links.ts';
import { readAttributes, readString } from '../../kernel/netlink/netlink-message.ts';
import type { NetlinkSocket } from '../../kernel/netlink/netlink-socket.ts';
import { header, RTM, TC_H_ROOT, TCA_KIND } from '../../kernel/netlink/tc-messages.ts';
import { allNamespaces, type NamespaceFound } from '../../kernel/netns/all-namespaces.ts';
import { KernelError } from '../../kernel/sys/errors.ts';
import { hasTableIn, removeTableIn } from '../objects/arrival-table.ts';
import { TABLE_NAME } from '../objects/names.ts';
import { ownFilters, removeOwnFilters } from '../trees/named-filters.ts';
import { OWN_ROOT } from '../trees/tree-restore.ts';
import { bootId, identifyInterface } from './interface-identity.ts';
import type { Journal, JournalEntry, JournalError } from './journal.ts';
import { giveBack, onInterface } from './take-over.ts';

interface Place {
  readonly namespace: NamespaceFound;
}

interface InterfacePlace extends Place {
  readonly ifindex: number;
  readonly ifname: string;
}

/**
 * - `filters`: BPF filters named netfold at clsact or ingress.
 * - `table`: the nftables table `inet netfold`.
 * - `root`: an HTB root with netfold's handle, and its GSO limit.
 * - `unfinished`: an interface that was given back in part; netfold's root is gone, the journal has the rest.
 * - `stale`: a journal entry from before the last start of the machine.
 * - `unreadable`: a file of the journal that is damaged; it is only reported.
 */
export type Leftover =
  | (InterfacePlace & { readonly what: 'filters'; readonly qdisc: string })
  | (Place & { readonly what: 'table' })
  | (InterfacePlace & { readonly what: 'root' | 'unfinished' })
  | { readonly what: 'stale'; readonly path: string; readonly ifname: string }
  | { readonly what: 'unreadable'; readonly path: string; readonly error: JournalError };

export interface LeftoverSearch {
  readonly journal?: Journal;
  /** Accepts names of namespaces that are removed as a whole elsewhere. */
  readonly skip?: (name: string) => boolean;
}

/** Namespaces of experiments. */
const isOfExperiment = (name: string): boolean => name.startsWith('netfold.');

/** All leftovers on interfaces of this machine, in an order in which they can be removed. */
export function findLeftovers({ journal, skip = isOfExperiment }: LeftoverSearch = {}): Leftover[] {
  const files = journal?.list() ?? [];
  const boot = bootId();
  const entries = files.flatMap((file) => ('entry' in file ? [file.entry] : []));
  const paths = entries.map(({ namespacePath }) => namespacePath);
  return [
    ...allNamespaces(skip, paths).flatMap((namespace) => unlessClosed(() => inspect(namespace, entries))),
    ...files.flatMap((file): Leftover[] => {
      if ('error' in file) return [{ what: 'unreadable', ...file }];
      const { identity, ifname } = file.entry;
      return identity.bootId === boot ? [] : [{ what: 'stale', path: file.path, ifname }];
    }),
  ];
}

/** Removes all of netfold's from the interfaces of one namespace. True where there was anything; a namespace that is gone has nothing. */
export function clearNamespace(path: string, journal: Journal): boolean {
  const numbers = statSync(path, { throwIfNoEntry: false });
  if (!numbers) return false;
  const namespace = { path, label: path, device: numbers.dev, inode: numbers.ino };
  const entries = journal.list().flatMap((file) => ('entry' in file ? [file.entry] : []));
  const found = unlessClosed(() => inspect(namespace, entries));
  for (const leftover of found) removeLeftover(leftover, journal);
  return found.length > 0;
}

/** Skips namespaces that can't be entered: one that ends now, or of another user. */
function unlessClosed(action: () => Leftover[]): Leftover[] {
  try {
    return action();
  } catch (error) {
    if (error instanceof KernelError && isClosed(error)) return [];
    throw error;
  }
}

/**
 * EINVAL: a file in the folder of named namespaces with no namespace mounted on it; a kill between the two steps leaves
 * that.
 */
function isClosed({ code, errno }: KernelError): boolean {
  return code === 'NAMESPACE_MISSING' || code === 'NO_PERMISSION' || errno === constants.errno.EINVAL;
}

function inspect(namespace: NamespaceFound, entries: readonly JournalEntry[]): Leftover[] {
  const route = onInterface({ namespace: namespace.path, ifindex: 0 }, (socket) => {
    const links = new Map(listLinks(socket).map((link) => [link.ifindex, link]));
    const qdiscs = listTopQdiscs(socket);
    return {
      filters: qdiscs.flatMap(({ ifindex, kind }) => {
        const own = ENTRANCES.has(kind) ? ownFilters(socket, ifindex) : [];
        return own.length > 0 ? [{ ...placeOf(namespace, links, ifindex), qdisc: kind }] : [];
      }),
      roots: qdiscs.flatMap(({ ifindex, kind, handle }) =>
        kind === 'htb' && handle === OWN_ROOT ? [placeOf(namespace, links, ifindex)] : [],
      ),
      journalled: [...links.keys()]
        .filter((ifindex) => {
          const identity = identifyInterface(socket, ifindex);
          return entries.some((entry) => isDeepStrictEqual(entry.identity, identity));
        })
        .map((ifindex) => placeOf(namespace, links, ifindex)),
    };
  });
  const rooted = new Set(route.roots.map(({ ifindex }) => ifindex));
  const unfinished = route.journalled.filter(({ ifindex }) => !rooted.has(ifindex));
  return [
    ...route.filters.map((place): Leftover => ({ what: 'filters', ...place })),
    ...(hasTableIn(namespace.path) ? [{ what: 'table', namespace } as const] : []),
    ...route.roots.map((place): Leftover => ({ what: 'root', ...place })),
    ...unfinished.map((place): Leftover => ({ what: 'unfinished', ...place })),
  ];
}

const ENTRANCES: ReadonlySet<string> = new Set(['clsact', 'ingress']);

function placeOf(
  namespace: NamespaceFound,
  links: ReadonlyMap<number, Link>,
  ifindex: number,
): InterfacePlace {
  return { namespace, ifindex, ifname: links.get(ifindex)?.ifname ?? `index ${ifindex}` };
}

interface TopQdisc {
  readonly ifindex: number;
  readonly kind: string;
  readonly handle: number;
}

/** Roots, clsact and ingress of all interfaces of the namespace. */
function listTopQdiscs(socket: NetlinkSocket): TopQdisc[] {
  const request = {
    type: RTM.GETQDISC,
    flags: 0,
    what: 'list qdiscs',
    body: (w: Parameters<typeof header>[0]) => void header(w, 0, 0, 0),
  };
  return socket.dump(request, (body) => {
    const kind = readString(readAttributes(body, 20).get(TCA_KIND));
    if (body.readUInt32LE(12) !== TC_H_ROOT && !ENTRANCES.has(kind)) return undefined;
    return { ifindex: body.readInt32LE(4), kind, handle: body.readUInt32LE(8) };
  });
}

/**
 * Removes the leftover, and restores what the journal has. It may be called twice; what ended with its namespace or
 * interface needs nothing.
 *
 * @throws {KernelError | JournalError} those of `giveBack`.
 */
export function removeLeftover(leftover: Leftover, journal: Journal): void {
  if (leftover.what === 'unreadable') throw leftover.error;
  if (leftover.what === 'stale') journal.removeFile(leftover.path);
  else {
    const namespace = whereIsNow(leftover.namespace);
    if (namespace !== undefined) removeFrom(namespace, leftover, journal);
  }
}

function removeFrom(
  namespace: string,
  leftover: Exclude<Leftover, { what: 'stale' | 'unreadable' }>,
  journal: Journal,
): void {
  if (leftover.what === 'table') {
    removeTableIn(namespace);
    return;
  }
  const at = { namespace, ifindex: leftover.ifindex };
  try {
    if (leftover.what !== 'filters') giveBack(at, journal);
    else onInterface(at, (socket) => removeOwnFilters(socket, at.ifindex));
  } catch (error) {
    if (!(error instanceof KernelError && error.code === 'INTERFACE_GONE')) throw error;
  }
}

/**
 * A current path of the namespace. The process through which it was found may have ended, and its number may have been
 * reused.
 */
function whereIsNow({ path, device, inode }: NamespaceFound): string | undefined {
  const numbers = statSync(path, { throwIfNoEntry: false });
  if (numbers?.dev === device && numbers.ino === inode) return path;
  return allNamespaces(() => false).find((one) => one.device === device && one.inode === inode)?.path;
}

/** One line for people: `the HTB root of eth0 in web`. */
export function describeLeftover(leftover: Leftover): string {
  if (leftover.what === 'unreadable') return `the journal file ${leftover.path}`;
  if (leftover.what === 'stale') return `the journal entry of ${leftover.ifname} from before the last start`;
  const { label } = leftover.namespace;
  if (leftover.what === 'table') return `the nftables table inet ${TABLE_NAME} in ${label}`;
  const place = `${leftover.ifname} in ${label}`;
  if (leftover.what === 'filters') return `the filters at ${leftover.qdisc} of ${place}`;
  return leftover.what === 'root' ? `the HTB root of ${place}` : `what was not put back on ${place}`;
}
