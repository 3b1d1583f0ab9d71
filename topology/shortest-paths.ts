/**
 * Shortest-path trees over a graph in compressed sparse rows: Dijkstra with a binary heap, one source at a time.
 *
 * The order of paths is total, so that every host finds the same one: by the metric of the routing, then by the other
 * metric, then by the names of the nodes along the path, compared from the source on, then (parallel links) by the name of the
 * link. Both metrics are whole numbers, so sums are exact and no order of adding can change them. Two paths that
 * tie in both have equally many hops; their prefixes are best paths themselves, so comparing the chains of
 * predecessors in the tree compares the names of the whole paths.
 */
import type { Graph } from './model.ts';
import { compareNames } from './names.ts';

/** Edges by source node: those of `node` are `start[node]` to `start[node + 1]`, in no particular order. */
interface Rows {
  readonly start: Int32Array;
  readonly target: Int32Array;
  readonly link: Int32Array;
  readonly latency: Float64Array;
}

/** Per node the edge (index into the rows) that the best path arrives by; -1: unreachable, or the source itself. */
export interface Tree {
  readonly source: number;
  readonly arrival: Int32Array;
}

export class ShortestPaths {
  readonly #graph: Graph;
  readonly #rows: Rows;
  /** Source node of each edge, to walk back. */
  readonly #origin: Int32Array;
  readonly #nameRank: Int32Array;
  readonly #primary: Float64Array;
  readonly #secondary: Float64Array;
  readonly #heap: Heap;

  constructor(graph: Graph) {
    this.#graph = graph;
    const { rows, origin } = buildRows(graph);
    this.#rows = rows;
    this.#origin = origin;
    this.#nameRank = rankNames(graph.nodes);
    this.#primary = new Float64Array(graph.nodes.length);
    this.#secondary = new Float64Array(graph.nodes.length);
    this.#heap = new Heap(this.#primary, this.#secondary);
  }

