/**
 * Hosts for endpoints, so that the real network misses as little as possible of what paths ask for: a quadratic assignment with
 * room, as Netbed's wanassign (White et al., "An integrated experimental environment for distributed systems and networks",
 * OSDI 2002) has it, by a robust tabu search (Taillard, Parallel Computing 17, 1991) instead of its genetic algorithm.
 */
import type { SeededRandom } from '../../../topology/model/random.ts';
import { Assigned, type MatchProblem } from './assigned.ts';

/** Shortfalls that are computed, all searches together: some two seconds. */
const MOST_WORK = 60e6;
/** Steps for each choice of a host: small problems are solved long before. */
const STEPS_A_CHOICE = 20;
/** Exchanges that are tried in a step; of more, a sample. */
const MOST_EXCHANGES = 4096;
/** Steps for which an endpoint does not return: at least, and so many more for each endpoint. */
const [LEAST_TENURE, TENURE_AN_ENDPOINT] = [5, 0.5];
/** Costs that differ by less are the same. */
const SAME = 1e-12;

/** From nothing: each endpoint, in random order, where it costs least. `undefined`: there was no room for one. */
export function greedy(problem: MatchProblem, random: SeededRandom): Int32Array | undefined {
  const { paths, ways } = problem;
  const assigned = new Assigned(problem, new Int32Array(paths.size).fill(-1));
  const all = [...Array(paths.size).keys()];
  const hosts = random.sample([...Array(ways.size).keys()], ways.size);
  // Those with few hosts first, while there is room.
  const freedom = all.map((endpoint) => hosts.filter((host) => assigned.fits(endpoint, host)).length);
  const order = random.sample(all, all.length).sort((a, b) => freedom[a]! - freedom[b]!);
  for (const endpoint of order) {
    let best = -1;
    let least = Number.POSITIVE_INFINITY;
    for (const host of hosts) {
      if (!assigned.fits(endpoint, host)) continue;
      const cost = assigned.putCost(endpoint, host);
      if (cost >= least) continue;
      best = host;
      least = cost;
    }
    if (best === -1) return undefined;
    assigned.put(endpoint, best);
  }
  return assigned.hostOf;
}

/** The best that is found from an assignment in which everything has room. `searches`: how many share the work. */
export function search(
  problem: MatchProblem,
  from: Int32Array,
  random: SeededRandom,
  searches: number,
): { readonly hostOf: Int32Array; readonly cost: number } {
  const { paths, ways } = problem;
  const assigned = new Assigned(problem, from.slice());
  const choices = paths.size * ways.size;
  const exchanges = Math.min((paths.size * (paths.size - 1)) / 2, MOST_EXCHANGES);
  const steps = Math.min(STEPS_A_CHOICE * choices, MOST_WORK / searches / (4 * choices + 4 * exchanges));
  const tabu = new Float64Array(choices);
  const tenure = (): number => LEAST_TENURE + random.below(1 + Math.ceil(TENURE_AN_ENDPOINT * paths.size));
  let best = { hostOf: assigned.hostOf.slice(), cost: assigned.cost };
  for (let step = 1; step <= steps; step++) {
    const found = bestStep(assigned, exchanges, random, (endpoint, host, cost) => {
      const isForbidden = tabu[endpoint * ways.size + host]! > step;
      return isForbidden && assigned.cost + cost >= best.cost - SAME;
    });
    if (!found) break;
    const { one, other, to } = found;
    const forbid = (endpoint: number): void => {
      tabu[endpoint * ways.size + assigned.hostOf[endpoint]!] = step + tenure();
    };
    forbid(one);
    if (other !== undefined) forbid(other);
    if (other === undefined) assigned.move(one, to);
    else assigned.exchange(one, other);
    if (assigned.cost < best.cost - SAME) best = { hostOf: assigned.hostOf.slice(), cost: assigned.cost };
  }
  return best;
}

interface Step {
  readonly one: number;
  /** That goes where `one` was. */
  readonly other?: number;
  readonly to: number;
}

type IsTabu = (endpoint: number, host: number, cost: number) => boolean;

/** The one that costs least, also where all cost something. */
function bestStep(
  assigned: Assigned,
  exchanges: number,
  random: SeededRandom,
  isTabu: IsTabu,
): Step | undefined {
  const { hostOf, problem } = assigned;
  const { size } = problem.paths;
  let best: Step | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (let endpoint = 0; endpoint < size; endpoint++) {
    for (let to = 0; to < problem.ways.size; to++) {
      if (to === hostOf[endpoint]) continue;
      const cost = assigned.moveCost(endpoint, to);
      if (cost >= least || !assigned.fits(endpoint, to) || isTabu(endpoint, to, cost)) continue;
      least = cost;
      best = { one: endpoint, to };
    }
  }
  const consider = (one: number, other: number): void => {
    const [a, b] = [hostOf[one]!, hostOf[other]!];
    if (a === b) return;
    const cost = assigned.exchangeCost(one, other);
    if (cost >= least || !assigned.fits(one, b, other) || !assigned.fits(other, a, one)) return;
    if (isTabu(one, b, cost) || isTabu(other, a, cost)) return;
    least = cost;
    best = { one, other, to: b };
  };
  if (exchanges === (size * (size - 1)) / 2) {
    for (let one = 0; one < size; one++) for (let other = 0; other < one; other++) consider(one, other);
  } else
    for (let tried = 0; tried < exchanges; tried++) {
      const [one, other] = [random.below(size), random.below(size)];
      if (one !== other) consider(one, other);
    }
  return best;
}
