/**
 * Plays the timeline against the clock. All agents count from one instant, so an event that is due is due everywhere;
 * what is due at the same time is one change.
 */
import { micros } from '../../proto/units.ts';
import type { Clock, Timers } from '../clock.ts';
import { Ring } from '../ring.ts';
import { type Lag, LagCount } from './lag.ts';
import type { Moment, Player } from './player.ts';

export interface RunnerPorts {
  readonly player: Player;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Brings the moment about; bandwidth is in force when this returns, everything when it is fulfilled. */
  readonly apply: (moment: Moment) => Promise<void>;
}

/** What was due at an instant, and when it was in force; microseconds since the start. */
export interface Applied {
  readonly dueMicros: number;
  readonly appliedMicros: number;
  /** Delays and losses, too. */
  readonly settledMicros: number;
  readonly epoch: number;
}

/** The events of a flap every 100 ms in seven minutes. */
const REMEMBERED = 4096;

/** Longer waits don't fit a timer; it then looks again. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

export class TimelineRunner {
  readonly #ports: RunnerPorts;
  /** The start, on this machine's monotonic clock. */
  #startMs = 0;
  #cancel: () => void = () => {};
  #isStarted = false;
  readonly #lag = new LagCount();
  readonly #applied = new Ring<Applied>(REMEMBERED);

  constructor(ports: RunnerPorts) {
    this.#ports = ports;
  }

  /** How late all of what was due came into force. */
  get lag(): Lag {
    return this.#lag.summary;
  }

  /** The latest moments, oldest first, and how many before them are forgotten. */
  get applied(): { readonly moments: readonly Applied[]; readonly forgotten: number } {
    return { moments: this.#applied.toArray(), forgotten: this.#applied.forgotten };
  }

  /** Microseconds since the start; `undefined` before it. */
  get nowMicros(): number | undefined {
    return this.#isStarted ? this.#elapsedMicros() : undefined;
  }

  /** `startAt`: milliseconds since 1970; what is due before now is played at once. */
  start(startAt: number): void {
    const { clock } = this.#ports;
    this.#startMs = clock.now() + (startAt - clock.wallNow());
    this.#isStarted = true;
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
    const { player, apply } = this.#ports;
    const due = player.nextAt;
    const elapsed = micros(Math.max(0, Math.floor(this.#elapsedMicros())));
    // Timers come up to a millisecond early, and long waits come in parts.
    if (due === undefined || elapsed < due) {
      this.#wait();
      return;
    }
    const settled = apply(player.advance(elapsed));
    const appliedMicros = this.#elapsedMicros();
    const { epoch } = player;
    void settled.then(() => this.#note({ dueMicros: due, appliedMicros, epoch }));
    this.#wait();
  }

  #note(moment: Omit<Applied, 'settledMicros'>): void {
    const settledMicros = this.#elapsedMicros();
    this.#lag.add((settledMicros - moment.dueMicros) / 1000);
    this.#applied.push({ ...moment, settledMicros });
  }

  #elapsedMicros(): number {
    return (this.#ports.clock.now() - this.#startMs) * 1000;
  }
}