  /** The best path from `source` to every node. */
  tree(source: number): Tree {
    const tree: Tree = { source, arrival: new Int32Array(this.#graph.nodes.length).fill(-1) };
    this.#primary.fill(Number.POSITIVE_INFINITY);
    this.#secondary.fill(Number.POSITIVE_INFINITY);
    this.#primary[source] = 0;
    this.#secondary[source] = 0;
    this.#heap.push(source);
    for (let node = this.#heap.pop(); node !== -1; node = this.#heap.pop()) {
      if (node === source || this.#graph.forwards[node]) this.#relax(node, tree);
    }
    return tree;
  }

  /** Indices into `Graph.links` along the path to `target`, or `undefined` where there is none. */
  links(tree: Tree, target: number): number[] | undefined {
    if (target === tree.source || tree.arrival[target] === -1) return undefined;
    const links: number[] = [];
    for (let node = target; node !== tree.source; ) {
      const edge = tree.arrival[node]!;
      links.push(this.#rows.link[edge]!);
      node = this.#origin[edge]!;
    }
    return links.reverse();
  }

  #relax(node: number, tree: Tree): void {
    const { start, target, latency } = this.#rows;
    const byHops = this.#graph.routing === 'hops';
    for (let edge = start[node]!; edge < start[node + 1]!; edge++) {
      const next = target[edge]!;
      if (next === tree.source) continue;
      const primary = this.#primary[node]! + (byHops ? 1 : latency[edge]!);
      const secondary = this.#secondary[node]! + (byHops ? latency[edge]! : 1);
      const gain = primary - this.#primary[next]! || secondary - this.#secondary[next]!;
      if (gain < 0 || Number.isNaN(gain)) {
        this.#primary[next] = primary;
        this.#secondary[next] = secondary;
        tree.arrival[next] = edge;
        this.#heap.push(next);
      } else if (gain === 0 && this.#isNamedBefore(edge, tree.arrival[next]!, tree)) {
        tree.arrival[next] = edge;
      }
    }
  }

  /** Whether the path that ends with edge `a` comes before the one that ends with edge `b`, by names from the source on. */
  #isNamedBefore(a: number, b: number, tree: Tree): boolean {
    let one = this.#origin[a]!;
    let other = this.#origin[b]!;
    if (one === other) return compareNames(this.#linkName(a), this.#linkName(b)) < 0;
    let before = false;
    while (one !== other) {
      before = this.#nameRank[one]! < this.#nameRank[other]!;
      one = this.#origin[tree.arrival[one]!]!;
      other = this.#origin[tree.arrival[other]!]!;
    }
    return before;
  }

  #linkName(edge: number): string {
    return this.#graph.links[this.#rows.link[edge]!]!.name;
  }
}

function buildRows(graph: Graph): { rows: Rows; origin: Int32Array } {
  const count = graph.edges.length;
  const start = new Int32Array(graph.nodes.length + 1);
  for (const { from } of graph.edges) start[from + 1]!++;
  for (let node = 0; node < graph.nodes.length; node++) start[node + 1]! += start[node]!;
  const free = start.slice();
  const rows = {
    start,
    target: new Int32Array(count),
    link: new Int32Array(count),
    latency: new Float64Array(count),
  };
  const origin = new Int32Array(count);
  for (const { from, to, link } of graph.edges) {
    const slot = free[from]!++;
    rows.target[slot] = to;
    rows.link[slot] = link;
    rows.latency[slot] = graph.links[link]!.latency;
    origin[slot] = from;
  }
  return { rows, origin };
}

function rankNames(nodes: readonly string[]): Int32Array {
  const rank = new Int32Array(nodes.length);
  const order = nodes.map((_, node) => node).sort((a, b) => compareNames(nodes[a]!, nodes[b]!));
  order.forEach((node, position) => {
    rank[node] = position;
  });
  return rank;
}

/** A binary heap of nodes, ordered by two keys that live in arrays of the owner; `push` also moves a node up. */
class Heap {
  readonly #primary: Float64Array;
  readonly #secondary: Float64Array;
  readonly #nodes: Int32Array;
  readonly #place: Int32Array;
  #size = 0;

  constructor(primary: Float64Array, secondary: Float64Array) {
    this.#primary = primary;
    this.#secondary = secondary;
    this.#nodes = new Int32Array(primary.length);
    this.#place = new Int32Array(primary.length).fill(-1);
  }

  push(node: number): void {
    if (this.#place[node] === -1) this.#place[node] = this.#size++;
    let slot = this.#place[node]!;
    while (slot > 0) {
      const parent = (slot - 1) >> 1;
      const above = this.#nodes[parent]!;
      if (!this.#isBefore(node, above)) break;
      this.#put(above, slot);
      slot = parent;
    }
    this.#put(node, slot);
  }

  /** Takes the first node; -1 if there is none. */
  pop(): number {
    if (this.#size === 0) return -1;
    const first = this.#nodes[0]!;
    this.#place[first] = -1;
    const last = this.#nodes[--this.#size]!;
    if (this.#size > 0) this.#sink(last);
    return first;
  }

  #sink(node: number): void {
    let slot = 0;
    for (;;) {
      let child = 2 * slot + 1;
      if (child >= this.#size) break;
      if (child + 1 < this.#size && this.#isBefore(this.#nodes[child + 1]!, this.#nodes[child]!)) child++;
      const below = this.#nodes[child]!;
      if (!this.#isBefore(below, node)) break;
      this.#put(below, slot);
      slot = child;
    }
    this.#put(node, slot);
  }

  #put(node: number, slot: number): void {
    this.#nodes[slot] = node;
    this.#place[node] = slot;
  }

  #isBefore(a: number, b: number): boolean {
    const difference = this.#primary[a]! - this.#primary[b]!;
    return difference < 0 || (difference === 0 && this.#secondary[a]! < this.#secondary[b]!);
  }
}
