/**
 * Reads back what is in force at an endpoint soon after the kernel has announced a change there. Somebody who changes things in a loop
 * gets neither the processor nor the attention that others need: looks at one endpoint are paced, and all of them together have a
 * bounded part of the processor.
 */
import type { Clock } from '../clock/clock.ts';
import type { ChangeWatch } from '../enforce/ports.ts';

/** How often announcements are read: two system calls. */
export const WATCH_MS = 50;
/** Between two looks at an endpoint. */
const LEAST_MS = 50;
/** What is put back again and again is put back after twice the time each time, up to this … */
export const MOST_MS = 1000;
/** … until nobody has changed it for so long. */
const CALM_MS = 5000;
/** After a look, its endpoint rests so many times as long, and after a turn of looks all do: a tenth of one processor. */
const REST = 9;
/** Of one turn; what is left has the next one. */
const TURN_MS = 5;

interface Pace {
  /** No look before this. */
  notBefore: number;
  /** How long the next correction makes it rest. */
  waitMs: number;
  correctedAt: number;
}

export interface PromptLooksPorts {
  readonly clock: Clock;
  readonly changes: Pick<ChangeWatch, 'take'>;
  /** Reads back and puts back. Returns whether something had to be. */
  readonly look: (endpoint: number) => boolean;
}

export class PromptLooks {
  readonly #ports: PromptLooksPorts;
  /** The one that waits longest first. */
  readonly #waiting = new Set<number>();
  readonly #paces = new Map<number, Pace>();
  #restsUntil = Number.NEGATIVE_INFINITY;

  constructor(ports: PromptLooksPorts) {
    this.#ports = ports;
  }

  /** What was announced until now needs no look: all is read back anyway. */
  forget(): void {
    this.#ports.changes.take();
    this.#waiting.clear();
  }

  /** To be called every `WATCH_MS`. `mayLook`: otherwise what is announced waits. */
  turn(mayLook: boolean): void {
    const { clock } = this.#ports;
    const began = clock.now();
    if (began < this.#restsUntil) return;
    for (const endpoint of this.#ports.changes.take()) this.#waiting.add(endpoint);
    if (mayLook) this.#lookAll(began + TURN_MS);
    const ended = clock.now();
    this.#restsUntil = ended + REST * (ended - began);
  }

  #lookAll(until: number): void {
    const { clock, look } = this.#ports;
    for (const endpoint of this.#waiting) {
      const began = clock.now();
      if (began >= until) return;
      const pace = this.#paces.get(endpoint);
      if (pace && began < pace.notBefore) continue;
      this.#waiting.delete(endpoint);
      const isCorrected = look(endpoint);
      this.#pace(endpoint, clock.now(), clock.now() - began, isCorrected);
    }
  }

  #pace(endpoint: number, now: number, tookMs: number, isCorrected: boolean): void {
    const before = this.#paces.get(endpoint);
    const isCalm = !before || now - before.correctedAt > CALM_MS;
    const waitMs = isCalm ? LEAST_MS : before.waitMs;
    this.#paces.set(endpoint, {
      notBefore: now + Math.max(isCorrected ? waitMs : LEAST_MS, REST * tookMs),
      waitMs: isCorrected ? Math.min(MOST_MS, 2 * waitMs) : waitMs,
      correctedAt: isCorrected ? now : (before?.correctedAt ?? Number.NEGATIVE_INFINITY),
    });
  }
}
