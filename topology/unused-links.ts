/** Links that no path uses, since a detour has less latency. */
import type { Micros } from '../proto/units.ts';
import { micros } from '../proto/units.ts';
import type { Edge, Graph } from './model/model.ts';

export interface UnusedLink {
  readonly link: number;
  /** The latency of the way around it. */
  readonly detour: Micros;
}

/** Edges looked at in all; a graph that needs more is not judged. */
const MAX_WORK = 2_000_000;

/**
 * The links of a graph that is routed by latency whose ends have a shorter way. Each search ends where it is as long as the
 * longest link of its node, so it stays near.
 */
export function unusedLinks(graph: Graph): UnusedLink[] {
  const next: Edge[][] = Array.from({ length: graph.nodes.length }, () => []);
  const entries = new Uint32Array(graph.nodes.length);
  for (const edge of graph.edges) {
    next[edge.from]!.push(edge);
    entries[edge.to]!++;
  }
  const detours = new Map<number, number>();
  const used = new Set<number>();
  const account = { left: MAX_WORK };
  for (let node = 0; node < next.length && account.left > 0; node++) {
    const own = next[node]!;
    // A node with one exit has no detour, and neither has one with one entry.
    if (own.length < 2) {
      for (const { link } of own) used.add(link);
      continue;
    }
    const longest = Math.max(...own.map(({ link }) => graph.links[link]!.latency));
    const distances = search(node, longest, next, graph, account);
    for (const { to, link } of own) {
      const distance = entries[to]! < 2 ? undefined : distances.get(to);
      if (distance !== undefined && distance < graph.links[link]!.latency) detours.set(link, distance);
      else used.add(link);
    }
  }
  // Several edges may cross one link, which is unused only if none of them is used.
  if (account.left <= 0) return [];
  const unused = [...detours].filter(([link]) => !used.has(link)).sort(([a], [b]) => a - b);
  return unused.map(([link, detour]) => ({ link, detour: micros(detour) }));
}

/** Latencies of the shortest ways from a node, below `limit` (Dijkstra; nodes that don't forward end a way). */
function search(
  source: number,
  limit: number,
  next: readonly (readonly Edge[])[],
  graph: Graph,
  account: { left: number },
): Map<number, number> {
  const distances = new Map([[source, 0]]);
  const open = new Map([[source, 0]]);
  while (open.size > 0 && account.left > 0) {
    const [node, distance] = nearest(open);
    account.left -= open.size;
    open.delete(node);
    if (node !== source && !graph.forwards[node]) continue;
    for (const { to, link } of next[node]!) {
      account.left--;
      const reached = distance + graph.links[link]!.latency;
      if (reached >= limit || reached >= (distances.get(to) ?? Number.POSITIVE_INFINITY)) continue;
      distances.set(to, reached);
      if (graph.forwards[to]) open.set(to, reached);
    }
  }
  return distances;
}

/** A plain scan: the limit keeps the set small. */
function nearest(open: ReadonlyMap<number, number>): [number, number] {
  let best: [number, number] = [-1, Number.POSITIVE_INFINITY];
  for (const entry of open) if (entry[1] < best[1]) best = entry;
  return best;
}
