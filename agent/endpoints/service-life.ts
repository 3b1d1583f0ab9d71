/**
 * The command of a service in one life of an endpoint, from its first start on: what ends by itself is started again as the
 * service says. A crash or a leave ends the life, and with it all that was to be done.
 */
import { fromMillis, toSeconds } from '../../proto/units.ts';
import { count } from '../../proto/words.ts';
import type { Restart } from '../../topology/model/model.ts';
import type { Clock, Timers } from '../clock/clock.ts';
import type { KeptLife } from './kept-life.ts';
import type { CommandEnd, CommandRun } from './processes.ts';
import { Backoff, isStartedAgain } from './restart-policy.ts';

export interface ServiceLifePorts {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Starts the command. May throw system errors: a full disk has no room for its output. */
  readonly start: () => CommandRun;
  /** For the next agent. Never throws. */
  readonly keep: (life: KeptLife) => void;
}

export class ServiceLife {
  readonly #ports: ServiceLifePorts;
  readonly #restart: Restart;
  readonly #backoff = new Backoff();
  #run: CommandRun | undefined;
  #startedAt = 0;
  #restarts = 0;
  /** How the command ended the last time. */
  #last: string | undefined;
  /** The delay until the next start, while the command waits for it. */
  #waitsMs: number | undefined;
  #cancelStart: () => void = () => {};
  #isOver = false;

  constructor(ports: ServiceLifePorts, restart: Restart) {
    this.#ports = ports;
    this.#restart = restart;
  }

  begin(): void {
    this.#start();
  }

  /** Continues the life that an earlier agent has begun. `run`: its command, if that still runs. */
  resume(kept: KeptLife | undefined, run: CommandRun | undefined): void {
    this.#restarts = kept?.restarts ?? 0;
    this.#last = kept?.last;
    this.#startedAt = this.#ports.clock.now();
    if (run) this.#follow(run);
    else if (!kept?.isDone) this.#ended({ how: 'ended while no agent ran', isFailure: undefined });
  }

  /** Nothing is started from now on; what runs is another's to end. */
  cancel(): void {
    this.#isOver = true;
    this.#cancelStart();
  }

  /** What is to be said beside, or instead of, how the endpoint's commands are; `undefined`: nothing. */
  status(): string | undefined {
    const again = this.#restarts === 0 ? '' : `, started again ${count(this.#restarts, 'time')}`;
    if (this.#waitsMs !== undefined)
      return `${this.#last}${again}, starts again after ${toSeconds(fromMillis(this.#waitsMs))} s`;
    if (this.#restarts === 0) return undefined;
    if (!this.#run) return `${this.#last}${again}`;
    return `pid ${this.#run.pid}${again}, the last time it ${this.#last}`;
  }

  #start(): void {
    this.#waitsMs = undefined;
    this.#startedAt = this.#ports.clock.now();
    try {
      this.#follow(this.#ports.start());
    } catch (error) {
      this.#ended({ how: `failed: ${(error as Error).message}`, isFailure: true });
    }
  }

  #follow(run: CommandRun): void {
    this.#run = run;
    this.#keep(false);
    run.onEnd((end) => {
      if (this.#run === run && !this.#isOver) this.#ended(end, run);
    });
  }

  #ended(end: CommandEnd, run?: CommandRun): void {
    this.#run = undefined;
    this.#last = end.how;
    const isDone = !isStartedAgain(this.#restart, end);
    this.#keep(isDone);
    if (isDone) return;
    // What it has started in its group would hold its ports.
    run?.signal('SIGKILL');
    this.#waitsMs = this.#backoff.after(this.#ports.clock.now() - this.#startedAt);
    this.#cancelStart = this.#ports.timers.after(this.#waitsMs, () => {
      this.#restarts++;
      this.#start();
    });
  }

  #keep(isDone: boolean): void {
    const { pid, startTime } = this.#run ?? {};
    this.#ports.keep({
      ...(pid !== undefined && { pid }),
      ...(startTime !== undefined && { startTime }),
      restarts: this.#restarts,
      ...(this.#last !== undefined && { last: this.#last }),
      isDone,
    });
  }
}
