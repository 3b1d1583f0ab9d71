/**
 * Traces of links, played. At each question, links with a trace get the mean rate of the time until the next one, and latency
 * and loss of that instant. There is no event for a step of a trace: a minute of it may have thousands. Every agent plays the same
 * traces by the experiment's time; trace-steps.ts asks. Pure.
 */
import type { Impairment } from '../../proto/impairment.ts';
import { meanOfTrace, meanRateOf, traceOf } from '../../proto/trace.ts';
import { bps, type Micros, micros, ratio, toMillis } from '../../proto/units.ts';
import type { Graph, GraphLink } from '../../topology/model/model.ts';
import { TraceCursor } from '../../topology/timeline/trace-cursor.ts';

/**
 * One full frame in a tenth of a second. A class that waits for a frame at its old rate would not see the new one before: with
 * less, it would sleep through what comes after a pause.
 */
export const LEAST_RATE = bps(121_120);

interface Player {
  readonly link: number;
  readonly cursor: TraceCursor;
  readonly meanRate: number;
  readonly meanLatency: number;
  readonly saysLoss: boolean;
}

export interface PlayedStep {
  readonly untilMs: number;
  /** Whether more than one step of a trace is in it. */
  readonly areSeveral: boolean;
}

export class TracePlayer {
  #graph: Graph;
  #players: readonly Player[];
  /** By player: rate, latency and loss, as they are in force. */
  #now = new Float64Array();

  /** `graph`: as file, events and commands have it. */
  constructor(graph: Graph) {
    this.#graph = graph;
    this.#players = playersOf(graph.links);
    this.#now = new Float64Array(3 * this.#players.length);
  }

  get isNeeded(): boolean {
    return this.#players.length > 0;
  }

  /** Another version of the graph. In force with the next `at`. */
  setGraph(graph: Graph): void {
    if (graph === this.#graph) return;
    this.#graph = graph;
    this.#players = playersOf(graph.links);
    this.#now = new Float64Array(3 * this.#players.length).fill(Number.NaN);
  }

  /**
   * What is played from `fromMs` on stays until the last change within `withinMs`, so that changes that follow each other faster are
   * one step; or else until the next change. Infinite: nothing changes any more.
   */
  stepFrom(fromMs: number, withinMs: number): PlayedStep {
    let [first, last, next] = [Number.POSITIVE_INFINITY, fromMs, Number.POSITIVE_INFINITY];
    for (const { cursor } of this.#players) {
      first = Math.min(first, cursor.nextStepMs(fromMs));
      last = Math.max(last, cursor.stepStartMs(fromMs + withinMs));
      next = Math.min(next, cursor.nextStepMs(fromMs + withinMs));
    }
    const untilMs = last > fromMs ? last : next;
    return { untilMs, areSeveral: first < untilMs };
  }

  /** The graph from `from` to `until`; `undefined` if it is the one of the last call. */
  at(from: Micros, until: Micros): Graph | undefined {
    const links = [...this.#graph.links];
    let isChanged = false;
    for (const [index, player] of this.#players.entries()) {
      const link = linkAt(this.#graph.links[player.link]!, player, toMillis(from), toMillis(until));
      const values = [link.bandwidth, link.latency, link.loss];
      isChanged ||= values.some((value, at) => this.#now[3 * index + at] !== value);
      this.#now.set(values, 3 * index);
      links[player.link] = link;
    }
    return isChanged ? { ...this.#graph, links } : undefined;
  }
}

function playersOf(links: readonly GraphLink[]): Player[] {
  return links.flatMap(({ trace: text }, link) => {
    if (text === undefined) return [];
    const trace = traceOf(text);
    const meanRate = meanRateOf(trace) ?? Number.NaN;
    const meanLatency = Math.round(meanOfTrace(trace, 'latencyMicros'));
    const saysLoss = !Number.isNaN(trace.loss[0]!);
    return [{ link, cursor: new TraceCursor(trace), meanRate, meanLatency, saysLoss }];
  });
}

/** What events make of the link's means, they make of the trace: twice the bandwidth, 10 ms more latency. */
function linkAt(link: GraphLink, player: Player, fromMs: number, toMs: number): GraphLink {
  const { cursor, meanRate, meanLatency, saysLoss } = player;
  const changed: { -readonly [P in 'bandwidth' | 'latency' | 'loss']?: Impairment[P] } = {};
  const rate = cursor.meanRateBps(fromMs, toMs);
  if (!Number.isNaN(rate) && Number.isFinite(link.bandwidth))
    changed.bandwidth = bps(Math.max(LEAST_RATE, Math.round(rate * (link.bandwidth / meanRate))));
  const latency = cursor.latencyMicros(fromMs);
  if (!Number.isNaN(latency))
    changed.latency = micros(Math.max(0, Math.round(latency + link.latency - meanLatency)));
  if (saysLoss) changed.loss = ratio(cursor.loss(fromMs));
  return { ...link, ...changed };
}
