/**
 * The edges of a graph in compressed sparse rows, for searches: edges to forwarding nodes (the core) by their start,
 * edges to other nodes (the leaves) by their end, since no path continues from there.
 */
import type { Graph } from '../model/model.ts';
import { primaryOf, secondaryOf } from './metric.ts';

/** `of` node n (or core rank): start[n] to start[n + 1]. */
export interface Rows {
  readonly start: Int32Array;
  /** The other end: the core rank of the target, or the start node of the edge. */
  readonly end: Int32Array;
  readonly link: Int32Array;
  /** What the edge adds to what counts first, and second. */
  readonly primary: Float64Array;
  readonly secondary: Float64Array;
}

export interface EdgeRows {
  /** Per node the edges to core nodes. */
  readonly out: Rows;
  /** Per leaf the edges that lead to it; the rows of core nodes are empty. */
  readonly into: Rows;
  /** Per node: how many edges start there, to any node. */
  readonly outDegree: Int32Array;
}

/** `rank`: per node its number in the core, -1 for leaves. */
export function edgeRows(graph: Graph, rank: Int32Array): EdgeRows {
  const { nodes, edges, links } = graph;
  const toCore = edges.filter(({ to }) => rank[to] !== -1);
  const toLeaf = edges.filter(({ to }) => rank[to] === -1);
  const outDegree = new Int32Array(nodes.length);
  for (const { from } of edges) outDegree[from]!++;
  const metric = {
    primary: (link: number): number => primaryOf(graph, links[link]!),
    secondary: (link: number): number => secondaryOf(graph, links[link]!),
  };
  return {
    out: rowsOf(
      toCore,
      nodes.length,
      ({ from }) => from,
      ({ to }) => rank[to]!,
      metric,
    ),
    into: rowsOf(
      toLeaf,
      nodes.length,
      ({ to }) => to,
      ({ from }) => from,
      metric,
    ),
    outDegree,
  };
}

export function rowsOf(
  edges: Graph['edges'],
  nodes: number,
  keyOf: (edge: Graph['edges'][number]) => number,
  endOf: (edge: Graph['edges'][number]) => number,
  metric: { readonly primary: (link: number) => number; readonly secondary: (link: number) => number },
): Rows {
  const start = new Int32Array(nodes + 1);
  for (const edge of edges) start[keyOf(edge) + 1]!++;
  for (let node = 0; node < nodes; node++) start[node + 1]! += start[node]!;
  const free = start.slice();
  const rows = {
    start,
    end: new Int32Array(edges.length),
    link: new Int32Array(edges.length),
    primary: new Float64Array(edges.length),
    secondary: new Float64Array(edges.length),
  };
  for (const edge of edges) {
    const slot = free[keyOf(edge)]!++;
    rows.end[slot] = endOf(edge);
    rows.link[slot] = edge.link;
    rows.primary[slot] = metric.primary(edge.link);
    rows.secondary[slot] = metric.secondary(edge.link);
  }
  return rows;
}
