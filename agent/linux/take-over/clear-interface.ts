/** Removes everything of netfold's from an interface that stays, when the agent that installed it is gone. */

import { KernelError } from '../../kernel/sys/errors.ts';
import { removeTableIn } from '../objects/arrival-table.ts';
import { ownFilters, removeOwnFilters } from '../trees/named-filters.ts';
import { snapshotTree } from '../trees/qdisc-tree.ts';
import { hasOwnRoot } from '../trees/tree-restore.ts';
import type { Journal } from './journal.ts';
import { giveBack, type InterfaceAt, onInterface } from './take-over.ts';

/**
 * Restores what the journal has for the interface. True where there was anything to do. An interface or namespace that no
 * longer exists needs nothing.
 *
 * @throws {KernelError | JournalError} those of `giveBack`.
 */
export function clearInterface(at: InterfaceAt, journal: Journal): boolean {
  try {
    const { hadFilters, hadRoot } = onInterface(at, (socket) => {
      const hadFilters = ownFilters(socket, at.ifindex).length > 0;
      if (hadFilters) removeOwnFilters(socket, at.ifindex);
      return { hadFilters, hadRoot: hasOwnRoot(snapshotTree(socket, at.ifindex)) };
    });
    const hadTable = removeTableIn(at.namespace);
    giveBack(at, journal);
    return hadFilters || hadTable || hadRoot;
  } catch (error) {
    const isGone =
      error instanceof KernelError && (error.code === 'INTERFACE_GONE' || error.code === 'NAMESPACE_MISSING');
    if (isGone) return false;
    throw error;
  }
}
