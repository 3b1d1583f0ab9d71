/** Links that no path uses, since a detour has less latency. */
import { type Micros, micros } from '../proto/units.ts';
import { ShortestPaths } from './fold/shortest-paths.ts';
import type { Edge, Graph } from './model/model.ts';

export interface UnusedLink {
  readonly link: number;
  /** The latency of the way around it. */
  readonly detour: Micros;
}

/** Edges looked at in all; a graph that needs more is not judged. */
const MAX_WORK = 20_000_000;

/** The links of a graph that is routed by latency whose ends have a shorter way. */
export function unusedLinks(graph: Graph): UnusedLink[] {
  const exits = new Map<number, Edge[]>();
  for (const edge of graph.edges) {
    const own = exits.get(edge.from);
    if (own) own.push(edge);
    else exits.set(edge.from, [edge]);
  }
  // A node with one exit has no detour.
  const forks = [...exits].filter(([, edges]) => edges.length > 1);
  if (forks.length * graph.edges.length > MAX_WORK) return [];
  const paths = new ShortestPaths(graph);
  const detours = new Map<number, number>();
  const used = new Set([...exits.values()].filter(({ length }) => length === 1).map(([edge]) => edge!.link));
  for (const [node, edges] of forks) {
    const tree = paths.tree(paths.rootOf(node));
    for (const { to, link } of edges) {
      const best = latencyOf(paths.links(tree, node, to)!, graph);
      if (best < graph.links[link]!.latency) detours.set(link, best);
      else used.add(link);
    }
  }
  // Several edges may cross one link, which is unused only if none of them is used.
  const unused = [...detours].filter(([link]) => !used.has(link)).sort(([a], [b]) => a - b);
  return unused.map(([link, detour]) => ({ link, detour: micros(detour) }));
}

const latencyOf = (links: readonly number[], graph: Graph): number =>
  links.reduce((sum, link) => sum + graph.links[link]!.latency, 0);
