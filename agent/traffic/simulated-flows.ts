/**
 * Flows that no packet carries: they take their shares of links, in the same filling as what endpoints really send. Every agent knows
 * them from the topology, and when they begin and end from the experiment's time and its events, so none has to be announced.
 */

import type { TrafficSource } from '../../topology/model/traffic.ts';
import type { Flow } from '../share/model.ts';
import type { Windows } from './messages.ts';

interface Planned {
  readonly flow: Flow;
  readonly entry: number;
}

const NONE: readonly Flow[] = [];

export class SimulatedFlows {
  readonly #planned: readonly Planned[];
  #windows: Windows;
  /** Instants at which something changes, in microseconds, in order. */
  #instants: Float64Array = new Float64Array();
  #flows: readonly Flow[] = NONE;
  #turn = -1;

  /** Of all sources, those that are simulated. A greedy one is a TCP connection that always has something to send. */
  constructor(sources: readonly TrafficSource[], windows: Windows) {
    this.#planned = sources
      .filter(({ traffic }) => traffic.simulated)
      .map(({ index, entry, from, to, traffic: { rate = Number.POSITIVE_INFINITY } }) => ({
        // 0 is what endpoints really send.
        flow: { source: from, destination: to, index: index + 1, demandBps: rate },
        entry,
      }));
    this.#windows = windows;
    this.setWindows(windows);
  }

  get count(): number {
    return this.#planned.length;
  }

  setWindows(windows: Windows): void {
    this.#windows = windows;
    const entries = new Set(this.#planned.map(({ entry }) => entry));
    const instants = [...entries].flatMap((entry) =>
      (windows[entry] ?? []).flatMap(({ from, until }) => [from, until]),
    );
    this.#instants = Float64Array.from(new Set(instants.filter(Number.isFinite))).sort();
    this.#turn = -1;
  }

  /** Those that flow at an instant, in microseconds since the start; the same array until they change. `undefined`: before the start. */
  at(now: number | undefined): readonly Flow[] {
    if (this.#planned.length === 0 || now === undefined) return NONE;
    const turn = this.#turnAt(now);
    if (turn !== this.#turn) {
      this.#turn = turn;
      const isOn = this.#windows.map((all) => all.some(({ from, until }) => from <= now && now < until));
      this.#flows = this.#planned.filter(({ entry }) => isOn[entry]).map(({ flow }) => flow);
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
