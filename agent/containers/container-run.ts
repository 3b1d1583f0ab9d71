/** The application of a container, or a further command in it, while it runs. */
import type { CommandEnd, CommandRun } from '../endpoints/processes.ts';

/** `0`: it ended well. Docker gives 128 and its number for a signal. */
export const endOf = (code: number): CommandEnd => ({ how: `exited with ${code}`, isFailure: code !== 0 });

export class ContainerRun implements CommandRun {
  /** It has one of the container's; which one of the machine's, only the engine knows. */
  readonly pid = undefined;
  readonly startTime = undefined;
  /** Never rejects. */
  readonly ended: Promise<CommandEnd>;
  /** When it has been asked to start and either runs or has failed. Never rejects. */
  readonly started: Promise<void>;
  /** Its life is over: it must not be started any more. */
  isCancelled = false;
  #isOver = false;
  #isStarted = false;
  readonly #send: (signal: NodeJS.Signals) => void;

  constructor(parts: {
    readonly started: (run: ContainerRun) => Promise<void>;
    readonly ended: (run: ContainerRun) => Promise<CommandEnd>;
    readonly send: (signal: NodeJS.Signals) => void;
  }) {
    this.#send = parts.send;
    const failed = (error: unknown): CommandEnd => ({
      how: `failed: ${(error as Error).message}`,
      isFailure: true,
    });
    const started = parts.started(this);
    this.started = started.then(
      () => {
        this.#isStarted = true;
      },
      () => {},
    );
    this.ended = started.then(() => parts.ended(this)).catch(failed);
    void this.ended.then(() => {
      this.#isOver = true;
    });
  }

  /** The engine has said so. */
  get isStarted(): boolean {
    return this.#isStarted;
  }

  signal(signal: NodeJS.Signals): void {
    // The engine may still be about to obey when the next life begins.
    if (!this.#isOver) this.#send(signal);
  }

  onEnd(listener: (end: CommandEnd) => void): void {
    void this.ended.then(listener);
  }
}
