/**
 * Takes over an interface on which another program has installed something, and gives it back. An agent may be killed
 * between any two steps; either operation can then be repeated.
 */

import type { TreeKeeper } from '../../enforce/ports.ts';
import { NETLINK_ROUTE, type NetlinkSocket } from '../../kernel/netlink/netlink-socket.ts';
import { withNetlink } from '../../kernel/netlink/with-netlink.ts';
import { KernelError } from '../../kernel/sys/errors.ts';
import { isKernelDefault, needsJournal, type QdiscTree } from '../trees/model.ts';
import { removeOwnFilters } from '../trees/named-filters.ts';
import { snapshotTree } from '../trees/qdisc-tree.ts';
import { differences, isPartOf } from '../trees/tree-compare.ts';
import { rehearseRestore } from '../trees/tree-rehearsal.ts';
import { hasOwnRoot, restoreTree } from '../trees/tree-restore.ts';
import { identifyInterface } from './interface-identity.ts';
import type { Journal, JournalEntry } from './journal.ts';

export interface InterfaceAt {
  /** Path of the network namespace. */
  readonly namespace: string;
  readonly ifindex: number;
}

/**
 * Makes sure that what is installed on the interface can be restored, and writes it to the journal. Changes nothing on the
 * interface. Afterwards netfold's root may replace it.
 *
 * @returns true where `giveBack` will restore something; false where the interface had only the kernel's defaults.
 * @throws {KernelError} `QDISC_NOT_RESTORABLE`
 * @throws {JournalError} `JOURNAL_CONFLICT`, `JOURNAL_UNREADABLE`
 */
export function takeOver(at: InterfaceAt, journal: Journal, experiment: string): boolean {
  return onInterface(at, (socket) => {
    const identity = identifyInterface(socket, at.ifindex);
    const entry = journal.find(identity);
    const tree = snapshotTree(socket, at.ifindex);
    if (hasOwnRoot(tree)) return entry !== undefined;
    // An agent was killed before it replaced the tree, or while it restored it.
    if (entry && (isKernelDefault(tree) || isPartOf(tree, entry.tree))) return true;
    if (entry) throw journal.conflict(entry);
    if (!needsJournal(tree)) return false;
    rehearseRestore(tree);
    refuseChange(tree, snapshotTree(socket, at.ifindex));
    const { ifname } = tree.device;
    const takenAt = new Date().toISOString();
    journal.write({ identity, ifname, namespacePath: at.namespace, takenAt, experiment, tree });
    return true;
  });
}

/** The journal must have exactly what is replaced. */
function refuseChange(before: QdiscTree, now: QdiscTree): void {
  const changed = differences(before, now);
  if (changed.length === 0) return;
  throw new KernelError({
    code: 'QDISC_FOREIGN',
    message: `somebody is changing the qdiscs of ${now.device.ifname}: ${changed.join('; ')}`,
    remedy: 'try again when the other program has finished',
  });
}

/**
 * Restores what the interface had before netfold, in place of netfold's root. Does nothing where netfold's root is gone and
 * the journal has no entry.
 *
 * @throws {KernelError} `QDISC_FOREIGN`, `RESTORE_FAILED` (restoreTree); the journal keeps its entry.
 */
export function giveBack(at: InterfaceAt, journal: Journal): void {
  onInterface(at, (socket) => {
    removeOwnFilters(socket, at.ifindex, 'egress');
    const identity = identifyInterface(socket, at.ifindex);
    const entry = journal.find(identity);
    if (entry) {
      restoreEntry(socket, at.ifindex, entry, journal);
      journal.remove(identity);
      return;
    }
    const { device, ...found } = snapshotTree(socket, at.ifindex);
    if (!hasOwnRoot({ device, ...found })) return;
    const gsoMaxSegments = device.gsoSegmentsByDefault;
    restoreTree(socket, at.ifindex, {
      device: { ...device, gsoMaxSegments },
      qdiscs: [],
      classes: [],
      filters: [],
    });
  });
}

function restoreEntry(socket: NetlinkSocket, ifindex: number, entry: JournalEntry, journal: Journal): void {
  try {
    restoreTree(socket, ifindex, entry.tree);
  } catch (cause) {
    if (!(cause instanceof KernelError)) throw cause;
    const path = journal.pathOf(entry.identity);
    throw new KernelError({
      code: cause.code,
      message: `${cause.message} (kept in ${path})`,
      errno: cause.errno,
      cause,
      remedy: `${cause.remedy ?? 'see what the kernel says'}; then run \`netfold cleanup\`, or remove ${path} if all is well`,
    });
  }
}

/** The port of enforcement, for one experiment. */
export function journalKeeper(journal: Journal, experiment: string): TreeKeeper {
  return {
    keep: (endpoint) => takeOver(endpoint, journal, experiment),
    putBack: (endpoint) => giveBack(endpoint, journal),
  };
}

/** Runs `action` with a socket in the namespace of the interface. */
export function onInterface<T>({ namespace }: InterfaceAt, action: (socket: NetlinkSocket) => T): T {
  return withNetlink(namespace, NETLINK_ROUTE, action);
}
