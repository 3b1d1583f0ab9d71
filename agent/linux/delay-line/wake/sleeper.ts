/**
 * Decides when the thread sleeps, and until when. At low rates it wakes for each packet, and shortly before each release; it
 * spins for the last tens of microseconds. At high rates arriving packets wait a little, so that many are received together;
 * at very high rates releases are batched as well (`Pace`).
 */
import { millisToNanos } from '../../../../proto/units.ts';
import { CrowdedProcessor } from './crowded-processor.ts';
import { Pace, SLICE_MS } from './pace.ts';
import { ReleaseError } from './release-error.ts';
import { AWAKE, sleepKind } from './sleep-kinds.ts';
import { WakeLead } from './wake-lead.ts';

/** The average by which sleeps are too long: weight of one observation, and maximum. */
const OVERSLEPT = { weight: 1 / 64, mostMs: 0.1 } as const;
/** At very high rates, the longest time without receiving packets while none is due. */
const LONGEST_MS = 4 * SLICE_MS;

export interface SleepPorts {
  /** Milliseconds. */
  readonly now: () => number;
  /** Waits at most this time (negative: for ever) for a descriptor; returns how many are ready. */
  readonly wait: (nanoseconds: number) => number;
  /** Waits for this time, whatever becomes ready. */
  readonly pause: (nanoseconds: number) => void;
  /** Moves to another processor, if there is one. */
  readonly move: () => void;
}

export class Sleeper {
  readonly #ports: SleepPorts;
  readonly #lead = new WakeLead();
  readonly #pace = new Pace();
  readonly #processor = new CrowdedProcessor();
  /** Negative while the thread doesn't spin. */
  #spinningSince = -1;
  #lookedMs = 0;
  #oversleptMs = 0;
  readonly #error = new ReleaseError();
  /** Of the longest sleep since packets were released. */
  #kind: number = AWAKE;
  #sliceMs = 0;

  constructor(ports: SleepPorts) {
    this.#ports = ports;
  }

  /** Packets due within this time are released now. */
  get slackMs(): number {
    return this.#sliceMs / 2 + this.#error.aheadMs(this.#kind);
  }

  /** To be called after packets were released: how long it took, and how late they left in the mean. */
  passed(packets: number, tookMs: number, lateMs: number): void {
    if (packets === 0) return;
    this.#error.observe(this.#kind, packets, tookMs, lateMs);
    this.#kind = AWAKE;
  }

  arrived(packets: number, nowMs: number): void {
    this.#pace.arrived(packets, nowMs);
  }

  /**
   * Sleeps until shortly before the release at `nextMs`, until `sweepMs`, or until something arrives. Returns how many
   * descriptors are ready. `mayWait`: packets of every path may wait before they are received.
   */
  sleep(nextMs: number, sweepMs: number, mayWait: boolean): number {
    const now = this.#ports.now();
    if (this.#spinningSince >= 0) this.#lead.spend(now - this.#spinningSince);
    this.#spinningSince = -1;
    this.#sliceMs = mayWait ? this.#pace.sliceMs(now) : 0;
    return this.#sliceMs > 0
      ? this.#rest(nextMs, now, this.#sliceMs)
      : this.#await(nextMs, sweepMs, now, mayWait);
  }

  /** Sleeps until the next release, but at least to the end of the slice; arriving packets don't end it. */
  #rest(nextMs: number, now: number, slice: number): number {
    const wake = Math.max(this.#lookedMs + slice, Math.min(nextMs, now + LONGEST_MS));
    const pause = wake - now - this.#oversleptMs;
    if (pause > 0) {
      this.#ports.pause(Math.ceil(millisToNanos(pause)));
      const overslept = this.#ports.now() - now - pause;
      this.#moveIfLate(overslept, now);
      this.#oversleptMs += OVERSLEPT.weight * (Math.min(overslept, OVERSLEPT.mostMs) - this.#oversleptMs);
    }
    // The planned time, so that lateness does not add up over slices.
    this.#lookedMs = pause > -slice ? wake : now;
    return this.#ports.wait(0);
  }

  #await(nextMs: number, sweepMs: number, start: number, mayWait: boolean): number {
    const { now: clock, pause, wait } = this.#ports;
    let now = start;
    const kind = sleepKind(nextMs - now);
    const aheadMs = this.#error.aheadMs(Math.max(this.#kind, kind));
    const wake = Math.min(nextMs - aheadMs - this.#lead.at(now, kind), sweepMs);
    const nap = mayWait ? Math.min(this.#pace.napMs, wake - now) : 0;
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
      this.#kind = Math.max(this.#kind, kind);
      const late = clock() - wake;
      this.#lead.observe(late, kind);
      this.#moveIfLate(late, wake);
    }
    return ready;
  }

  #moveIfLate(lateMs: number, nowMs: number): void {
    if (this.#processor.shouldMove(lateMs, nowMs)) this.#ports.move();
  }
}
