/**
 * When the thread sleeps, and until when. With little to do it wakes for each packet and shortly before each release, and
 * goes the rest of the way, some tens of microseconds, without sleeping. With much to do, what arrives lies for a moment, so
 * that it is taken together; with very much, releases are taken together as well (`Pace`).
 */
import { millisToNanos } from '../../../proto/units.ts';
import { CrowdedProcessor } from './crowded-processor.ts';
import { Pace, SLICE_MS } from './pace.ts';
import { WakeLead } from './wake-lead.ts';

/**
 * Packets are passed on one after the other: in the mean they leave half of that time later than the clock was read, so
 * what is due until then is due now. At first; the weight of one packet; and its bound.
 */
const PASSING = { startMs: 0.01, weight: 1 / 256, mostMs: 0.1 } as const;
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
  /** Goes to another processor, if there is one. */
  readonly leave: () => void;
}

export class Sleeper {
  readonly #ports: SleepPorts;
  readonly #lead = new WakeLead();
  readonly #pace = new Pace();
  readonly #processor = new CrowdedProcessor();
  /** Negative while it doesn't. */
  #spinningSince = -1;
  #lookedMs = 0;
  #oversleptMs = 0;
  #passingMs: number = PASSING.startMs;
  #sliceMs = 0;

  constructor(ports: SleepPorts) {
    this.#ports = ports;
  }

  /** What is due so much later is released now. */
  get slackMs(): number {
    return this.#sliceMs / 2 + this.#passingMs;
  }

  /** How much later than the clock was read packets leave, in the mean. */
  get passingMs(): number {
    return this.#passingMs;
  }

  /** So many packets were passed on, in so long altogether. */
  passed(packets: number, tookMs: number): void {
    const weight = Math.min(1, packets * PASSING.weight);
    this.#passingMs += weight * (Math.min(tookMs / 2, PASSING.mostMs) - this.#passingMs);
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
    this.#sliceMs = mayLie ? this.#pace.sliceMs(now) : 0;
    return this.#sliceMs > 0
      ? this.#rest(nextMs, now, this.#sliceMs)
      : this.#await(nextMs, sweepMs, now, mayLie);
  }

  /** Only a clock wakes it: at the next release, but not before the slice is over. */
  #rest(nextMs: number, now: number, slice: number): number {
    const wake = Math.max(this.#lookedMs + slice, Math.min(nextMs, now + LONGEST_MS));
    const pause = wake - now - this.#oversleptMs;
    if (pause > 0) {
      this.#ports.pause(Math.ceil(millisToNanos(pause)));
      const overslept = this.#ports.now() - now - pause;
      this.#leaveIfLate(overslept, now);
      this.#oversleptMs += OVERSLEPT.weight * (Math.min(overslept, OVERSLEPT.mostMs) - this.#oversleptMs);
    }
    // By what it should have been: else each would be late by what all before it were.
    this.#lookedMs = pause > -slice ? wake : now;
    return this.#ports.wait(0);
  }

  #await(nextMs: number, sweepMs: number, start: number, mayLie: boolean): number {
    const { now: clock, pause, wait } = this.#ports;
    let now = start;
    const wake = Math.min(nextMs - this.#lead.at(now), sweepMs);
    const nap = mayLie ? Math.min(this.#pace.napMs, wake - now) : 0;
    if (nap > 0) {
      pause(Math.ceil(millisToNanos(nap)));
      now = clock();
    }
    if (wake === Number.POSITIVE_INFINITY) return wait(-1);
    const milliseconds = wake - now;
    if (milliseconds <= 0) {
      if (nextMs > now) this.#spinningSince = now;
      return wait(0);
    }
    const ready = wait(Math.ceil(millisToNanos(milliseconds)));
    if (ready === 0 && wake < sweepMs) {
      const late = clock() - wake;
      this.#lead.observe(late);
      this.#leaveIfLate(late, wake);
    }
    return ready;
  }

  #leaveIfLate(lateMs: number, nowMs: number): void {
    if (this.#processor.shallLeave(lateMs, nowMs)) this.#ports.leave();
  }
}
