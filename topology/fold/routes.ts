/** Routes that the file gives explicitly: the paths between two endpoints, instead of the shortest ones. */
import type { Graph } from '../model/model.ts';
import { isBetterLink } from './metric.ts';

/** The explicit routes of one graph. */
export class ExplicitRoutes {
  readonly #graph: Graph;
  readonly #via = new Map<number, readonly number[]>();
  /** Links by the nodes that they join. */
  readonly #between = new Map<number, number>();

  constructor(graph: Graph) {
    this.#graph = graph;
    const { routes = [], edges, links } = graph;
    if (routes.length === 0) return;
    for (const { from, to, via } of routes) {
      for (let source = from[0]; source < from[1]; source++)
        for (let target = to[0]; target < to[1]; target++) this.#via.set(this.#key(source, target), via);
    }
    for (const { from, to, link } of edges) {
      const key = this.#key(from, to);
      const other = this.#between.get(key);
      if (other === undefined || isBetterLink(graph, links[link]!, links[other]!))
        this.#between.set(key, link);
    }
  }

  /** `none`: no route is given; `undefined`: one is given, and a link of it is not there. */
  links(from: number, to: number): number[] | undefined | 'none' {
    const via = this.#via.size === 0 ? undefined : this.#via.get(this.#key(from, to));
    if (!via) return 'none';
    const links: number[] = [];
    let at = from;
    for (let index = 0; index <= via.length; index++) {
      const next = via[index] ?? to;
      const link = this.#between.get(this.#key(at, next));
      if (link === undefined) return undefined;
      links.push(link);
      at = next;
    }
    return links;
  }

  #key(from: number, to: number): number {
    return from * this.#graph.nodes.length + to;
  }
}
