/** First assignments, to be refined. */
import type { SeededRandom } from '../../../topology/model/random.ts';
import { mayBeIn, type Problem, totalNeeds } from './problem.ts';

/** In random order along the edges. */
export function grown(problem: Problem, random: SeededRandom): Int32Array {
  return assigned(problem, alongEdges(problem, random));
}

/** Those that need most of something first: where room is scarce, small ones still fit in the end. */
export function packed(problem: Problem, random: SeededRandom): Int32Array {
  const { graph, resources, needs } = problem;
  const total = totalNeeds(problem);
  const size = Float64Array.from({ length: graph.size }, (_, vertex) => {
    let most = 0;
    for (let r = 0; r < resources; r++)
      if (total[r]! > 0) most = Math.max(most, needs[vertex * resources + r]! / total[r]!);
    return most;
  });
  const order = alongEdges(problem, random);
  return assigned(
    problem,
    order.sort((a, b) => size[b]! - size[a]!),
  );
}

/**
 * Everything that needs nothing, such as bridges, in one part, with the vertices that have most weight. The best in graphs
 * whose middle has more weight than their leaves, and hard to find in small steps.
 */
export function centred(problem: Problem, random: SeededRandom, centre: number): Int32Array {
  const { graph, resources, needs, limits } = problem;
  const degree = new Float64Array(graph.size);
  for (let vertex = 0; vertex < graph.size; vertex++) {
    for (let slot = graph.start[vertex]!; slot < graph.start[vertex + 1]!; slot++)
      degree[vertex]! += graph.weight[slot]!;
  }
  const part = new Int32Array(graph.size).fill(-1);
  const loads = new Float64Array(resources);
  const fits = (vertex: number): boolean => {
    for (let r = 0; r < resources; r++)
      if (loads[r]! + needs[vertex * resources + r]! > limits[centre * resources + r]!) return false;
    return mayBeIn(problem, vertex, centre);
  };
  const isNeedless = (vertex: number): boolean =>
    needs.subarray(vertex * resources, (vertex + 1) * resources).every((need) => need === 0);
  const taken = new Uint8Array(problem.groups);
  const order = alongEdges(problem, random);
  for (const vertex of order.toSorted((a, b) => degree[b]! - degree[a]!)) {
    const groups = problem.groupsOf[vertex]!;
    if (isNeedless(vertex) ? !mayBeIn(problem, vertex, centre) : !fits(vertex)) continue;
    if (groups.some((group) => taken[group] === 1)) continue;
    for (const group of groups) taken[group] = 1;
    for (let r = 0; r < resources; r++) loads[r]! += needs[vertex * resources + r]!;
    part[vertex] = centre;
  }
  return assigned(problem, order, part);
}

/**
 * Each vertex that has no part yet in turn goes to the part that it has most edges to, weighted with the room that is left there (linear
 * deterministic greedy: Stanton and Kliot, "Streaming graph partitioning for large distributed graphs", KDD 2012).
 */
function assigned(
  problem: Problem,
  order: readonly number[],
  part = new Int32Array(problem.graph.size).fill(-1),
): Int32Array {
  const { graph, parts, resources, needs, limits, groups, groupsOf } = problem;
  const loads = new Float64Array(parts * resources);
  const members = new Uint8Array(parts * groups);
  const connection = new Float64Array(parts);
  const total = totalNeeds(problem);

  /** Between 0 and 1 what is left of the scarcest resource; below 0 where the vertex does not fit. */
  const room = (vertex: number, to: number): number => {
    let least = 1;
    for (let r = 0; r < resources; r++) {
      const limit = Math.min(limits[to * resources + r]!, total[r]!);
      const need = needs[vertex * resources + r]!;
      const left = limit - loads[to * resources + r]! - need;
      if (need > 0 || left > 0) least = Math.min(least, limit > 0 ? left / limit : -1);
    }
    return least;
  };
  const choose = (vertex: number): number => {
    let best = -1;
    let highest = Number.NEGATIVE_INFINITY;
    for (let to = 0; to < parts; to++) {
      if (!mayBeIn(problem, vertex, to)) continue;
      const isApart = groupsOf[vertex]!.every((group) => members[to * groups + group] === 0);
      const left = room(vertex, to);
      // What does not fit anywhere goes where it exceeds least; edges count only where it fits.
      const score =
        left < 0 || !isApart ? left - (isApart ? FULL : 2 * FULL) : left * (TIE + connection[to]!);
      if (score > highest) [best, highest] = [to, score];
    }
    return best;
  };

  const take = (vertex: number, to: number): void => {
    part[vertex] = to;
    for (let r = 0; r < resources; r++) loads[to * resources + r]! += needs[vertex * resources + r]!;
    for (const group of groupsOf[vertex]!) members[to * groups + group] = 1;
  };
  for (const vertex of order) if (part[vertex] !== -1) take(vertex, part[vertex]!);
  for (const vertex of order) {
    if (part[vertex] !== -1) continue;
    connection.fill(0);
    for (let slot = graph.start[vertex]!; slot < graph.start[vertex + 1]!; slot++) {
      const other = part[graph.target[slot]!]!;
      if (other !== -1) connection[other]! += graph.weight[slot]!;
    }
    take(vertex, choose(vertex));
  }
  return part;
}

/** Below every score of a part that has room. */
const FULL = 1e6;
/** Where no edge leads anywhere yet, the emptiest part is chosen. */
const TIE = 1e-3;

/** All vertices, those with a domain first, the others in the order of a search in breadth from random starts. */
function alongEdges({ graph, domain }: Problem, random: SeededRandom): number[] {
  const { size, start, target } = graph;
  const starts = random.sample([...Array(size).keys()], size);
  const bound = starts.filter((vertex) => domain[vertex] !== -1);
  const seen = new Uint8Array(size);
  const order: number[] = [];
  const visit = (vertex: number): void => {
    if (seen[vertex]) return;
    seen[vertex] = 1;
    order.push(vertex);
  };
  let next = 0;
  for (const vertex of bound) visit(vertex);
  for (const vertex of starts) {
    visit(vertex);
    for (; next < order.length; next++) {
      const from = order[next]!;
      for (let slot = start[from]!; slot < start[from + 1]!; slot++) visit(target[slot]!);
    }
  }
  return order;
}
