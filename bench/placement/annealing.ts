/**
 * The reference of the placement bench: simulated annealing, as Netbed's assign places experiments (Ricci, Alfeld and Lepreau
 * 2003), with the same costs and limits. Slow and simple: whatever it finds, a placement with so little traffic exists.
 */
import { Assignment } from '../../controller/placement/partition/assignment.ts';
import { grown } from '../../controller/placement/partition/initial.ts';
import { mayBeIn, type Problem } from '../../controller/placement/partition/problem.ts';
import { isBetter, refine } from '../../controller/placement/partition/refine.ts';
import { SeededRandom } from '../../topology/model/random.ts';

/** Of the mean weight of an edge: at the first most moves are taken, at the last none that is worse. */
const [HOTTEST, COLDEST] = [3, 0.002];
/** The same where it begins from something good. */
const WARM = 0.3;
/** How many edges' weight an excess of 1 counts as; limits are soft while it is hot. */
const EXCESS_EDGES = 50;

export interface Annealing {
  readonly steps: number;
  readonly seed: number;
  /** The assignment that it begins with, refined, and less hot; absent: from nothing. */
  readonly from?: Int32Array;
}

/** The best assignment in which everything fits, after so many steps; it is refined at the end. */
export function anneal(problem: Problem, { steps, seed, from: first }: Annealing): Assignment {
  const random = new SeededRandom(seed);
  const { graph } = problem;
  const walk = new Assignment(problem, first?.slice() ?? grown(problem, random));
  if (first) refine(walk);
  const hottest = first ? WARM : HOTTEST;
  const mean = graph.weight.reduce((sum, one) => sum + one, 0) / Math.max(1, graph.weight.length);
  let best = { part: walk.part.slice(), excess: walk.excess, cut: walk.cut };
  for (let step = 0; step < steps; step++) {
    const temperature = mean * hottest * (COLDEST / hottest) ** (step / steps);
    const vertex = random.below(graph.size);
    const to = proposed(walk, vertex, random);
    const from = walk.part[vertex]!;
    if (to === from || !mayBeIn(problem, vertex, to)) continue;
    const before = walk.cut + walk.excess * mean * EXCESS_EDGES;
    const other = random.below(2) === 0 ? exchange(walk, to, from, random) : -1;
    walk.move(vertex, to);
    if (other !== -1) walk.move(other, from);
    const worse = walk.cut + walk.excess * mean * EXCESS_EDGES - before;
    if (worse > 0 && random.next() >= Math.exp(-worse / temperature)) {
      if (other !== -1) walk.move(other, to);
      walk.move(vertex, from);
    } else if (isBetter(walk, best)) best = { part: walk.part.slice(), excess: walk.excess, cut: walk.cut };
  }
  const found = new Assignment(problem, best.part);
  refine(found);
  return found;
}

/** Mostly the part of a neighbour. */
function proposed(walk: Assignment, vertex: number, random: SeededRandom): number {
  const { graph, parts } = walk.problem;
  const first = graph.start[vertex]!;
  const neighbours = graph.start[vertex + 1]! - first;
  if (neighbours === 0 || random.below(8) === 0) return random.below(parts);
  return walk.part[graph.target[first + random.below(neighbours)]!]!;
}

/** A vertex of `part` that may go to `to` in exchange; -1 if a few attempts find none. */
function exchange({ problem, part }: Assignment, from: number, to: number, random: SeededRandom): number {
  for (let attempt = 0; attempt < 4 * problem.parts; attempt++) {
    const vertex = random.below(problem.graph.size);
    if (part[vertex] === from && mayBeIn(problem, vertex, to)) return vertex;
  }
  return -1;
}
