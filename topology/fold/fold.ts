/**
 * Folding: a path of links becomes one latency, jitter, loss and bandwidth.
 *
 * latency = Σ latency; jitter = √Σ jitter²; loss = 1 − Π(1 − loss); bandwidth = min bandwidth
 * (Gouveia et al., "Kollaps", EuroSys 2020; Amaro's thesis, 2021, section 3.1.6). Jitter of a single link keeps its
 * distribution; that of several is taken as normal, which sums of independent delays approach (central limit theorem). Everything is computed in the order of the path, so that every
 * agent gets the same bits.
 */
import { bps, micros, ratio } from '../../proto/units.ts';
import type { Distribution, Graph, GraphLink, Path } from '../model/model.ts';
import { edgeChanges } from './edge-changes.ts';
import { ShortestPaths, type Tree } from './shortest-paths.ts';

/** Trees are kept for the roots that were asked for last, in at most 64 MB of four-byte numbers. */
const CACHED_NUMBERS = 16_000_000;
const MIN_CACHED_TREES = 16;

/** The paths of one graph. Nothing is computed before it is asked for. */
export class Folding {
  readonly graph: Graph;
  readonly shortestPaths: ShortestPaths;
  /** By root, in order of last use. */
  readonly #trees: Map<number, Tree>;
  readonly #capacity: number;

  /** `previous`: the epoch before; what of its trees is not touched by the changes is taken over. */
  constructor(graph: Graph, previous?: Folding) {
    this.graph = graph;
    this.shortestPaths = new ShortestPaths(graph, previous?.shortestPaths);
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

  /** The path between two endpoints; `undefined` where there is none, and from an endpoint to itself. */
  path(from: number, to: number): Path | undefined {
    if (from === to || !this.#isEndpoint(from) || !this.#isEndpoint(to) || this.#areSeparated(from, to))
      return undefined;
    const links = this.shortestPaths.links(this.#tree(this.shortestPaths.rootOf(from)), from, to);
    return links && { from, to, ...foldLinks(links, this.graph.links) };
  }

  #isEndpoint(node: number): boolean {
    return Number.isInteger(node) && node >= 0 && node < this.graph.endpoints.length;
  }

  #areSeparated(from: number, to: number): boolean {
    return (this.graph.partitions ?? []).some((groupOf) => {
      return groupOf[from] !== -1 && groupOf[to] !== -1 && groupOf[from] !== groupOf[to];
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

/** What a path over `links` (indices into `all`, in order) gives. */
export function foldLinks(links: readonly number[], all: readonly GraphLink[]): Omit<Path, 'from' | 'to'> {
  let latency = 0;
  let squaredJitter = 0;
  let passing = 1;
  let bandwidth = Number.POSITIVE_INFINITY;
  let queue = Number.POSITIVE_INFINITY;
  for (const index of links) {
    const link = all[index]!;
    latency += link.latency;
    squaredJitter += link.jitter * link.jitter;
    passing *= 1 - link.loss;
    bandwidth = Math.min(bandwidth, link.bandwidth);
    queue = Math.min(queue, link.queuePackets ?? queue);
  }
  return {
    latency: micros(latency),
    jitter: micros(Math.sqrt(squaredJitter)),
    ...shapeOf(links, all),
    // One lossy link keeps its exact value: 1 − (1 − 0.001) is not 0.001 in binary.
    loss: ratio(singleLoss(links, all) ?? 1 - passing),
    bandwidth: bps(bandwidth),
    hops: links.length,
    links,
    ...(Number.isFinite(queue) ? { queuePackets: queue } : {}),
  };
}

/** The distribution of the only link that has jitter, where it is not normal. */
function shapeOf(links: readonly number[], all: readonly GraphLink[]): { distribution?: Distribution } {
  let only: GraphLink | undefined;
  for (const index of links) {
    const link = all[index]!;
    if (link.jitter === 0) continue;
    if (only) return {};
    only = link;
  }
  const distribution = only?.distribution ?? 'normal';
  return distribution === 'normal' ? {} : { distribution };
}

function singleLoss(links: readonly number[], all: readonly GraphLink[]): number | undefined {
  let only: number | undefined;
  for (const index of links) {
    const { loss } = all[index]!;
    if (loss === 0) continue;
    if (only !== undefined) return undefined;
    only = loss;
  }
  return only ?? 0;
}
