/** Takes everything of netfold's off one interface that stays, without the agent that put it there. */

import { KernelError } from '../../kernel/sys/errors.ts';
import { removeTableIn } from '../objects/arrival-table.ts';
import { listQdiscs } from '../tc/tc-dumps.ts';
import { ownFilters, removeOwnFilters } from '../trees/named-filters.ts';
import { snapshotTree } from '../trees/qdisc-tree.ts';
import { hasOwnRoot } from '../trees/tree-restore.ts';
import type { Journal } from './journal.ts';
import { giveBack, type InterfaceAt, onInterface } from './take-over.ts';

/**
 * Puts back what the journal says was there. True where there was anything to do; an interface or a namespace that is
 * gone took everything along.
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
