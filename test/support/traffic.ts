/** Byte counters as they grow when frames of a given rate pass, tick by tick, and a meter that watches them. */
import { type Flow, FlowMeter } from '../../agent/usage/flow-meter.ts';
import { seededRandom } from './random.ts';

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
  readonly #random: ReturnType<typeof seededRandom>;

  constructor({ jitterFrames = 0, seed = 1 }: { jitterFrames?: number; seed?: number } = {}) {
    this.#jitterFrames = jitterFrames;
    this.#random = seededRandom(seed);
  }

  /** What passes in a tick. */
  bytes(bps: number): number {
    this.#idealFrames += (bps * TICK_MS) / 1000 / 8 / FRAME_BYTES;
    const jitter = Math.round((this.#random.next() * 2 - 1) * this.#jitterFrames);
    const frames = Math.max(0, Math.floor(this.#idealFrames) + jitter - this.#sentFrames);
    this.#sentFrames += frames;
    return frames * FRAME_BYTES;
  }
}

/** One flow under a meter; time passes with `tick` only. */
export class MeteredFlow {
  readonly meter = new FlowMeter(ENDPOINTS);
  readonly pathBps: number;
  nowMs = 1000;

  constructor(pathBps: number) {
    this.pathBps = pathBps;
  }

  /** A tick in which `bytes` passed; true when the meter says that something changed. */
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
