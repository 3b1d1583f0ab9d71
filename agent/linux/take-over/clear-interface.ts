/** Removes everything of netfold's from an interface that stays, when the agent that installed it is gone. */

import { KernelError } from '../../kernel/sys/errors.ts';
import { removeTableIn } from '../objects/arrival-table.ts';
import { listQdiscs } from '../tc/tc-dumps.ts';
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
      const entrances = listQdiscs(socket, at.ifindex).filter(
        ({ kind }) => kind === 'clsact' || kind === 'ingress',
      );
      const own = entrances.filter(({ kind }) => ownFilters(socket, at.ifindex, kind).length > 0);
      for (const { kind } of own) removeOwnFilters(socket, at.ifindex, kind);
      return { hadFilters: own.length > 0, hadRoot: hasOwnRoot(snapshotTree(socket, at.ifindex)) };
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
