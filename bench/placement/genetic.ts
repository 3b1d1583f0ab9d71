/**
 * The reference of wide-area placement: a genetic algorithm, as Netbed's wanassign is one (White et al., OSDI 2002): a population of
 * placements, of which the better ones have children with some changes. One endpoint a host.
 */
import type { MatchProblem } from '../../controller/placement/wide-area/assigned.ts';
import { totalShortfall } from '../../controller/placement/wide-area/shortfall.ts';
import { SeededRandom } from '../../topology/model/random.ts';

const POPULATION = 100;
/** The best go on as they are. */
const ELITE = 4;
/** Of so many by chance, the best is a parent. */
const TOURNAMENT = 3;
/** Of the children, so many have an endpoint moved, or two exchanged. */
const MUTATION = 0.7;

interface Individual {
  readonly hostOf: Int32Array;
  readonly missing: number;
}

/** The least that is missing in any placement of so many generations. */
export function evolve({ paths, ways }: MatchProblem, generations: number, seed: number): number {
  const random = new SeededRandom(seed);
  const hosts = [...Array(ways.size).keys()];
  const grade = (hostOf: Int32Array): Individual => ({
    hostOf,
    missing: totalShortfall(paths, ways, hostOf),
  });
  let people = Array.from({ length: POPULATION }, () =>
    grade(Int32Array.from(random.sample(hosts, paths.size))),
  );
  const sort = (): void => void people.sort((a, b) => a.missing - b.missing);
  sort();
  const parent = (): Int32Array => {
    const drawn = Array.from({ length: TOURNAMENT }, () => random.below(POPULATION));
    return people[Math.min(...drawn)]!.hostOf;
  };
  for (let generation = 0; generation < generations; generation++) {
    const children = Array.from({ length: POPULATION - ELITE }, () => {
      const child = crossed(parent(), parent(), ways.size, random);
      if (random.next() < MUTATION) mutate(child, ways.size, random);
      return grade(child);
    });
    people = [...people.slice(0, ELITE), ...children];
    sort();
  }
  return people[0]!.missing;
}

/** Each endpoint where one of its parents has it, if nobody is there; the rest by chance. */
function crossed(one: Int32Array, other: Int32Array, hosts: number, random: SeededRandom): Int32Array {
  const child = new Int32Array(one.length).fill(-1);
  const taken = new Uint8Array(hosts);
  for (const endpoint of random.sample([...one.keys()], one.length)) {
    const wishes = random.below(2) === 0 ? [one, other] : [other, one];
    const host = wishes.map((parent) => parent[endpoint]!).find((wish) => taken[wish] === 0);
    if (host === undefined) continue;
    child[endpoint] = host;
    taken[host] = 1;
  }
  const free = random.sample(
    [...taken.keys()].filter((host) => taken[host] === 0),
    hosts,
  );
  for (const [endpoint, host] of child.entries()) if (host === -1) child[endpoint] = free.pop()!;
  return child;
}

function mutate(hostOf: Int32Array, hosts: number, random: SeededRandom): void {
  const one = random.below(hostOf.length);
  const to = random.below(hosts);
  const other = hostOf.indexOf(to);
  if (other !== -1) hostOf[other] = hostOf[one]!;
  hostOf[one] = to;
}
