/**
 * When the thread sleeps, and until when. With little to do it wakes for each packet and shortly before each release, and
 * goes the rest of the way, some tens of microseconds, without sleeping. With much to do, what arrives lies for a moment, so
 * that it is taken together; with very much, releases are taken together as well (`Pace`).
 */
import { Pace, SLICE_MS } from './pace.ts';
import { WakeLead } from './wake-lead.ts';

/** A release this close is due: handing over the verdict takes as long. */
const DUE_MS = 0.01;
/** A sleep lasts longer than it was asked to, by this much in the mean; the weight of one observation, and its bound. */
const OVERSLEPT = { weight: 1 / 64, mostMs: 0.1 } as const;
/** How long the thread doesn't look for what has arrived while nothing is due, with very much to do. */
const LONGEST_MS = 4 * SLICE_MS;

export interface SleepPorts {
  /** Milliseconds. */
  readonly now: () => number;
  /** Waits at most so long (negative: for ever) for a descriptor; how many are ready. */
  readonly wait: (nanoseconds: number) => number;
  /** Waits so long, whatever becomes ready. */
  readonly pause: (nanoseconds: number) => void;
}

export class Sleeper {
  readonly #ports: SleepPorts;
  readonly #lead = new WakeLead();
  readonly #pace = new Pace();
  /** Negative while it doesn't. */
  #spinningSince = -1;
  #lookedMs = 0;
  #oversleptMs = 0;
  #slackMs = DUE_MS;

  constructor(ports: SleepPorts) {
    this.#ports = ports;
  }

  /** What is due so much later is released now. */
  get slackMs(): number {
    return this.#slackMs;
  }

  arrived(packets: number, nowMs: number): void {
    this.#pace.arrived(packets, nowMs);
  }

  /**
   * Sleeps until shortly before the release at `nextMs`, until `sweepMs`, or until something arrives; returns how many
   * descriptors are ready. `mayLie`: no path is too quick for packets to lie about.
   */
  sleep(nextMs: number, sweepMs: number, mayLie: boolean): number {
    const now = this.#ports.now();
    if (this.#spinningSince >= 0) this.#lead.spend(now - this.#spinningSince);
    this.#spinningSince = -1;
    const slice = mayLie ? this.#pace.sliceMs(now) : 0;
    return slice > 0 ? this.#rest(nextMs, now, slice) : this.#await(nextMs, sweepMs, now, mayLie);
  }

  /** Only a clock wakes it: at the next release, but not before the slice is over. */
  #rest(nextMs: number, now: number, slice: number): number {
    this.#slackMs = slice / 2 + DUE_MS;
    const wake = Math.max(this.#lookedMs + slice, Math.min(nextMs, now + LONGEST_MS));
    const pause = wake - now - this.#oversleptMs;
    if (pause > 0) {
      this.#ports.pause(Math.ceil(pause * 1e6));
      const overslept = this.#ports.now() - now - pause;
      this.#oversleptMs += OVERSLEPT.weight * (Math.min(overslept, OVERSLEPT.mostMs) - this.#oversleptMs);
    }
    // By what it should have been: else each would be late by what all before it were.
    this.#lookedMs = pause > -slice ? wake : now;
    return this.#ports.wait(0);
  }

  #await(nextMs: number, sweepMs: number, start: number, mayLie: boolean): number {
    const { now: clock, pause, wait } = this.#ports;
    this.#slackMs = DUE_MS;
    let now = start;
    const wake = Math.min(nextMs - this.#lead.at(now), sweepMs);
    const nap = mayLie ? Math.min(this.#pace.napMs, wake - now) : 0;
    if (nap > 0) {
      pause(Math.ceil(nap * 1e6));
      now = clock();
    }
    if (wake === Number.POSITIVE_INFINITY) return wait(-1);
    const milliseconds = wake - now;
    if (milliseconds <= 0) {
      if (nextMs > now) this.#spinningSince = now;
      return wait(0);
    }
    const ready = wait(Math.ceil(milliseconds * 1e6));
    if (ready === 0 && wake < sweepMs) this.#lead.observe(clock() - wake);
    return ready;
  }
}
