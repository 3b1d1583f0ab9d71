/** Errors that nobody has caught: a bug, or a failure that nobody foresaw. They are told, and the agent goes on. */
import type { Clock } from '../clock/clock.ts';
import type { AgentLog } from './ports.ts';

/** The log gets the stacks of so many a minute; the others are counted. */
const LOGGED = 10;
const WINDOW_MS = 60_000;

const EVENTS = ['uncaughtException', 'unhandledRejection'] as const;

export class Unexpected {
  readonly #clock: Clock;
  readonly #log: AgentLog;
  #count = 0;
  #latest = '';
  #latestMs = Number.NEGATIVE_INFINITY;
  #windowMs = Number.NEGATIVE_INFINITY;
  #logged = 0;

  constructor(clock: Clock, log: AgentLog) {
    this.#clock = clock;
    this.#log = log;
  }

  /** In words, for a minute after the last. */
  get problem(): string | undefined {
    if (this.#clock.now() - this.#latestMs > WINDOW_MS) return undefined;
    return `${this.#count} unexpected errors so far, and the agent went on; the last: ${this.#latest} (its log has more)`;
  }

  /** Never throws: there is nobody who would catch it. */
  note(thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    const now = this.#clock.now();
    this.#count++;
    this.#latest = error.message;
    this.#latestMs = now;
    if (now - this.#windowMs > WINDOW_MS) {
      this.#windowMs = now;
      this.#logged = 0;
    }
    if (++this.#logged > LOGGED) return;
    try {
      this.#log.error(error);
    } catch {
      // A full disk, for instance. It is in the status.
    }
  }

  /** Takes the process's uncaught errors from now on, until the returned function is called. */
  watchProcess(): () => void {
    const note = (thrown: unknown): void => this.note(thrown);
    for (const event of EVENTS) process.on(event, note);
    return () => {
      for (const event of EVENTS) process.off(event, note);
    };
  }
}
