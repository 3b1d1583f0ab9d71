/**
 * Which flows have to be announced: those that started, stopped, changed between greedy and limited, or changed their
 * rate by more than the threshold. Steady traffic gives nothing. Pure.
 *
 * A greedy flow's rate is not announced again. Its share follows from the topology and the other flows, which every
 * agent knows, so its rate carries no new information.
 */
import type { Flow } from './flow-meter.ts';

/**
 * Kollaps 2.0 (Amaro 2021, section 3.2.2) announces changes of more than 5 %. A lower threshold announces noise, a
 * higher one misses changes.
 */
export const CHANGE_THRESHOLD = 0.05;

/**
 * Changes below this part of the path's bandwidth are not announced either: the stream of acknowledgements of a bulk
 * transfer varies by a tenth and more, which changes no share.
 */
export const INSIGNIFICANT = 0.005;
/** A change below this part of the path's bandwidth is never large, even if the flow is small. */
export const SMALL = 0.01;

/**
 * A smaller change is announced only after it has lasted: a steady flow that sends in bursts has one burst more or
 * less in its window.
 */
export const LARGE_CHANGE = 0.2;
/** With a coarser threshold, a change is large from this many thresholds on. */
const LARGE_THRESHOLDS = 2;
export const LASTING_TICKS = 10;

/**
 * Starts, stops and changes between greedy and limited wait for this part of the interval: the shares of all flows
 * depend on them.
 */
export const URGENT_PART = 1 / 8;

/** How coarsely changes are announced. */
export interface Coarseness {
  /** Changes of a rate up to this part are not announced … */
  readonly threshold: number;
  /**
   * … and others at most once in so many milliseconds; starts, stops and changes between greedy and limited eight
   * times as often.
   */
  readonly intervalMs: number;
}

export interface FlowChange {
  readonly source: number;
  readonly destination: number;
  /** 0 after it stopped. */
  readonly rateBps: number;
  readonly greedy: boolean;
  readonly stopped: boolean;
}

interface Announced {
  readonly rateBps: number;
  readonly greedy: boolean;
  /** For how many ticks the rate has been above this by more than the threshold; negative: below. */
  changedTicks: number;
}

export class ChangeFilter {
  readonly #announced = new Map<Flow, Announced>();
  coarseness: Coarseness;
  /** When a rate was last announced, and when anything else was; milliseconds. */
  #ratesAt = Number.NEGATIVE_INFINITY;
  #urgentAt = Number.NEGATIVE_INFINITY;

  constructor(coarseness: Coarseness = { threshold: CHANGE_THRESHOLD, intervalMs: 0 }) {
    this.coarseness = coarseness;
  }

  /**
   * The changes since the last call; they count as announced. `flows`: all active flows; of inactive ones, only the
   * last announcement is used. `now` in milliseconds.
   */
  changes(flows: Iterable<Flow>, now: number): FlowChange[] {
    const { intervalMs } = this.coarseness;
    const mayUrgent = now - this.#urgentAt >= intervalMs * URGENT_PART;
    const mayRates = now - this.#ratesAt >= intervalMs;
    const changes: FlowChange[] = [];
    for (const flow of this.#announced.keys())
      if (mayUrgent && !flow.active) changes.push(this.#announce(flow));
    if (changes.length > 0) this.#urgentAt = now;
    for (const flow of flows) {
      if (!flow.active) continue;
      const last = this.#announced.get(flow);
      const isUrgent = last?.greedy !== flow.greedy;
      if (!isUrgent && !this.#isRateNews(flow, last!)) continue;
      if (!(isUrgent ? mayUrgent : mayRates)) continue;
      if (isUrgent) this.#urgentAt = now;
      else this.#ratesAt = now;
      changes.push(this.#announce(flow));
    }
    return changes;
  }

  /** The flows that were announced to other hosts, with the last announcement of each. */
  known(): Iterable<readonly [Flow, Announced]> {
    return this.#announced;
  }

  /** The last announcement of an active flow. Sharing uses it, so that all agents compute with the same values. */
  announced(flow: Flow): Announced | undefined {
    return this.#announced.get(flow);
  }

  #announce(flow: Flow): FlowChange {
    const { source, destination, active } = flow;
    if (!active) {
      this.#announced.delete(flow);
      return { source, destination, rateBps: 0, greedy: false, stopped: true };
    }
    const { rateBps, greedy } = flow;
    this.#announced.set(flow, { rateBps, greedy, changedTicks: 0 });
    return { source, destination, rateBps, greedy, stopped: false };
  }

  #isRateNews(flow: Flow, last: Announced): boolean {
    if (flow.greedy) return false;
    const { threshold } = this.coarseness;
    const difference = flow.rateBps - last.rateBps;
    const size = Math.abs(difference);
    if (size <= Math.max(threshold * last.rateBps, INSIGNIFICANT * flow.pathBps)) {
      last.changedTicks = 0;
      return false;
    }
    const large = Math.max(LARGE_CHANGE, LARGE_THRESHOLDS * threshold) * last.rateBps;
    if (size > Math.max(large, SMALL * flow.pathBps)) return true;
    const side = Math.sign(difference);
    last.changedTicks = side * (Math.max(0, side * last.changedTicks) + 1);
    return side * last.changedTicks >= LASTING_TICKS;
  }
}
