/**
 * A problem with fewer vertices, in which pairs of vertices with heavy edges between them are one (heavy-edge matching:
 * Karypis and Kumar, "A fast and high quality multilevel scheme for partitioning irregular graphs", SIAM J. Sci. Comput. 20,
 * 1998). Edges are rated by weight² / (size · size), so that no vertex swallows its neighbourhood (Holtgrewe, Sanders and
 * Schulz, 2010). Leaves of one hub, which have no edges between them, are paired as well: stars would not shrink otherwise.
 */
import type { SeededRandom } from '../../../topology/model/random.ts';
import { NO_GROUPS, type Problem, totalNeeds, weightedGraph } from './problem.ts';

export interface Coarse {
  readonly problem: Problem;
  /** Per vertex of the finer problem its vertex here. */
  readonly vertexOf: Int32Array;
}

/** How far a problem is made coarser. */
export interface Depth {
  /** Vertices per part of the coarsest problem, roughly. */
  readonly coarsest: number;
  /** The most that one vertex may need, as a part of a mean load: what is larger can hardly be moved any more. */
  readonly largest: number;
}

/**
 * Which is best depends on the problem: where whole sites have to be packed into parts, on sites being single vertices. Each
 * attempt takes one by chance.
 */
export const DEPTHS: readonly Depth[] = [
  { coarsest: 16, largest: 0.1 },
  { coarsest: 8, largest: 0.25 },
  { coarsest: 4, largest: 0.5 },
  { coarsest: 2, largest: 0.8 },
];

export const isCoarse = ({ graph, parts }: Problem, { coarsest }: Depth): boolean =>
  graph.size <= coarsest * parts;

/** `within`: only pairs that are in the same part of it are made one. */
export function coarsen(problem: Problem, depth: Depth, random: SeededRandom, within?: Int32Array): Coarse {
  const matching = new Matching(problem, depth, within);
  const order = random.sample([...Array(problem.graph.size).keys()], problem.graph.size);
  for (const vertex of order) matching.matchHeaviest(vertex);
  matching.matchLeaves(order);
  return contract(problem, matching.mate);
}

class Matching {
  /** -1: none. */
  readonly mate: Int32Array;
  readonly #problem: Problem;
  readonly #within: Int32Array | undefined;
  /** Per resource the most that a pair may need. */
  readonly #most: Float64Array;
  /** The most vertices that a pair may stand for: without needs, bridges would become one. */
  readonly #mostMass: number;

  constructor(problem: Problem, { largest }: Depth, within: Int32Array | undefined) {
    const { graph, parts } = problem;
    const total = totalNeeds(problem);
    this.#problem = problem;
    this.#within = within;
    this.mate = new Int32Array(graph.size).fill(-1);
    this.#most = total.map((sum) => (sum / parts) * largest);
    const mass = problem.mass.reduce((sum, one) => sum + one, 0);
    this.#mostMass = (mass / parts) * largest;
  }

  matchHeaviest(vertex: number): void {
    if (this.mate[vertex] !== -1) return;
    const { start, target, weight } = this.#problem.graph;
    const { mass } = this.#problem;
    let best = -1;
    let highest = 0;
    for (let slot = start[vertex]!; slot < start[vertex + 1]!; slot++) {
      const other = target[slot]!;
      if (this.mate[other] !== -1) continue;
      const rating = (weight[slot]! * weight[slot]!) / (mass[vertex]! * mass[other]!);
      if (rating > highest && this.#match(vertex, other)) [best, highest] = [other, rating];
    }
    if (best !== -1) this.#pair(vertex, best);
  }

  /** Pairs those that are left over by their heaviest neighbour. */
  matchLeaves(order: readonly number[]): void {
    const { start, target, weight } = this.#problem.graph;
    const waiting = new Map<number, number>();
    for (const vertex of order) {
      if (this.mate[vertex] !== -1 || start[vertex] === start[vertex + 1]) continue;
      let heaviest = start[vertex]!;
      for (let slot = heaviest + 1; slot < start[vertex + 1]!; slot++)
        if (weight[slot]! > weight[heaviest]!) heaviest = slot;
      const hub = target[heaviest]!;
      const other = waiting.get(hub);
      if (other !== undefined && this.#match(vertex, other)) {
        this.#pair(vertex, other);
        waiting.delete(hub);
      } else waiting.set(hub, vertex);
    }
  }

  #pair(one: number, other: number): void {
    this.mate[one] = other;
    this.mate[other] = one;
  }

  #match(one: number, other: number): boolean {
    const { resources, needs, mass, domain, groupsOf } = this.#problem;
    if (mass[one]! + mass[other]! > this.#mostMass) return false;
    if (this.#within && this.#within[one] !== this.#within[other]) return false;
    const [a, b] = [domain[one]!, domain[other]!];
    if (a !== b && a !== -1 && b !== -1) return false;
    for (let r = 0; r < resources; r++) {
      const [first, second] = [needs[one * resources + r]!, needs[other * resources + r]!];
      if (first > 0 && second > 0 && first + second > this.#most[r]!) return false;
    }
    return !groupsOf[one]!.some((group) => groupsOf[other]!.includes(group));
  }
}

function contract(problem: Problem, mate: Int32Array): Coarse {
  const { graph, resources, needs, domain, groupsOf } = problem;
  const vertexOf = new Int32Array(graph.size);
  const firsts: number[] = [];
  for (let vertex = 0; vertex < graph.size; vertex++) {
    const other = mate[vertex]!;
    if (other !== -1 && other < vertex) vertexOf[vertex] = vertexOf[other]!;
    else vertexOf[vertex] = firsts.push(vertex) - 1;
  }
  const mass = new Float64Array(firsts.length);
  const coarseNeeds = new Float64Array(firsts.length * resources);
  for (let vertex = 0; vertex < graph.size; vertex++) {
    mass[vertexOf[vertex]!]! += problem.mass[vertex]!;
    const row = vertexOf[vertex]! * resources;
    for (let r = 0; r < resources; r++) coarseNeeds[row + r]! += needs[vertex * resources + r]!;
  }
  const domainOf = (vertex: number): number => {
    const other = mate[vertex]!;
    return domain[vertex] === -1 && other !== -1 ? domain[other]! : domain[vertex]!;
  };
  const groups = (vertex: number): readonly number[] => {
    const other = mate[vertex] === -1 ? NO_GROUPS : groupsOf[mate[vertex]!]!;
    const own = groupsOf[vertex]!;
    return own.length + other.length === 0 ? NO_GROUPS : [...own, ...other].sort((a, b) => a - b);
  };
  return {
    vertexOf,
    problem: {
      ...problem,
      graph: contractedGraph(problem, vertexOf, firsts.length),
      mass,
      needs: coarseNeeds,
      domain: Int32Array.from(firsts, domainOf),
      groupsOf: firsts.map(groups),
    },
  };
}

function contractedGraph({ graph }: Problem, vertexOf: Int32Array, size: number): Problem['graph'] {
  const edges = graph.target.length / 2;
  const from = new Int32Array(edges);
  const to = new Int32Array(edges);
  const weights = new Float64Array(edges);
  let edge = 0;
  for (let vertex = 0; vertex < graph.size; vertex++) {
    for (let slot = graph.start[vertex]!; slot < graph.start[vertex + 1]!; slot++) {
      if (graph.target[slot]! < vertex) continue;
      from[edge] = vertexOf[vertex]!;
      to[edge] = vertexOf[graph.target[slot]!]!;
      weights[edge++] = graph.weight[slot]!;
    }
  }
  return weightedGraph(size, from, to, weights);
}
