/**
 * The command of a service in one life of an endpoint: it waits for other services, is started, becomes ready, and is
 * started again after its end, as the service says. A crash or a leave ends the life, and with it all that was to be done.
 */
import { fromMillis, toSeconds } from '../../proto/units.ts';
import { count } from '../../proto/words.ts';
import type { Restart } from '../../topology/model/model.ts';
import type { Clock, Timers } from '../clock/clock.ts';
import type { KeptLife } from './kept-life.ts';
import type { CommandEnd, CommandRun } from './processes.ts';
import type { Readiness } from './readiness.ts';
import { Backoff, isStartedAgain } from './restart-policy.ts';

export interface ServiceLifePorts {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Starts the command. May throw system errors: a full disk has no room for its output. */
  readonly start: () => CommandRun;
  /** For the next agent. Never throws. */
  readonly keep: (life: KeptLife) => void;
  /** Calls `begin` when the services are ready that this one waits for; returns what ends the wait. */
  readonly wait: (begin: () => void) => () => void;
  /** The services that are waited for and are not ready. */
  readonly waitsFor: () => readonly string[];
  /** Bytes of the log so far. */
  readonly logSize: () => number;
  /** Looks from now on whether the service is ready; `undefined`: it is, as soon as it has started. */
  readonly watch: (logFrom: number, onReady: () => void) => Readiness | undefined;
  /** The service is ready, or not any more. */
  readonly onReady: () => void;
}

export interface ServiceLifePlan {
  readonly restart: Restart;
  /** Until it should be ready, in words; `undefined`: it is as soon as it has started. */
  readonly timeout: string | undefined;
}

export class ServiceLife {
  readonly #ports: ServiceLifePorts;
  readonly #plan: ServiceLifePlan;
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
  #isWaiting = false;
  #isReady = false;
  #isDone = false;
  #readiness: Readiness | undefined;
  #logFrom = 0;

  constructor(ports: ServiceLifePorts, plan: ServiceLifePlan) {
    this.#ports = ports;
    this.#plan = plan;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  begin(): void {
    this.#isWaiting = true;
    const cancel = this.#ports.wait(() => {
      this.#isWaiting = false;
      this.#start();
    });
    // It may have been called already.
    if (!this.#isWaiting) return;
    this.#cancelStart = cancel;
    this.#keep();
  }

  /** Continues the life that an earlier agent has begun. `run`: its command, if that still runs. */
  resume(kept: KeptLife | undefined, run: CommandRun | undefined): void {
    if (kept?.isWaiting) {
      this.begin();
      return;
    }
    this.#restarts = kept?.restarts ?? 0;
    this.#last = kept?.last;
    this.#logFrom = kept?.logFrom ?? 0;
    this.#startedAt = this.#ports.clock.now();
    this.#isDone = kept?.isDone ?? false;
    this.#setReady(kept?.isReady ?? false);
    if (!run && !this.#isDone) {
      this.#ended({ how: 'ended while no agent ran', isFailure: undefined });
      return;
    }
    if (!this.#isReady) this.#watch();
    if (run) this.#follow(run);
  }

  /** Nothing is started from now on; what runs is another's to end. */
  cancel(): void {
    this.#isOver = true;
    this.#cancelStart();
    this.#readiness?.stop();
  }

  /** What is to be said of the endpoint's commands. `own`: what is said without that; `undefined`: nothing. */
  status(own: string | undefined): string | undefined {
    if (this.#isWaiting) {
      const services = this.#ports.waitsFor();
      return services.length === 0 ? 'is about to start' : `waits for ${services.join(', ')}`;
    }
    const again = this.#restarts === 0 ? '' : `, started again ${count(this.#restarts, 'time')}`;
    if (this.#waitsMs !== undefined)
      return `${this.#last}${again}, starts again after ${toSeconds(fromMillis(this.#waitsMs))} s`;
    const ready = this.#readyWords();
    if (this.#restarts === 0) return own && `${own}${ready}`;
    if (!this.#run) return `${this.#last}${again}${ready}`;
    const { pid } = this.#run;
    return `${pid === undefined ? (own ?? 'runs') : `pid ${pid}`}${ready}${again}, the last time it ${this.#last}`;
  }

  #readyWords(): string {
    const { timeout } = this.#plan;
    if (timeout === undefined) return '';
    if (this.#isReady) return ', ready';
    return this.#readiness?.isLate ? `, not ready after ${timeout}` : ', not ready yet';
  }

  #watch(): void {
    this.#readiness?.stop();
    this.#readiness = this.#ports.watch(this.#logFrom, () => {
      this.#setReady(true);
      this.#keep();
    });
    if (!this.#readiness) this.#setReady(true);
  }

  #setReady(isReady: boolean): void {
    if (this.#isReady === isReady) return;
    this.#isReady = isReady;
    this.#ports.onReady();
  }

  #start(): void {
    this.#waitsMs = undefined;
    this.#isDone = false;
    this.#startedAt = this.#ports.clock.now();
    this.#logFrom = this.#ports.logSize();
    try {
      const run = this.#ports.start();
      if (run.started) this.#watchFrom(run, run.started);
      else this.#watch();
      this.#follow(run);
    } catch (error) {
      this.#ended({ how: `failed: ${(error as Error).message}`, isFailure: true });
    }
  }

  /** What takes a while to start is not ready before. */
  #watchFrom(run: CommandRun, started: Promise<void>): void {
    void started.then(() => {
      if (this.#run === run && !this.#isOver) this.#watch();
    });
  }

  #follow(run: CommandRun): void {
    this.#run = run;
    this.#keep();
    run.onEnd((end) => {
      if (this.#run === run && !this.#isOver) this.#ended(end, run);
    });
  }

  #ended(end: CommandEnd, run?: CommandRun): void {
    this.#run = undefined;
    this.#last = end.how;
    this.#isDone = !isStartedAgain(this.#plan.restart, end);
    // One that ends well may have left a daemon, or its work: it stays ready, or may still become so.
    if (!this.#isDone || (this.#plan.timeout !== undefined && end.isFailure)) {
      this.#readiness?.stop();
      this.#setReady(false);
    }
    this.#keep();
    if (this.#isDone) return;
    // What it has started in its group would hold its ports.
    run?.signal('SIGKILL');
    this.#waitsMs = this.#backoff.after(this.#ports.clock.now() - this.#startedAt);
    this.#cancelStart = this.#ports.timers.after(this.#waitsMs, () => {
      this.#restarts++;
      this.#start();
    });
  }

  #keep(): void {
    const { pid, startTime } = this.#run ?? {};
    this.#ports.keep({
      ...(pid !== undefined && { pid }),
      ...(startTime !== undefined && { startTime }),
      restarts: this.#restarts,
      ...(this.#last !== undefined && { last: this.#last }),
      ...{ isDone: this.#isDone, isWaiting: this.#isWaiting, isReady: this.#isReady, logFrom: this.#logFrom },
    });
  }
}
