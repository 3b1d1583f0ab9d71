/**
 * Work that is requested often but need not be done each time. It is done soon, once for all requests meanwhile, and
 * never takes more than a part of the time.
 */
import type { Clock, Timers } from '../clock/clock.ts';

export interface SoonPorts {
  readonly clock: Clock;
  readonly timers: Timers;
}

/** After work, the pause lasts so many times as long: the work takes at most a fifth of one processor. */
const REST = 4;

export class Soon {
  readonly #ports: SoonPorts;
  readonly #work: () => void;
  #restsUntil = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | undefined;

  constructor(ports: SoonPorts, work: () => void) {
    this.#ports = ports;
    this.#work = work;
  }

  ask(): void {
    const { clock, timers } = this.#ports;
    this.#cancel ??= timers.after(Math.max(0, this.#restsUntil - clock.now()), () => this.#run());
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #run(): void {
    const { clock } = this.#ports;
    this.#cancel = undefined;
    const began = clock.now();
    this.#work();
    const ended = clock.now();
    this.#restsUntil = ended + REST * (ended - began);
  }
}
