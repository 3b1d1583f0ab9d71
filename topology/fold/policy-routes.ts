/**
 * Routes between autonomous systems (`routing: valley-free`), as BGP finds them under the rules of Gao and Rexford ("Stable Internet
 * Routing Without Global Coordination", 2001): a system prefers routes over its customers to those over its peers, and these to
 * routes over its providers; and it tells peers and providers of routes over its customers only. So no path has a valley: it goes up
 * from customers to providers, over at most one link between peers, and down (Gao, "On Inferring Autonomous System Relationships in
 * the Internet", 2001, section III). Of routes of one kind, the one over the fewest systems counts, then that with the fewest hops,
 * then the one of least latency, then names. Links without a relationship are within a system (Gao's siblings): they pass on all
 * routes as they are.
 *
 * Routes are found per destination, as BGP does, and are consistent: the path of each node is continued by that of the next. Every
 * link makes a route worse, so that Dijkstra's algorithm gives the only stable solution.
 */
import type { Graph, GraphLink } from '../model/model.ts';
import { compareNames } from '../model/names.ts';
import type { CoreNodes } from './core-nodes.ts';
import { NodeHeap } from './node-heap.ts';

/** Kind of route (0: customer, 1: peer, 2: provider), systems and hops in one number below 2^53. */
const SYSTEM = 2 ** 18;
const KIND = 2 ** 36;

/** Routes to one destination. Nodes are given by their core rank; a destination that is a leaf has the rank after the last. */
interface Routes {
  readonly root: number;
  /** Per core node: the edge that its packets take first; -1: no route, or the root itself. */
  readonly first: Int32Array;
  readonly primary: Float64Array;
  readonly secondary: Float64Array;
}

/** Edges by one of their ends: `of` node n, start[n] to start[n + 1]. */
interface Incidence {
  readonly start: Int32Array;
  readonly edge: Int32Array;
}

/** Routes are kept for the destinations asked for last, in at most 64 MB. */
const CACHED_BYTES = 64 * 2 ** 20;
const BYTES_PER_NODE = 20;
const MIN_CACHED = 16;

export class PolicyRoutes {
  readonly #graph: Graph;
  readonly #core: CoreNodes;
  /** Edges of which core nodes are the start, by their end; and edges of leaves, by their start. */
  readonly #into: Incidence;
  readonly #outOfLeaf: Incidence;
  /** Per node: how many edges come from leaves. */
  readonly #leafEntries: Int32Array;
  readonly #known = new Map<number, Routes>();
  readonly #capacity: number;

  constructor(graph: Graph, core: CoreNodes) {
    this.#graph = graph;
    this.#core = core;
    const isCore = (node: number): boolean => core.rank[node] !== -1;
    this.#into = incidence(graph, 'to', ({ from }) => isCore(from));
    this.#outOfLeaf = incidence(graph, 'from', ({ from }) => !isCore(from));
    this.#leafEntries = leafEntries(graph, core);
    this.#capacity = Math.max(MIN_CACHED, Math.floor(CACHED_BYTES / (BYTES_PER_NODE * (core.count + 1))));
  }

  /** Indices into `Graph.links`; `undefined` if there is no path. */
  links(source: number, target: number): number[] | undefined {
    if (source === target) return undefined;
    const last = this.#onlyEntry(target);
    const routes = this.#routesTo(last === -1 ? target : this.#graph.edges[last]!.from);
    const edges = this.#way(routes, source);
    if (!edges) return undefined;
    return [...edges, ...(last === -1 ? [] : [last])].map((edge) => this.#graph.edges[edge]!.link);
  }

  /** The edge over which all routes to a leaf come, if it is one within the leaf's system: they are those to its neighbour. */
  #onlyEntry(target: number): number {
    const { start, edge } = this.#into;
    const [first, past] = [start[target]!, start[target + 1]!];
    if (this.#core.rank[target] !== -1 || past - first !== 1) return -1;
    const { link } = this.#graph.edges[edge[first]!]!;
    // Routes of another leaf that is linked to it directly do not lead through the neighbour.
    const isAlone = this.#leafEntries[target] === 0;
    return isAlone && this.#graph.links[link]!.relationship === undefined ? edge[first]! : -1;
  }

  /** The edges from the source to the root of the routes. */
  #way(routes: Routes, source: number): number[] | undefined {
    const { root, first } = routes;
    if (source === root) return [];
    const { edges } = this.#graph;
    const way: number[] = [];
    let node = source;
    if (this.#core.rank[source] === -1) {
      const best = this.#firstOfLeaf(routes, source);
      if (best === -1) return undefined;
      way.push(best);
      node = edges[best]!.to;
    }
    while (node !== root) {
      const edge = first[this.#core.rank[node]!]!;
      if (edge === -1) return undefined;
      way.push(edge);
      node = edges[edge]!.to;
    }
    return way;
  }

  #firstOfLeaf(routes: Routes, leaf: number): number {
    const { start, edge: edges } = this.#outOfLeaf;
    let best = -1;
    let [least, second] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let slot = start[leaf]!; slot < start[leaf + 1]!; slot++) {
      const edge = edges[slot]!;
      const { to, link } = this.#graph.edges[edge]!;
      const rank = this.#rankIn(routes, to);
      if (rank === -1) continue;
      const primary = extended(routes.primary[rank]!, this.#graph.links[link]!);
      const secondary = routes.secondary[rank]! + this.#graph.links[link]!.latency;
      const order = least === primary ? secondary - second : primary - least;
      if (primary === Number.POSITIVE_INFINITY || order > 0) continue;
      if (order === 0 && !this.#isNamedBefore(edge, best)) continue;
      [best, least, second] = [edge, primary, secondary];
    }
    return best;
  }

  /** -1: no route leads on from the node. */
  #rankIn({ root }: Routes, node: number): number {
    const rank = this.#core.rank[node]!;
    return rank === -1 && node === root ? this.#core.count : rank;
  }

