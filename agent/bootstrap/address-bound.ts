/** How many addresses of an endpoint an agent has room for. */
import type { Bootstrap } from '../../proto/bootstrap.ts';

/** Of hosts that join later, nothing is known: an address of each family. */
const IF_OTHERS_JOIN = 2;

/**
 * The kernel's tables are made once, for so many addresses of every endpoint. More that another host announces do not
 * count, so no host can fill the tables of others.
 */
export function addressesPerEndpoint({ endpoints, mesh, partial }: Bootstrap): number {
  const known = [...endpoints.map(({ addresses }) => addresses), ...Object.values(mesh.addresses ?? {})];
  return known.reduce((most, { length }) => Math.max(most, length), partial ? IF_OTHERS_JOIN : 1);
}
