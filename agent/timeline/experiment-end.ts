/** The end of an experiment that its timeline contains, or that a user has commanded: `quit`. It is the end on every host. */
import type { Micros } from '../../proto/units.ts';
import type { Timers } from '../clock/clock.ts';
import type { ExperimentClock } from '../clock/experiment-clock.ts';

/**
 * So long after the quit, an agent still passes it on: to hosts that have lost the message, or are cut off for a moment. Heartbeats
 * repair that within a second.
 */
export const LINGER_MS = 2000;

/** An agent that learns of a quit so long after the others have ended was away, and knows less than they of who is. */
const LATE_MS = 2000;

/** It goes on for so long: a dial that began while it was away fails after 3 s, and the next one comes within a second. */
export const LATE_LINGER_MS = 5000;

/** Longer waits don't fit a timer; after this the clock is read again. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

export interface EndPorts {
  readonly timers: Pick<Timers, 'after'>;
  readonly time: Pick<ExperimentClock, 'millisUntil' | 'onChange'>;
  /** When the timeline quits, with all commands that are known now; `undefined`: never. */
  readonly quitAt: () => Micros | undefined;
}

export class ExperimentEnd {
  readonly #ports: EndPorts;
  readonly #reached = Promise.withResolvers<void>();
  #at: Micros | undefined;
  #isLate = false;
  #lingers = false;
  #cancel: () => void = () => {};
  #forget: () => void = () => {};

  constructor(ports: EndPorts) {
    this.#ports = ports;
  }

  /** Resolves `LINGER_MS` after the quit; `LATE_LINGER_MS` after an agent that was away has learned of it. */
  get reached(): Promise<void> {
    return this.#reached.promise;
  }

  /** Whether the others had ended long before this agent learned of it. */
  get isLate(): boolean {
    return this.#isLate;
  }

  start(): void {
    this.#forget = this.#ports.time.onChange(() => this.#wait());
    this.look();
  }

  stop(): void {
    this.#forget();
    this.#cancel();
  }

  /** To be called when commands have come: one may quit, or a reset may drop one that does. */
  look(): void {
    const at = this.#ports.quitAt();
    // What is known in time may still be reached late, on a busy machine.
    const isLate = this.#millisUntil(at) < -LINGER_MS - LATE_MS;
    if (at !== this.#at) this.#isLate = isLate;
    const isNews = isLate && at !== this.#at;
    this.#at = at;
    if (isNews) this.#linger();
    else this.#wait();
  }

  /** Those that wait for this host have to see that it knows, and hosts that were away with it have to learn of it. */
  #linger(): void {
    this.#cancel();
    this.#lingers = true;
    this.#cancel = this.#ports.timers.after(LATE_LINGER_MS, () => {
      this.#lingers = false;
      this.#wait();
    });
  }

  #wait(): void {
    if (this.#lingers) return;
    this.#cancel();
    const wait = this.#millisUntil(this.#at) + LINGER_MS;
    if (wait <= 0) this.#reached.resolve();
    else if (wait < Number.POSITIVE_INFINITY)
      this.#cancel = this.#ports.timers.after(Math.min(wait, LONGEST_WAIT_MS), () => this.#wait());
  }

  /** Infinite where there is no quit, or the time is not known. */
  #millisUntil(at: Micros | undefined): number {
    const until = at === undefined ? undefined : this.#ports.time.millisUntil(at);
    return until ?? Number.POSITIVE_INFINITY;
  }
}
