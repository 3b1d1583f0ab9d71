/** The end of an experiment that its timeline contains, or that a user has commanded: `quit`. It is the end on every host. */
import type { Micros } from '../../proto/units.ts';
import type { Timers } from '../clock/clock.ts';
import type { ExperimentClock } from '../clock/experiment-clock.ts';

/**
 * So long after the quit, an agent still passes it on: to hosts that have lost the message, or are cut off for a moment. Heartbeats
 * repair that within a second.
 */
export const LINGER_MS = 2000;

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
  #cancel: () => void = () => {};
  #forget: () => void = () => {};

  constructor(ports: EndPorts) {
    this.#ports = ports;
  }

  /** Resolves `LINGER_MS` after the quit, or at once where that has passed. */
  get reached(): Promise<void> {
    return this.#reached.promise;
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
    this.#at = this.#ports.quitAt();
    this.#wait();
  }

  #wait(): void {
    const { timers, time } = this.#ports;
    this.#cancel();
    const until = this.#at === undefined ? undefined : time.millisUntil(this.#at);
    if (until === undefined) return;
    const wait = until + LINGER_MS;
    if (wait <= 0) this.#reached.resolve();
    else this.#cancel = timers.after(Math.min(wait, LONGEST_WAIT_MS), () => this.#wait());
  }
}
