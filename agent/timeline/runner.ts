/**
 * Plays the timeline against the clock. All agents count from one instant, so an event that is due is due everywhere;
 * what is due at the same time is one change.
 */
import { type Micros, micros } from '../../proto/units.ts';
import type { Clock, Timers } from '../clock.ts';
import type { Moment, Player } from './player.ts';

export interface RunnerPorts {
  readonly player: Player;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Brings the moment about; it is in force when this returns. */
  readonly apply: (moment: Moment) => void;
}

/** How late changes came into force, after the instant at which they were due. */
export interface Lag {
  readonly count: number;
  readonly latestMs: number;
  readonly meanMs: number;
  readonly mostMs: number;
}

/** Longer waits don't fit a timer; it then looks again. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

export class TimelineRunner {
  readonly #ports: RunnerPorts;
  /** The start, on this machine's monotonic clock. */
  #startMs = 0;
  #cancel: () => void = () => {};
  #lag = { count: 0, latestMs: 0, totalMs: 0, mostMs: 0 };

  constructor(ports: RunnerPorts) {
    this.#ports = ports;
  }

  get lag(): Lag {
    const { count, latestMs, totalMs, mostMs } = this.#lag;
    return { count, latestMs, meanMs: count === 0 ? 0 : totalMs / count, mostMs };
  }

  /** `startAt`: milliseconds since 1970; what is due before now is played at once. */
  start(startAt: number): void {
    const { clock } = this.#ports;
    this.#startMs = clock.now() + (startAt - clock.wallNow());
    this.#wait();
  }

  stop(): void {
    this.#cancel();
  }

  #wait(): void {
    const { player, clock, timers } = this.#ports;
    const next = player.nextAt;
    if (next === undefined) return;
    const milliseconds = this.#startMs + next / 1000 - clock.now();
    this.#cancel = timers.after(Math.min(Math.max(0, milliseconds), LONGEST_WAIT_MS), () => this.#play());
  }

  #play(): void {
    const { player, clock, apply } = this.#ports;
    const due = player.nextAt;
    const elapsed = micros(Math.max(0, Math.floor((clock.now() - this.#startMs) * 1000)));
    // Timers come up to a millisecond early, and long waits come in parts.
    if (due === undefined || elapsed < due) {
      this.#wait();
      return;
    }
    apply(player.advance(elapsed));
    this.#note(due);
    this.#wait();
  }

  #note(due: Micros): void {
    const late = this.#ports.clock.now() - this.#startMs - due / 1000;
    this.#lag.count++;
    this.#lag.latestMs = late;
    this.#lag.totalMs += late;
    this.#lag.mostMs = Math.max(this.#lag.mostMs, late);
  }
}
