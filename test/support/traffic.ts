/** Byte counters as they grow when frames of a given rate pass, tick by tick, and a meter that reads them. */
import { type Flow, FlowMeter } from '../../agent/usage/flow-meter.ts';
import { SeededRandom } from '../../topology/model/random.ts';

export const FRAME_BYTES = 1514;
export const TICK_MS = 50;
export const SOURCE = 3;
export const DESTINATION = 1;
const ENDPOINTS = 5;

/** Bytes of full frames at up to `bps`, in each tick; `jitterFrames` early or late at random, without drift. */
export class Frames {
  #idealFrames = 0;
  #sentFrames = 0;
  readonly #jitterFrames: number;
  readonly #random: SeededRandom;

  constructor({ jitterFrames = 0, seed = 1 }: { jitterFrames?: number; seed?: number } = {}) {
    this.#jitterFrames = jitterFrames;
    this.#random = new SeededRandom(seed);
  }

  /** Bytes that pass in a tick. */
  bytes(bps: number): number {
    this.#idealFrames += (bps * TICK_MS) / 1000 / 8 / FRAME_BYTES;
    const jitter = Math.round((this.#random.next() * 2 - 1) * this.#jitterFrames);
    const frames = Math.max(0, Math.floor(this.#idealFrames) + jitter - this.#sentFrames);
    this.#sentFrames += frames;
    return frames * FRAME_BYTES;
  }
}

/**
 * What a TCP connection sends: ten segments, and with each round trip twice as much, paced by its share. `phase`: its
 * start within a tick, 0 to 1; `stray`: how much later than a round trip a burst may come, in milliseconds.
 */
export class Connection {
  readonly #roundTripMs: number;
  readonly #stray: () => number;
  #nowMs = 0;
  #burstMs: number;
  #window = 10 * FRAME_BYTES;
  /** Sent by the application, not yet by the link. */
  #waiting = 0;
  #left: number;

  /** `totalBytes`: what the application has to send. */
  constructor(options: { roundTripMs: number; phase?: number; stray?: () => number; totalBytes?: number }) {
    const { roundTripMs, phase = 0, stray = () => 0, totalBytes = Number.POSITIVE_INFINITY } = options;
    this.#roundTripMs = roundTripMs;
    this.#stray = stray;
    this.#burstMs = phase * TICK_MS;
    this.#left = totalBytes;
  }

  /** Bytes that pass in a tick at this share. */
  bytes(shareBps: number): number {
    const begin = Math.max(this.#nowMs, this.#waiting > 0 ? 0 : this.#burstMs);
    this.#nowMs += TICK_MS;
    // As much as the path and the buffer before it can hold.
    const room = (shareBps * (this.#roundTripMs + TICK_MS)) / 8000;
    while (this.#burstMs < this.#nowMs) {
      const burst = Math.min(this.#window, this.#left, room);
      this.#left -= burst;
      this.#waiting = Math.min(this.#waiting + burst, 2 * room);
      this.#window *= 2;
      this.#burstMs += this.#roundTripMs + this.#stray();
    }
    const sent = Math.min(this.#waiting, (shareBps * Math.max(0, this.#nowMs - begin)) / 8000);
    this.#waiting -= sent;
    return sent;
  }
}

/** One flow under a meter; time passes with `tick` only. */
export class MeteredFlow {
  readonly meter: FlowMeter;
  readonly pathBps: number;
  nowMs = 1000;

  constructor(pathBps: number, roundTripMs = 0) {
    this.pathBps = pathBps;
    this.meter = new FlowMeter(ENDPOINTS, (source, destination) =>
      source === SOURCE && destination === DESTINATION ? roundTripMs : Number.NaN,
    );
  }

  /** A tick in which `bytes` passed; true if the meter reports a change. */
  tick(bytes: number): boolean {
    this.nowMs += TICK_MS;
    this.meter.begin(this.nowMs);
    this.meter.count(SOURCE, DESTINATION, bytes, () => this.pathBps);
    return this.meter.finish();
  }

  /** Several ticks of frames; how often the flow started, stopped, or changed between greedy and limited. */
  run(ms: number, frames: Frames, bps: number): number {
    let changes = 0;
    for (let end = this.nowMs + ms; this.nowMs < end; ) if (this.tick(frames.bytes(bps))) changes++;
    return changes;
  }

  enforce(bps: number): void {
    this.meter.setEnforced(SOURCE, DESTINATION, bps, this.nowMs);
  }

  get flow(): Flow {
    return this.meter.get(SOURCE, DESTINATION)!;
  }
}
