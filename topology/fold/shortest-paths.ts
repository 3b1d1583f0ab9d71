/**
 * Shortest-path trees over the nodes that forward: Dijkstra with a binary heap, one root at a time.
 *
 * Nodes that don't forward, which are most services, are leaves: no path continues from them. Trees leave them out,
 * the last edge to a leaf is chosen on request, and a node with one exit uses the tree of its neighbour. So thousands
 * of services cost no more than the bridges that they are linked to.
 *
 * The order of paths is total, so that every host finds the same one: by the two metrics of the routing (metric.ts), then
 * by the names of the nodes along the path, compared from the source on, then (parallel links) by the
 * name of the link. Both metrics are whole numbers, so sums are exact in any order of addition. Two paths that tie in
 * both have equally many hops. Their prefixes are best paths themselves, so comparing the chains of predecessors in
 * the tree compares the names of the whole paths.
 */

import type { Micros } from '../../proto/units.ts';
import type { Edge, Graph } from '../model/model.ts';
import { compareNames } from '../model/names.ts';
import { CoreNodes } from './core-nodes.ts';
import type { EdgeChanges } from './edge-changes.ts';
import { type EdgeRows, edgeRows } from './edge-rows.ts';
import { primaryOf, secondaryOf } from './metric.ts';
import { NodeHeap } from './node-heap.ts';

/**
 * The best paths from `root` to every core node. Nodes are given by rank; a root that is a leaf has the rank after
 * the last.
 */
export interface Tree {
  readonly root: number;
  readonly rootRank: number;
  /** Per core node: its predecessor; -1: unreachable, or the root itself. */
  readonly before: Int32Array;
  /** Per core node: the last link of the path to it. */
  readonly link: Int32Array;
}

/** The last edge of a path to a leaf. */
interface LastEdge {
  readonly before: number;
  readonly link: number;
}

interface Distance {
  readonly primary: number;
  readonly secondary: number;
}

export class ShortestPaths {
  /** Shared by all epochs of a topology. */
  readonly coreNodes: CoreNodes;
  readonly #graph: Graph;
  readonly #rows: EdgeRows;
  readonly #primary: Float64Array;
  readonly #secondary: Float64Array;
  readonly #heap: NodeHeap;

  /** `previous`: of another graph, possibly of the same topology. */
  constructor(graph: Graph, previous?: ShortestPaths) {
    this.#graph = graph;
    this.coreNodes = previous?.coreNodes.isOf(graph) ? previous.coreNodes : new CoreNodes(graph);
    this.#rows = edgeRows(graph, this.coreNodes.rank);
    this.#primary = new Float64Array(this.coreNodes.count + 1);
    this.#secondary = new Float64Array(this.coreNodes.count + 1);
    this.#heap = new NodeHeap(this.#primary, this.#secondary);
  }

  /** Numbers in a tree. */
  get treeSize(): number {
    return 2 * this.coreNodes.count;
  }

