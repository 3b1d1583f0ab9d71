/**
 * Divides a graph so that little is cut and everything fits: coarsen, divide the coarsest, refine on the way back (Karypis
 * and Kumar 1998), from several starts; then again from the best, coarsened only within its parts (iterated multilevel:
 * Walshaw, "Multilevel refinement for combinatorial optimisation problems", 2004). The same problem and seed give the
 * same result on every machine.
 */
import { SeededRandom } from '../../../topology/model/random.ts';
import { Assignment } from './assignment.ts';
import { coarsen, DEPTHS, type Depth, isCoarse } from './coarsen.ts';
import { centred, grown, packed } from './initial.ts';
import type { Problem } from './problem.ts';
import { isBetter, refine } from './refine.ts';

export interface Effort {
  /** How often everything is done from the beginning. */
  readonly starts: number;
  /** How many first assignments of the coarsest problem are tried, of each start. */
  readonly tries: number;
  /** How many of the best are kept, and how often two of them are combined. */
  readonly kept: number;
  readonly combinations: number;
  /** So many repetitions in a row that find nothing end the search. */
  readonly repetitions: number;
}

/** More for small problems, whose results vary most with the start. */
export function effortFor({ graph, parts }: Problem): Effort {
  const work = graph.size * Math.sqrt(parts) + graph.target.length;
  const starts = Math.min(MOST_STARTS, Math.max(LEAST_STARTS, Math.round(WORK / work)));
  return { starts, tries: TRIES, kept: KEPT, combinations: 4 * starts, repetitions: REPETITIONS };
}

/** Some seconds for a thousand nodes and more. */
const WORK = 500_000;
const [LEAST_STARTS, MOST_STARTS] = [24, 250];
const TRIES = 6;
const CENTRES = 3;
const KEPT = 12;
const REPETITIONS = 4;

/** Below this, coarsening has come to its end. */
const LEAST_SHRINKING = 0.95;

/** The part of each vertex. Where not everything fits, the excess is as small as was found. */
export function partition(problem: Problem, seed: number, effort = effortFor(problem)): Int32Array {
  const random = new SeededRandom(seed);
  const found = new Population(effort.kept);
  for (let start = 0; start < effort.starts; start++)
    found.add(fromNothing(problem, depth(random), random, effort.tries));
  for (let centre = 0; centre < Math.min(problem.parts, CENTRES); centre++)
    found.add(refined(problem, centred(problem, random, centre)));
  found.add(refined(problem, packed(problem, random)));
  for (let combination = 0; combination < effort.combinations; combination++) {
    const [one, other] = found.two(random);
    // Every second time with a new one, so that not all become alike.
    const isNew = combination % 2 === 1;
    found.add(combined(problem, one, isNew ? fromNothing(problem, depth(random), random, 1) : other, random));
  }
  return improved(problem, found.best, random, effort.repetitions).part;
}

/** The best assignments so far, the best first, no two of them with the same cut. */
class Population {
  readonly #all: Assignment[] = [];
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  get best(): Assignment {
    return this.#all[0]!;
  }

  add(one: Assignment): void {
    const at = this.#all.findIndex((other) => !isBetter(other, one));
    const same = this.#all[at];
    if (same && !isBetter(one, same)) return;
    this.#all.splice(at === -1 ? this.#all.length : at, 0, one);
    if (this.#all.length > this.#size) this.#all.pop();
  }

  /** Two different ones if there are two, the better first. */
  two(random: SeededRandom): readonly [Assignment, Assignment] {
    const [one = 0, other = one] = random.sample([...this.#all.keys()], 2).sort((a, b) => a - b);
    return [this.#all[one]!, this.#all[other]!];
  }
}

/**
 * At least as good as the better of two, with what they have in common: only vertices that are together in both are made
 * one, so that all edges that one of them cuts are decided anew (Sanders and Schulz, "Distributed evolutionary graph
 * partitioning", ALENEX 2012).
 */
function combined(problem: Problem, better: Assignment, other: Assignment, random: SeededRandom): Assignment {
  const classes = better.part.map((part, vertex) => part * problem.parts + other.part[vertex]!);
  return again(problem, better.part, classes, depth(random), random);
}

/** Repeats with an assignment alone as long as that finds something. */
function improved(
  problem: Problem,
  first: Assignment,
  random: SeededRandom,
  repetitions: number,
): Assignment {
  let best = first;
  for (let without = 0; without < repetitions; without++) {
    const next = again(problem, best.part, best.part, depth(random), random);
    if (isBetter(next, best)) without = -1;
    // An equal one is another place to go on from.
    if (!isBetter(best, next)) best = next;
  }
  return best;
}

const depth = (random: SeededRandom): Depth => DEPTHS[random.below(DEPTHS.length)]!;

function fromNothing(problem: Problem, until: Depth, random: SeededRandom, tries: number): Assignment {
  if (isCoarse(problem, until)) return divided(problem, random, tries);
  const { problem: coarse, vertexOf } = coarsen(problem, until, random);
  if (coarse.graph.size > problem.graph.size * LEAST_SHRINKING) return divided(problem, random, tries);
  return projected(problem, vertexOf, fromNothing(coarse, until, random, tries).part);
}

/** `classes`: vertices of different ones stay apart while the problem is coarse. */
function again(
  problem: Problem,
  part: Int32Array,
  classes: Int32Array,
  until: Depth,
  random: SeededRandom,
): Assignment {
  if (isCoarse(problem, until)) return refined(problem, part.slice());
  const { problem: coarse, vertexOf } = coarsen(problem, until, random, classes);
  if (coarse.graph.size > problem.graph.size * LEAST_SHRINKING) return refined(problem, part.slice());
  const [coarsePart, coarseClasses] = [new Int32Array(coarse.graph.size), new Int32Array(coarse.graph.size)];
  vertexOf.forEach((above, vertex) => {
    coarsePart[above] = part[vertex]!;
    coarseClasses[above] = classes[vertex]!;
  });
  return projected(problem, vertexOf, again(coarse, coarsePart, coarseClasses, until, random).part);
}

function projected(problem: Problem, vertexOf: Int32Array, part: Int32Array): Assignment {
  return refined(
    problem,
    vertexOf.map((above) => part[above]!),
  );
}

function divided(problem: Problem, random: SeededRandom, tries: number): Assignment {
  let best = refined(problem, packed(problem, random));
  for (let attempt = 1; attempt < tries; attempt++) {
    const next = refined(problem, grown(problem, random));
    if (isBetter(next, best)) best = next;
  }
  return best;
}

function refined(problem: Problem, part: Int32Array): Assignment {
  const assignment = new Assignment(problem, part);
  refine(assignment);
  return assignment;
}
