/**
 * Flows that no packet carries: they take their shares of links, in the same filling as what endpoints really send. Every agent knows
 * them from the topology, and when they begin and end from the experiment's time, so none has to be announced.
 */

import { NEVER, type TrafficSource } from '../../topology/model/traffic.ts';
import type { Flow } from '../share/model.ts';

interface Planned {
  readonly flow: Flow;
  readonly from: number;
  readonly until: number;
}

const NONE: readonly Flow[] = [];

export class SimulatedFlows {
  readonly #planned: readonly Planned[];
  /** Instants at which something changes, in microseconds, in order. */
  readonly #instants: Float64Array;
  #flows: readonly Flow[] = NONE;
  #turn = -1;

  /** Of all sources, those that are simulated. A greedy one is a TCP connection that always has something to send. */
  constructor(sources: readonly TrafficSource[]) {
    this.#planned = sources
      .filter(({ traffic }) => traffic.simulated)
      .map(({ index, from, to, traffic: { rate = Number.POSITIVE_INFINITY, start, stop = NEVER } }) => ({
        // 0 is what endpoints really send.
        flow: { source: from, destination: to, index: index + 1, demandBps: rate },
        from: start,
        until: stop,
      }));
    const instants = this.#planned.flatMap(({ from, until }) => [from, until]).filter(Number.isFinite);
    this.#instants = Float64Array.from(new Set(instants)).sort();
  }

  get count(): number {
    return this.#planned.length;
  }

  /** Those that flow at an instant, in microseconds since the start; the same array until they change. `undefined`: before the start. */
  at(now: number | undefined): readonly Flow[] {
    if (this.#planned.length === 0 || now === undefined) return NONE;
    const turn = this.#turnAt(now);
    if (turn !== this.#turn) {
      this.#turn = turn;
      this.#flows = this.#planned
        .filter(({ from, until }) => from <= now && now < until)
        .map(({ flow }) => flow);
    }
    return this.#flows;
  }

  /** How many instants have passed. */
  #turnAt(now: number): number {
    let [low, high] = [0, this.#instants.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#instants[middle]! <= now) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
