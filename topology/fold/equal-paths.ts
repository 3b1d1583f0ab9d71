/**
 * The paths of a pair that are as good as the best one: of equal latency over equally many links, of equally many links, or of equal
 * weight, whichever the graph is routed by. What else breaks ties does not count here, since that is what several paths are for.
 *
 * Every step of a path that is as good as the best is the best last step to where it leads, so steps are collected backwards from the
 * target. Each is over a link that takes weight or counts as a hop: there are no circles.
 */
import type { Graph } from '../model/model.ts';
import { compareNames } from '../model/names.ts';
import type { Rows } from './edge-rows.ts';
import { rowsOf } from './edge-rows.ts';
import { costOf, secondaryOf } from './metric.ts';
import type { ShortestPaths, Tree } from './shortest-paths.ts';

interface Step {
  readonly from: number;
  readonly to: number;
  readonly link: number;
}

/** Of the best paths to core nodes, by rank; `Infinity`: there is none. */
interface Distances {
  readonly cost: Float64Array;
  /** Links, where they break ties between paths of a cost that a link may have for nothing. */
  readonly hops: Float64Array;
}

export class EqualPaths {
  readonly #graph: Graph;
  readonly #shortest: ShortestPaths;
  readonly #into: Rows;
  /** By tree. */
  readonly #distances = new WeakMap<Tree, Distances>();

  constructor(graph: Graph, shortest: ShortestPaths) {
    this.#graph = graph;
    this.#shortest = shortest;
    this.#into = rowsOf(
      graph.edges,
      graph.nodes.length,
      ({ to }) => to,
      ({ from }) => from,
      { primary: (link) => costOf(graph, graph.links[link]!), secondary: (link) => this.#hopsOf(link) },
    );
  }

  /**
   * The links of up to `most` paths, in the order of the names along them, read from the endpoint with the smaller number: where links
   * are equally good in both directions, both directions of a pair have the same paths in the same order. `tree`: that of
   * `rootOf(source)`.
   */
  links(tree: Tree, source: number, target: number, most: number): number[][] {
    const first = this.#shortest.exitOf(source);
    const prefix = tree.root === source ? [] : [first];
    if (source === target) return [];
    if (target === tree.root) return [prefix];
    const into = this.#steps(tree, target);
    if (into.get(target)!.length === 0) return [];
    const isForward = source < target;
    const found = isForward
      ? walks(byStart(into), [tree.root, target], most, end('to'), this.#orderBy('to'))
      : walks(into, [target, tree.root], most, end('from'), this.#orderBy('from'));
    return found.map((links) => [...prefix, ...(isForward ? links : links.reverse())]);
  }

  /** Of all nodes on the paths, the steps that lead there. */
  #steps(tree: Tree, target: number): Map<number, Step[]> {
    const distances = this.#distancesOf(tree);
    const into = new Map<number, Step[]>();
    const waiting = [target];
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      if (into.has(node)) continue;
      const steps = this.#bestInto(tree, distances, node);
      into.set(node, steps);
      for (const { from } of steps) if (from !== tree.root) waiting.push(from);
    }
    return into;
  }

  #bestInto(tree: Tree, { cost, hops }: Distances, node: number): Step[] {
    const { start, end, link, primary, secondary } = this.#into;
    const { rank } = this.#shortest.coreNodes;
    let best: Step[] = [];
    let [least, fewest] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let edge = start[node]!; edge < start[node + 1]!; edge++) {
      const from = end[edge]!;
      const at = from === tree.root ? -1 : rank[from]!;
      if (from !== tree.root && (at === -1 || cost[at] === Number.POSITIVE_INFINITY)) continue;
      const [so, over] = at === -1 ? [0, 0] : [cost[at]!, hops[at]!];
      const order = so + primary[edge]! - least || over + secondary[edge]! - fewest;
      if (order > 0) continue;
      if (order < 0 || best.length === 0) best = [];
      [least, fewest] = [so + primary[edge]!, over + secondary[edge]!];
      best.push({ from, to: node, link: link[edge]! });
    }
    return best;
  }

  #distancesOf(tree: Tree): Distances {
    const known = this.#distances.get(tree);
    if (known) return known;
    const { count } = this.#shortest.coreNodes;
    const distances = {
      cost: new Float64Array(count).fill(Number.POSITIVE_INFINITY),
      hops: new Float64Array(count).fill(Number.POSITIVE_INFINITY),
    };
    for (let rank = 0; rank < count; rank++) this.#measure(tree, distances, rank);
    this.#distances.set(tree, distances);
    return distances;
  }

  #measure(tree: Tree, { cost, hops }: Distances, rank: number): void {
    const chain: number[] = [];
    let at = rank;
    for (; at !== tree.rootRank && tree.before[at] !== -1 && cost[at] === Number.POSITIVE_INFINITY; ) {
      chain.push(at);
      at = tree.before[at]!;
    }
    if (at !== tree.rootRank && cost[at] === Number.POSITIVE_INFINITY) return;
    let [so, over] = at === tree.rootRank ? [0, 0] : [cost[at]!, hops[at]!];
    for (const next of chain.reverse()) {
      const link = tree.link[next]!;
      so += costOf(this.#graph, this.#graph.links[link]!);
      over += this.#hopsOf(link);
      cost[next] = so;
      hops[next] = over;
    }
  }

  #hopsOf(link: number): number {
    return this.#graph.routing === 'latency' ? secondaryOf(this.#graph, this.#graph.links[link]!) : 0;
  }

  #orderBy(name: 'from' | 'to'): (one: Step, other: Step) => number {
    const { nodes, links } = this.#graph;
    return (one, other) =>
      compareNames(nodes[one[name]]!, nodes[other[name]]!) ||
      compareNames(links[one.link]!.name, links[other.link]!.name);
  }
}

const end =
  (name: 'from' | 'to') =>
  (step: Step): number =>
    step[name];

function byStart(into: ReadonlyMap<number, readonly Step[]>): Map<number, Step[]> {
  const steps = new Map<number, Step[]>();
  for (const step of [...into.values()].flat()) {
    const others = steps.get(step.from);
    if (others) others.push(step);
    else steps.set(step.from, [step]);
  }
  return steps;
}

/** The links of the first `most` ways from `begin` to `end`, in their order. Every step leads there; `next`: to where. */
function walks(
  steps: ReadonlyMap<number, readonly Step[]>,
  [begin, end]: readonly [number, number],
  most: number,
  next: (step: Step) => number,
  order: (one: Step, other: Step) => number,
): number[][] {
  const found: number[][] = [];
  const way: number[] = [];
  const from = (node: number): Step[] => steps.get(node)!.toSorted((one, other) => order(other, one));
  /** From each node of the way, the steps that are left, the next one last. */
  const left = [from(begin)];
  while (left.length > 0 && found.length < most) {
    const step = left.at(-1)!.pop();
    if (!step) {
      left.pop();
      way.pop();
      continue;
    }
    way.push(step.link);
    if (next(step) === end) found.push([...way]);
    if (next(step) === end) way.pop();
    else left.push(from(next(step)));
  }
  return found;
}
