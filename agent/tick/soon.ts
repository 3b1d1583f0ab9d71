/**
 * Work that is asked for often and need not be done each time: it is done soon, once for all that asked meanwhile, and
 * in all never takes more than a part of the time.
 */
import type { Clock, Timers } from '../clock/clock.ts';

export interface SoonPorts {
  readonly clock: Clock;
  readonly timers: Timers;
}

/** After work the rest lasts so many times as long: a fifth of one processor at most. */
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