  #routesTo(root: number): Routes {
    const known = this.#known.get(root);
    if (known) this.#known.delete(root);
    else if (this.#known.size >= this.#capacity) this.#known.delete(this.#known.keys().next().value!);
    const routes = known ?? this.#find(root);
    this.#known.set(root, routes);
    return routes;
  }

  #find(root: number): Routes {
    const { count, node, rank } = this.#core;
    const primary = new Float64Array(count + 1).fill(Number.POSITIVE_INFINITY);
    const secondary = new Float64Array(count + 1).fill(Number.POSITIVE_INFINITY);
    const routes: Routes = { root, first: new Int32Array(count + 1).fill(-1), primary, secondary };
    const heap = new NodeHeap(primary, secondary);
    const start = rank[root] === -1 ? count : rank[root]!;
    primary[start] = 0;
    secondary[start] = 0;
    this.#relax(routes, root, start, heap);
    for (let next = heap.pop(); next !== -1; next = heap.pop()) this.#relax(routes, node[next]!, next, heap);
    return routes;
  }

  /** Tells the neighbours of the node's route. */
  #relax({ root, first, primary, secondary }: Routes, node: number, rank: number, heap: NodeHeap): void {
    const { start, edge: edges } = this.#into;
    for (let slot = start[node]!; slot < start[node + 1]!; slot++) {
      const edge = edges[slot]!;
      const { from, link } = this.#graph.edges[edge]!;
      if (from === root) continue;
      const told = this.#core.rank[from]!;
      const one = extended(primary[rank]!, this.#graph.links[link]!);
      if (one === Number.POSITIVE_INFINITY || one > primary[told]!) continue;
      const other = secondary[rank]! + this.#graph.links[link]!.latency;
      const order = one === primary[told] ? other - secondary[told]! : -1;
      if (order > 0 || (order === 0 && !this.#isNamedBefore(edge, first[told]!))) continue;
      first[told] = edge;
      if (order === 0) continue;
      primary[told] = one;
      secondary[told] = other;
      heap.push(told);
    }
  }

  /** Of two equal first steps: by the next node's name, then by the link's. */
  #isNamedBefore(one: number, other: number): boolean {
    const { edges, nodes, links } = this.#graph;
    const [a, b] = [edges[one]!, edges[other]!];
    const order = compareNames(nodes[a.to]!, nodes[b.to]!);
    return order < 0 || (order === 0 && compareNames(links[a.link]!.name, links[b.link]!.name) < 0);
  }
}

/** What a route becomes for the near end of a link; infinite if it is not told of it. */
function extended(primary: number, { relationship }: Pick<GraphLink, 'relationship'>): number {
  if (relationship === undefined) return primary + 1;
  if (relationship === 'provider') return (primary % KIND) + 2 * KIND + SYSTEM + 1;
  if (primary >= KIND) return Number.POSITIVE_INFINITY;
  return primary + SYSTEM + 1 + (relationship === 'peer' ? KIND : 0);
}

function incidence(
  { nodes, edges }: Graph,
  end: 'from' | 'to',
  isIn: (edge: Graph['edges'][number]) => boolean,
): Incidence {
  const start = new Int32Array(nodes.length + 1);
  for (const edge of edges) if (isIn(edge)) start[edge[end] + 1]!++;
  for (let node = 0; node < nodes.length; node++) start[node + 1]! += start[node]!;
  const free = start.slice();
  const incident = new Int32Array(start[nodes.length]!);
  edges.forEach((edge, index) => {
    if (isIn(edge)) incident[free[edge[end]]!++] = index;
  });
  return { start, edge: incident };
}

function leafEntries({ nodes, edges }: Graph, { rank }: CoreNodes): Int32Array {
  const entries = new Int32Array(nodes.length);
  for (const { from, to } of edges) if (rank[from] === -1) entries[to]!++;
  return entries;
}
