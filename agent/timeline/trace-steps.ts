/**
 * When traces of links are played: at the milliseconds at which they change, as sharply as events. What changes faster than ticks
 * is played as one step, so that a trace of a packet in each millisecond costs no more than two steps a tick.
 */
import { fromMillis, micros, toMillis } from '../../proto/units.ts';
import type { Graph } from '../../topology/model/model.ts';
import type { Clock, Timers } from '../clock/clock.ts';
import type { ExperimentClock } from '../clock/experiment-clock.ts';
import { TracePlayer } from './trace-player.ts';

/** Of the agent's time, one part in so many is for a step: where folding takes long, steps become longer. Two may be as close as one. */
const TRACE_PARTS = 10;
/** Longer waits don't fit a timer; after this the clock is read again. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

export interface TraceStepsPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly time: ExperimentClock;
  readonly tickMs: number;
  /** Puts the graph into force. Doesn't throw. */
  readonly play: (graph: Graph) => void;
}

export class TraceSteps {
  readonly #ports: TraceStepsPorts;
  readonly #player: TracePlayer;
  #isRunning = false;
  /** Changes within so long are one, in milliseconds. */
  #withinMs: number;
  /** When the present step ends, in milliseconds since the experiment's start. */
  #endMs = Number.NEGATIVE_INFINITY;
  #areSeveral = false;
  #cancel: () => void = () => {};

  /** `graph`: as file, events and commands have it. */
  constructor(ports: TraceStepsPorts, graph: Graph) {
    this.#ports = ports;
    this.#player = new TracePlayer(graph);
    this.#withinMs = ports.tickMs;
    ports.time.onChange(() => this.#wait());
  }

  /** From now on, traces are played; before, links have their means. */
  start(): void {
    this.#isRunning = true;
    this.#play();
  }

  stop(): void {
    this.#isRunning = false;
    this.#cancel();
  }

  /** Another version of the graph: with its traces as they are now. */
  withTraces(graph: Graph): Graph {
    this.#player.setGraph(graph);
    const now = this.#nowMs;
    return now === undefined ? graph : (this.#stepFrom(now) ?? graph);
  }

  get #nowMs(): number | undefined {
    const now = this.#isRunning && this.#player.isNeeded ? this.#ports.time.now() : undefined;
    return now === undefined ? undefined : toMillis(micros(Math.max(0, now)));
  }

  #play(): void {
    const { clock, tickMs, play } = this.#ports;
    const now = this.#nowMs;
    if (now === undefined) return;
    // Long waits are divided, and the clock may have been corrected.
    if (now < this.#endMs) {
      this.#wait();
      return;
    }
    const started = clock.now();
    // Its bits count from when it was meant to begin; after a pause of the agent, from now.
    const graph = this.#stepFrom(now - this.#endMs < tickMs ? this.#endMs : now);
    if (graph) play(graph);
    this.#withinMs = Math.max(tickMs, TRACE_PARTS * (clock.now() - started));
  }

  /** `undefined`: the graph is in force already. */
  #stepFrom(fromMs: number): Graph | undefined {
    const { untilMs: endMs, areSeveral } = this.#player.stepFrom(fromMs, this.#withinMs);
    this.#endMs = endMs;
    this.#areSeveral = areSeveral;
    this.#wait();
    const untilMs = Number.isFinite(endMs) ? endMs : fromMs + this.#withinMs;
    return this.#player.at(fromMillis(fromMs), fromMillis(untilMs));
  }

  #wait(): void {
    const { time, timers } = this.#ports;
    this.#cancel();
    if (this.#nowMs === undefined || !Number.isFinite(this.#endMs)) return;
    const milliseconds = Math.max(0, time.millisUntil(fromMillis(this.#endMs)) ?? 0);
    const play = (): void => this.#play();
    // Being sharp costs processor time. Where the steps between were left out, a millisecond is none.
    this.#cancel =
      this.#areSeveral || milliseconds > LONGEST_WAIT_MS
        ? timers.after(Math.min(milliseconds, LONGEST_WAIT_MS), play)
        : timers.sharply(milliseconds, play);
  }
}