  /** The node whose tree contains the paths from `source`: itself, or its only neighbour. */
  rootOf(source: number): number {
    const exit = this.#onlyExit(source);
    return exit === -1 ? source : this.coreNodes.node[this.#rows.out.end[exit]!]!;
  }

  /** The link by which all paths from `source` begin, if its tree is that of its only neighbour. */
  exitOf(source: number): number {
    const exit = this.#onlyExit(source);
    return exit === -1 ? -1 : this.#rows.out.link[exit]!;
  }

  /** The best path from `root` to every core node. */
  tree(root: number): Tree {
    const { count, rank } = this.coreNodes;
    const rootRank = rank[root] === -1 ? count : rank[root]!;
    const before = new Int32Array(count).fill(-1);
    const tree = { root, rootRank, before, link: new Int32Array(count).fill(-1) };
    this.#primary.fill(Number.POSITIVE_INFINITY);
    this.#secondary.fill(Number.POSITIVE_INFINITY);
    this.#primary[rootRank] = 0;
    this.#secondary[rootRank] = 0;
    this.#relax(root, rootRank, tree);
    for (let next = this.#heap.pop(); next !== -1; next = this.#heap.pop())
      this.#relax(this.coreNodes.node[next]!, next, tree);
    return tree;
  }

  /** Indices into `Graph.links`; `undefined` if there is no path. `tree` is that of `rootOf(source)`. */
  links(tree: Tree, source: number, target: number): number[] | undefined {
    if (source === target) return undefined;
    const links: number[] = [];
    let at = this.coreNodes.rank[target]!;
    if (at === -1) {
      const last = this.#lastEdge(tree, target);
      if (!last) return undefined;
      links.push(last.link);
      at = last.before;
    } else if (this.#reached(tree, target) === -1) return undefined;
    for (; at !== tree.rootRank; at = tree.before[at]!) links.push(tree.link[at]!);
    if (tree.root !== source) links.push(this.#rows.out.link[this.#onlyExit(source)]!);
    return links.reverse();
  }

  /** Whether a tree of this graph is also one of the graph with the changes. May be false although it is. */
  holds(tree: Tree, { worse, better }: EdgeChanges): boolean {
    for (const edge of worse) {
      const to = this.coreNodes.rank[edge.to]!;
      if (to !== -1 && tree.link[to] === edge.link && tree.before[to] === this.#reached(tree, edge.from))
        return false;
    }
    return better.every(({ edge, latency }) => !this.#mayImprove(tree, edge, latency));
  }

  /** A path can't be better than each of its edges allows: if no changed edge improves anything, no path does. */
  #mayImprove(tree: Tree, { from, to, link }: Edge, latency: Micros): boolean {
    const [start, end] = [this.#reached(tree, from), this.coreNodes.rank[to]!];
    if (start === -1 || end === -1 || end === tree.rootRank) return false;
    if (tree.before[end] === -1) return true;
    const now = this.#distance(tree, end);
    const so = this.#distance(tree, start);
    const edge = { ...this.#graph.links[link]!, latency };
    const primary = so.primary + primaryOf(this.#graph, edge);
    const secondary = so.secondary + secondaryOf(this.#graph, edge);
    return primary < now.primary || (primary === now.primary && secondary <= now.secondary);
  }

  /** The edge from `source` into the core if it is the only one; otherwise -1. */
  #onlyExit(source: number): number {
    const { out, outDegree } = this.#rows;
    const edge = out.start[source]!;
    return outDegree[source] === 1 && out.start[source + 1]! > edge ? edge : -1;
  }

  /** The rank of a node from which paths of the tree continue, or -1. */
  #reached(tree: Tree, node: number): number {
    if (node === tree.root) return tree.rootRank;
    const rank = this.coreNodes.rank[node]!;
    return rank === -1 || tree.before[rank] === -1 ? -1 : rank;
  }

  #relax(node: number, rank: number, tree: Tree): void {
    const { start, end, primary: first, secondary: second, link } = this.#rows.out;
    for (let edge = start[node]!; edge < start[node + 1]!; edge++) {
      const next = end[edge]!;
      if (next === tree.rootRank) continue;
      const primary = this.#primary[rank]! + first[edge]!;
      const secondary = this.#secondary[rank]! + second[edge]!;
      const gain = primary - this.#primary[next]! || secondary - this.#secondary[next]!;
      if (gain < 0) {
        this.#primary[next] = primary;
        this.#secondary[next] = secondary;
        tree.before[next] = rank;
        tree.link[next] = link[edge]!;
        this.#heap.push(next);
      } else if (
        gain === 0 &&
        this.#isNamedBefore(tree, rank, link[edge]!, tree.before[next]!, tree.link[next]!)
      ) {
        tree.before[next] = rank;
        tree.link[next] = link[edge]!;
      }
    }
  }

  /** The best edge to a leaf, of those whose start is in the tree. */
  #lastEdge(tree: Tree, leaf: number): LastEdge | undefined {
    const { start, end, link, primary, secondary } = this.#rows.into;
    const [first, past] = [start[leaf]!, start[leaf + 1]!];
    let best: (LastEdge & Distance) | undefined;
    for (let edge = first; edge < past; edge++) {
      const before = this.#reached(tree, end[edge]!);
      if (before === -1) continue;
      const one = { before, link: link[edge]! };
      if (past - first === 1) return one;
      const so = this.#distance(tree, before);
      const distance = { primary: so.primary + primary[edge]!, secondary: so.secondary + secondary[edge]! };
      const order = best
        ? distance.primary - best.primary || distance.secondary - best.secondary
        : Number.NEGATIVE_INFINITY;
      if (order > 0) continue;
      if (order < 0 || this.#isNamedBefore(tree, before, one.link, best!.before, best!.link))
        best = { ...one, ...distance };
    }
    return best;
  }

  #distance(tree: Tree, rank: number): Distance {
    let primary = 0;
    let secondary = 0;
    for (let at = rank; at !== tree.rootRank; at = tree.before[at]!) {
      const link = this.#graph.links[tree.link[at]!]!;
      primary += primaryOf(this.#graph, link);
      secondary += secondaryOf(this.#graph, link);
    }
    return { primary, secondary };
  }

  /** Whether the path that continues from `one` comes before the one from `other`, by names from the source on. */
  #isNamedBefore(tree: Tree, one: number, oneLink: number, other: number, otherLink: number): boolean {
    const { links } = this.#graph;
    if (one === other) return compareNames(links[oneLink]!.name, links[otherLink]!.name) < 0;
    let [a, b] = [one, other];
    let before = false;
    while (a !== b) {
      before = this.coreNodes.nameOrder[a]! < this.coreNodes.nameOrder[b]!;
      a = tree.before[a]!;
      b = tree.before[b]!;
    }
    return before;
  }
}
