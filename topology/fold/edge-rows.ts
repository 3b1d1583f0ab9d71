/**
 * The edges of a graph in compressed sparse rows, for searches: edges to forwarding nodes (the core) by their start,
 * edges to other nodes (the leaves) by their end, since no path continues from there.
 */
import type { Graph } from '../model/model.ts';

/** `of` node n (or core rank): start[n] to start[n + 1]. */
export interface Rows {
  readonly start: Int32Array;
  /** The other end: the core rank of the target, or the start node of the edge. */
  readonly end: Int32Array;
  readonly link: Int32Array;
  readonly latency: Float64Array;
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
export function edgeRows({ nodes, edges, links }: Graph, rank: Int32Array): EdgeRows {
  const toCore = edges.filter(({ to }) => rank[to] !== -1);
  const toLeaf = edges.filter(({ to }) => rank[to] === -1);
  const outDegree = new Int32Array(nodes.length);
  for (const { from } of edges) outDegree[from]!++;
  const latencyOf = (link: number): number => links[link]!.latency;
  return {
    out: rowsOf(
      toCore,
      nodes.length,
      ({ from }) => from,
      ({ to }) => rank[to]!,
      latencyOf,
    ),
    into: rowsOf(
      toLeaf,
      nodes.length,
      ({ to }) => to,
      ({ from }) => from,
      latencyOf,
    ),
    outDegree,
  };
}

function rowsOf(
  edges: Graph['edges'],
  nodes: number,
  keyOf: (edge: Graph['edges'][number]) => number,
  endOf: (edge: Graph['edges'][number]) => number,
  latencyOf: (link: number) => number,
): Rows {
  const start = new Int32Array(nodes + 1);
  for (const edge of edges) start[keyOf(edge) + 1]!++;
  for (let node = 0; node < nodes; node++) start[node + 1]! += start[node]!;
  const free = start.slice();
  const rows = {
    start,
    end: new Int32Array(edges.length),
    link: new Int32Array(edges.length),
    latency: new Float64Array(edges.length),
  };
  for (const edge of edges) {
    const slot = free[keyOf(edge)]!++;
    rows.end[slot] = endOf(edge);
    rows.link[slot] = edge.link;
    rows.latency[slot] = latencyOf(edge.link);
  }
  return rows;
}
