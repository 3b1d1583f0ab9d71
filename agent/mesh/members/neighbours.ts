/**
 * Which hosts hear each other themselves. Among few, all hear all; among many, each hears those at distances 1, 2, 4, 8 … in
 * both directions on the ring of all names, as the fingers of Chord (Stoica et al., SIGCOMM 2001), and is heard by the same
 * ones. So what a host sends grows with the logarithm of their number, every host has a neighbour with a name that comes
 * before its own, except for the first, and all agents that know the same hosts come to the same neighbours.
 */

/** Up to so many hosts, all hear all: there, the ring would leave out little, and each is missed by all others at once. */
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
