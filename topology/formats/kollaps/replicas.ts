/** How many replicas a service needs if its joins describe it, as in the formats of Kollaps. */
import { amountOf } from '../../events/amounts.ts';
import type { PopulationChange } from '../../model/population.ts';

/**
 * The largest number present at once, or, without `reuse`, one for each join. `undefined` if nothing joins by number:
 * then the number of the service itself is valid.
 */
export function replicasNeeded(changes: readonly PopulationChange[], reuse: boolean): number | undefined {
  if (!changes.some(({ direction, amount }) => direction === 'join' && amount)) return undefined;
  let alive = 0;
  let most = 0;
  let joined = 0;
  for (const { direction, amount } of changes.toSorted((a, b) => a.at - b.at)) {
    const number = amountOf(amount, alive) ?? (direction === 'join' ? most - alive : alive);
    alive += direction === 'join' ? number : -number;
    if (direction === 'join') joined += number;
    most = Math.max(most, alive);
  }
  return reuse ? most : joined;
}
