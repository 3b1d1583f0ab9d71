/**
 * Taking an interface over from whoever has installed something on it, and giving it back. An agent may be killed
 * between any two steps: doing either again comes to the right end.
 */

import type { TreeKeeper } from '../../enforce/ports.ts';
import { NETLINK_ROUTE, type NetlinkSocket } from '../../kernel/netlink/netlink-socket.ts';
import { withNetlink } from '../../kernel/netlink/with-netlink.ts';
import { KernelError } from '../../kernel/sys/errors.ts';
import { isKernelDefault, needsJournal, type QdiscTree } from '../trees/model.ts';
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
 * Makes sure that what is installed on the interface can be put back, and writes it down. Changes nothing on the
 * interface; afterwards netfold's root may replace what is there.
 *
 * @returns true where `giveBack` will put something back; false where the kernel's own default is all there was.
 * @throws {KernelError} `QDISC_NOT_RESTORABLE`
 * @throws {JournalError} `JOURNAL_CONFLICT`, `JOURNAL_UNREADABLE`
 */
export function takeOver(at: InterfaceAt, journal: Journal, experiment: string): boolean {
  return onInterface(at, (socket) => {
    const identity = identifyInterface(socket, at.namespace, at.ifindex);
    const entry = journal.find(identity);
    const tree = snapshotTree(socket, at.ifindex);
    if (hasOwnRoot(tree)) return entry !== undefined;
    // An agent was killed before it had replaced the tree, or while it put it back.
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

/** What is written down has to be what is replaced. */
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
 * Puts back what the interface had before netfold came, in place of netfold's root. Does nothing where netfold's root
 * is gone and the journal has no entry.
 *
 * @throws {KernelError} `QDISC_FOREIGN`, `RESTORE_FAILED` (restoreTree); the journal keeps its entry.
 */
export function giveBack(at: InterfaceAt, journal: Journal): void {
  onInterface(at, (socket) => {
    const identity = identifyInterface(socket, at.namespace, at.ifindex);
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

/** What enforcement asks of this, for one experiment. */
export function journalKeeper(journal: Journal, experiment: string): TreeKeeper {
  return {
    keep: (endpoint) => takeOver(endpoint, journal, experiment),
    putBack: (endpoint) => giveBack(endpoint, journal),
  };
}

/** A socket in the namespace of the interface, for as long as `action` runs. */
export function onInterface<T>({ namespace }: InterfaceAt, action: (socket: NetlinkSocket) => T): T {
  return withNetlink(namespace, NETLINK_ROUTE, action);
}
