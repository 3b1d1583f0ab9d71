/** The epoch that is in force. */
import type { Graph } from '../../topology/model/model.ts';
import { Epoch } from './epoch.ts';

export class CurrentEpoch {
  #value: Epoch;

  constructor(graph: Graph) {
    this.#value = new Epoch(graph);
  }

  get value(): Epoch {
    return this.#value;
  }

  /** Names of all endpoints, by number; the same in every epoch. */
  get endpointNames(): readonly string[] {
    return this.#value.graph.endpoints;
  }

  /** Changes to another version. Unchanged paths are not folded again. */
  advance(graph: Graph): Epoch {
    this.#value = new Epoch(graph, this.#value);
    return this.#value;
  }
}
