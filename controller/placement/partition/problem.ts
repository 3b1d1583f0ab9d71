/**
 * What is divided: an undirected graph with weights, and what its parts have room for. Plain data; a vertex of a coarse
 * problem stands for several of a finer one.
 */

/** In compressed sparse rows: the neighbours of v are `target[start[v]]` to `target[start[v + 1] - 1]`. */
export interface WeightedGraph {
  readonly size: number;
  /** `size` + 1 numbers. */
  readonly start: Int32Array;
  /** Each edge stands here twice, once at each of its ends. No vertex is its own neighbour. */
  readonly target: Int32Array;
  /** Parallel to `target`; whole numbers, so that sums do not depend on their order. */
  readonly weight: Float64Array;
}

export interface Problem {
  readonly graph: WeightedGraph;
  readonly parts: number;
  /** How many vertices of the finest problem a vertex stands for. */
  readonly mass: Float64Array;
  /** How many resources there are. The first is the one by which parts grow evenly. */
  readonly resources: number;
  /** What a vertex needs: `needs[v * resources + r]`. */
  readonly needs: Float64Array;
  /** What a part has: `limits[p * resources + r]`; infinite where nothing bounds it. */
  readonly limits: Float64Array;
  /** Per resource: how bad it is to exceed a limit by the mean load of a part. */
  readonly severity: Float64Array;
  /** Per part: the most weight of edges that leave it. */
  readonly cutLimits: Float64Array;
  /** Per vertex: index into `domains`; -1 where every part will do. */
  readonly domain: Int32Array;
  /** The parts of a domain have a 1. */
  readonly domains: readonly Uint8Array[];
  /** How many groups of vertices there are of which each is in another part. */
  readonly groups: number;
  /** Per vertex: the groups that it belongs to, sorted. */
  readonly groupsOf: readonly (readonly number[])[];
}

export const NO_GROUPS: readonly number[] = [];

export function mayBeIn({ domain, domains }: Problem, vertex: number, part: number): boolean {
  const own = domain[vertex]!;
  return own === -1 || domains[own]![part] === 1;
}

/** The sum of what all vertices need, per resource. */
export function totalNeeds({ graph, resources, needs }: Problem): Float64Array {
  const total = new Float64Array(resources);
  for (let vertex = 0; vertex < graph.size; vertex++) {
    for (let r = 0; r < resources; r++) total[r]! += needs[vertex * resources + r]!;
  }
  return total;
}

/** A graph from edges, of which those between the same two vertices are added up. */
export function weightedGraph(
  size: number,
  from: ArrayLike<number>,
  to: ArrayLike<number>,
  weights: ArrayLike<number>,
): WeightedGraph {
  const first = new Int32Array(size + 1);
  for (let edge = 0; edge < from.length; edge++) {
    if (from[edge] === to[edge]) continue;
    first[from[edge]! + 1]!++;
    first[to[edge]! + 1]!++;
  }
  for (let vertex = 0; vertex < size; vertex++) first[vertex + 1]! += first[vertex]!;
  const free = first.slice();
  const target = new Int32Array(first[size]!);
  const weight = new Float64Array(first[size]!);
  const put = (a: number, b: number, value: number): void => {
    const slot = free[a]!++;
    target[slot] = b;
    weight[slot] = value;
  };
  for (let edge = 0; edge < from.length; edge++) {
    if (from[edge] === to[edge]) continue;
    put(from[edge]!, to[edge]!, weights[edge]!);
    put(to[edge]!, from[edge]!, weights[edge]!);
  }
  return merged(size, first, target, weight);
}

/** Adds up parallel edges, in place. */
function merged(size: number, first: Int32Array, target: Int32Array, weight: Float64Array): WeightedGraph {
  const start = new Int32Array(size + 1);
  const slotOf = new Int32Array(size).fill(-1);
  let used = 0;
  for (let vertex = 0; vertex < size; vertex++) {
    const begin = used;
    for (let slot = first[vertex]!; slot < first[vertex + 1]!; slot++) {
      const other = target[slot]!;
      if (slotOf[other]! >= begin) weight[slotOf[other]!]! += weight[slot]!;
      else {
        slotOf[other] = used;
        target[used] = other;
        weight[used++] = weight[slot]!;
      }
    }
    start[vertex + 1] = used;
  }
  return { size, start, target: target.slice(0, used), weight: weight.slice(0, used) };
}
