/** Rates of endpoints' own links that all their flows together never come near, since the rest of the topology is slower. */
import { type Bps, bps } from '../proto/units.ts';
import type { Graph, Path } from './model/model.ts';

export interface UnreachedRate {
  /** Of an endpoint's own link, in one direction. */
  readonly link: number;
  /** What all flows through it get together, at the most. */
  readonly reached: Bps;
}

/**
 * So many times more than can be reached is no reserve, but probably a mistake, e.g. in a unit. Links of hosts that are some
 * times faster than what is behind them are usual: that is what makes a bottleneck.
 */
const FACTOR = 10;

/** Collects paths; every pair of endpoints has to be added. */
export class ReachedRates {
  readonly #graph: Graph;
  /** By an endpoint's own link: the links that limit paths through it. Several paths may have the same one. */
  readonly #limits = new Map<number, Set<number>>();
  /** Own links that nothing else limits. */
  readonly #free = new Set<number>();

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  add({ links }: Path): void {
    for (const own of new Set([links[0], links.at(-1)])) if (own !== undefined) this.#addOf(own, links);
  }

  #addOf(own: number, links: readonly number[]): void {
    const rateOf = (link: number): number => this.#graph.links[link]!.bandwidth;
    const others = links.filter((link) => link !== own);
    const slowest = others.reduce<number | undefined>(
      (least, link) => (least === undefined || rateOf(link) < rateOf(least) ? link : least),
      undefined,
    );
    if (slowest === undefined || !Number.isFinite(rateOf(slowest))) this.#free.add(own);
    else {
      const limits = this.#limits.get(own) ?? new Set();
      this.#limits.set(own, limits.add(slowest));
    }
  }

  /** Links whose rate is never reached, the worst first. */
  unreached(): UnreachedRate[] {
    const { links } = this.#graph;
    const found = [...this.#limits].flatMap(([link, limits]) => {
      const { bandwidth } = links[link]!;
      const reached = [...limits].reduce((sum, limit) => sum + links[limit]!.bandwidth, 0);
      const isUnreached =
        Number.isFinite(bandwidth) && !this.#free.has(link) && bandwidth >= FACTOR * reached;
      return isUnreached ? [{ link, reached: bps(reached), ratio: bandwidth / reached }] : [];
    });
    return found
      .sort((a, b) => b.ratio - a.ratio || a.link - b.link)
      .map(({ link, reached }) => ({ link, reached }));
  }
}
