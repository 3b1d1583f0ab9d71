/** What the kernel has dropped because a packet queue was full (net/netfilter/nfnetlink_queue.c, `seq_show`). */
import { readFileSync } from 'node:fs';
import { within } from '../netns/namespaces.ts';

/** Columns: queue, port, waiting, copy mode, copy range, queue dropped, user dropped, last id, 1. */
const COLUMN = { queue: 0, queueDropped: 5, userDropped: 6 } as const;

/**
 * How many packets found no room in queue `number`, or in the receive buffer of its reader, since it was bound. Pure. 0 of a
 * queue that is not in the table.
 */
export function dropsIn(table: string, number: number): number {
  for (const line of table.split('\n')) {
    const columns = line.trim().split(/\s+/).map(Number);
    if (line.trim() === '' || columns[COLUMN.queue] !== number) continue;
    return (columns[COLUMN.queueDropped] ?? 0) + (columns[COLUMN.userDropped] ?? 0);
  }
  return 0;
}

/** `dropsIn` of the namespace at this path. Throws `KernelError` where the namespace is gone. */
export function queueDrops(namespace: string, number: number): number {
  return within(namespace, () =>
    dropsIn(readFileSync('/proc/thread-self/net/netfilter/nfnetlink_queue', 'utf8'), number),
  );
}
