/**
 * The properties of a graph's nodes that never change from epoch to epoch: which of them forward, and the order of
 * their names.
 */
import type { Graph } from '../model/model.ts';
import { compareNames } from '../model/names.ts';

export class CoreNodes {
  readonly #nodes: Graph['nodes'];
  readonly #forwards: Graph['forwards'];
  /** Per node: its rank among those that forward, -1 for the others. */
  readonly rank: Int32Array;
  /** Per rank the node. */
  readonly node: Int32Array;
  /** Per rank: the place of its name in code-unit order. */
  readonly nameOrder: Int32Array;

  constructor({ nodes, forwards }: Graph) {
    this.#nodes = nodes;
    this.#forwards = forwards;
    this.rank = new Int32Array(nodes.length).fill(-1);
    this.node = Int32Array.from(nodes.keys()).filter((node) => forwards[node]);
    this.node.forEach((node, rank) => {
      this.rank[node] = rank;
    });
    this.nameOrder = new Int32Array(this.node.length);
    const order = [...this.node.keys()].sort((a, b) =>
      compareNames(nodes[this.node[a]!]!, nodes[this.node[b]!]!),
    );
    order.forEach((rank, place) => {
      this.nameOrder[rank] = place;
    });
  }

  get count(): number {
    return this.node.length;
  }

  /** Whether `graph` is another epoch of the same topology. */
  isOf({ nodes, forwards }: Graph): boolean {
    return nodes === this.#nodes && forwards === this.#forwards;
  }
}
