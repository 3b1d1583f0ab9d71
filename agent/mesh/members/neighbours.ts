/**
 * Which hosts are neighbours. Among few hosts, all are. Among many, a host's neighbours are those at distances 1, 2,
 * 4, 8 … in both directions on the ring of all names, as the fingers of Chord (Stoica et al., SIGCOMM 2001), and
 * neighbourhood is mutual. So a host's traffic grows with the logarithm of the number of hosts, every host but the
 * first has a neighbour with an earlier name, and all agents that know the same hosts compute the same neighbours.
 */

/** Up to so many hosts, all are neighbours: the ring would leave out few, and this way all miss a host at once. */
export const ALL_HEAR_ALL = 16;

/** `names`: of all hosts with the own one, sorted. `undefined`: all are neighbours. */
export function neighboursOf(own: string, names: readonly string[]): ReadonlySet<string> | undefined {
  const count = names.length;
  if (count <= ALL_HEAR_ALL) return undefined;
  const at = names.indexOf(own);
  const near = new Set<string>();
  for (let distance = 1; distance <= count / 2; distance *= 2) {
    near.add(names[(at + distance) % count]!);
    near.add(names[(at - distance + count) % count]!);
  }
  return near;
}
