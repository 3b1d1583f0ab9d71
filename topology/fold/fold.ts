/** Folding: the links of the shortest path between two endpoints become one impairment (proto/impairment.ts). */
import { foldImpairments, type Impairment, impairment, transmissionOf } from '../../proto/impairment.ts';
import { Lanes } from '../../proto/lanes.ts';
import { nanosPerByte } from '../../proto/units.ts';
import type { Graph, Path } from '../model/model.ts';
import { edgeChanges } from './edge-changes.ts';
import { EqualPaths } from './equal-paths.ts';
import { PolicyRoutes } from './policy-routes.ts';
import { ExplicitRoutes } from './routes.ts';
import { ShortestPaths, type Tree } from './shortest-paths.ts';

/** Trees are kept for the most recently used roots, in at most 64 MB of four-byte numbers. */
const CACHED_NUMBERS = 16_000_000;
const MIN_CACHED_TREES = 16;
const KNOWN_PAIRS = 1024;

/** The paths of one graph. All are computed on demand. */
export class Folding {
  readonly graph: Graph;
  readonly shortestPaths: ShortestPaths;
  readonly lanes: Lanes;
  readonly #routes: ExplicitRoutes;
  /** Of a graph that is routed by them. */
  readonly #policy: PolicyRoutes | undefined;
  /** Of a graph in which pairs have several paths. */
  readonly #equal: EqualPaths | undefined;
  /** Links of the paths of pairs that were asked for lately: each path is asked for by itself, and the ways back in between. */
  readonly #ways = new Map<number, readonly number[][]>();
  /** By root, in order of last use. */
  readonly #trees: Map<number, Tree>;
  readonly #capacity: number;

  /** `previous`: the epoch before; its trees that the changes do not affect are kept. */
  constructor(graph: Graph, previous?: Folding) {
    this.graph = graph;
    this.shortestPaths = new ShortestPaths(graph, previous?.shortestPaths);
    this.lanes = new Lanes(graph.nodes.length, graph.ecmp);
    if (this.lanes.most > 1) this.#equal = new EqualPaths(graph, this.shortestPaths);
    this.#routes = new ExplicitRoutes(graph);
    if (graph.routing === 'valley-free') this.#policy = new PolicyRoutes(graph, this.shortestPaths.coreNodes);
    this.#trees = previous ? previous.#treesThatHold(this) : new Map();
    this.#capacity = Math.max(
      MIN_CACHED_TREES,
      Math.floor(CACHED_NUMBERS / Math.max(1, this.shortestPaths.treeSize)),
    );
  }

  /** How many trees are kept. */
  get treeCount(): number {
    return this.#trees.size;
  }

  /**
   * The path between two endpoints; `undefined` if there is none, and from an endpoint to itself. Of a pair with several paths, `to`
   * says which (proto/lanes.ts); one back from there is told by `from`, as the one with the same place or its remainder.
   */
  path(from: number, to: number): Path | undefined {
    if (!this.#equal)
      return this.#isEndpoint(from) && this.#isEndpoint(to) ? this.between(from, to) : undefined;
    const ways = this.#waysBetween(this.lanes.endpointOf(from), this.lanes.endpointOf(to));
    const [lane, back] = [this.lanes.laneOf(to), this.lanes.laneOf(from)];
    const links = back > 0 ? ways[back % ways.length] : ways[lane];
    return links && this.#pathOf(from, to, links);
  }

  /** How many paths a pair of endpoints has. */
  count(from: number, to: number): number {
    if (!this.#equal) return this.path(from, to) ? 1 : 0;
    return this.#waysBetween(from, to).length;
  }

  /** The same between any two nodes: a bridge sends nothing, but traffic may be reckoned to begin there. */
  between(from: number, to: number): Path | undefined {
    if (from === to || this.#areSeparated(from, to)) return undefined;
    const given = this.#routes.links(from, to);
    const links = given === 'none' ? this.#found(from, to) : given;
    return links && this.#pathOf(from, to, links);
  }

  #pathOf(from: number, to: number, links: readonly number[]): Path {
    return { from, to, ...this.#impairment(links), hops: links.length, links };
  }

  #waysBetween(from: number, to: number): readonly number[][] {
    if (!this.#isEndpoint(from) || !this.#isEndpoint(to)) return [];
    const pair = from * this.graph.nodes.length + to;
    const known = this.#ways.get(pair);
    if (known) return known;
    const ways = this.#allWays(from, to);
    if (this.#ways.size >= KNOWN_PAIRS) this.#ways.clear();
    this.#ways.set(pair, ways);
    return ways;
  }

  #allWays(from: number, to: number): number[][] {
    if (from === to || this.#areSeparated(from, to)) return [];
    const given = this.#routes.links(from, to);
    if (given !== 'none') return given ? [given] : [];
    const tree = this.#tree(this.shortestPaths.rootOf(from));
    return this.#equal!.links(tree, from, to, this.lanes.most);
  }

  #found(from: number, to: number): number[] | undefined {
    if (this.#policy) return this.#policy.links(from, to);
    return this.shortestPaths.links(this.#tree(this.shortestPaths.rootOf(from)), from, to);
  }

  #impairment(links: readonly number[]): Impairment {
    const { links: all, transmission = 'every link' } = this.graph;
    const folded = foldImpairments(links, all);
    if (transmission === 'every link') return folded;
    const slowest = (transmission === 'bottleneck' && folded.spacing) || nanosPerByte(0);
    return impairment({ ...folded, ...transmissionOf(slowest, folded.overhead) });
  }

  #isEndpoint(node: number): boolean {
    return Number.isInteger(node) && node >= 0 && node < this.graph.endpoints.length;
  }

  #areSeparated(from: number, to: number): boolean {
    return (this.graph.partitions ?? []).some((groupOf) => {
      const [a, b] = [groupOf[from] ?? -1, groupOf[to] ?? -1];
      return a !== -1 && b !== -1 && a !== b;
    });
  }

  #tree(root: number): Tree {
    const known = this.#trees.get(root);
    if (known) this.#trees.delete(root);
    else if (this.#trees.size >= this.#capacity) this.#trees.delete(this.#trees.keys().next().value!);
    const tree = known ?? this.shortestPaths.tree(root);
    this.#trees.set(root, tree);
    return tree;
  }

  #treesThatHold(next: Folding): Map<number, Tree> {
    const changes =
      next.shortestPaths.coreNodes === this.shortestPaths.coreNodes
        ? edgeChanges(this.graph, next.graph)
        : undefined;
    if (!changes) return new Map();
    return new Map([...this.#trees].filter(([, tree]) => this.shortestPaths.holds(tree, changes)));
  }
}
