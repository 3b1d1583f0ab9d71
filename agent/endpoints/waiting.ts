/** Commands that wait until other services are ready, on whatever host those are. */
import type { Timers } from '../clock/clock.ts';

/** Beside the time that a process takes to start it is little; nothing is looked at while nobody waits. */
const LOOK_MS = 100;

export interface WaitingPorts {
  readonly timers: Timers;
  /** The numbers of a service's endpoints. */
  readonly endpointsOf: (service: string) => readonly number[];
  readonly isPresent: (endpoint: number) => boolean;
  readonly isReady: (endpoint: number) => boolean;
}

interface Waiter {
  readonly services: readonly string[];
  readonly begin: () => void;
}

export class Waiting {
  readonly #ports: WaitingPorts;
  readonly #waiters = new Set<Waiter>();
  #stopLooking: (() => void) | undefined;

  constructor(ports: WaitingPorts) {
    this.#ports = ports;
  }

  /** Calls `begin` once, now or later; returns what ends the wait. */
  wait(services: readonly string[], begin: () => void): () => void {
    if (this.unready(services).length === 0) {
      begin();
      return () => {};
    }
    const waiter = { services, begin };
    this.#waiters.add(waiter);
    this.#stopLooking ??= this.#ports.timers.every(LOOK_MS, () => this.#look());
    return () => this.#forget(waiter);
  }

  /** Those of the services of which an endpoint that is present is not ready. */
  unready(services: readonly string[], known = new Map<string, boolean>()): string[] {
    return services.filter((service) => {
      const isReady = known.get(service) ?? this.#isReady(service);
      known.set(service, isReady);
      return !isReady;
    });
  }

  #isReady(service: string): boolean {
    const { endpointsOf, isPresent, isReady } = this.#ports;
    return endpointsOf(service).every((number) => !isPresent(number) || isReady(number));
  }

  /** Thousands may wait for the same service. */
  #look(): void {
    const known = new Map<string, boolean>();
    for (const waiter of [...this.#waiters]) {
      if (!this.#waiters.has(waiter) || this.unready(waiter.services, known).length > 0) continue;
      this.#forget(waiter);
      waiter.begin();
    }
  }

  #forget(waiter: Waiter): void {
    this.#waiters.delete(waiter);
    if (this.#waiters.size > 0) return;
    this.#stopLooking?.();
    this.#stopLooking = undefined;
  }
}
