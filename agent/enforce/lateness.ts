/**
 * Whether held packets leave on time, by the delay line's own measurements: the mean of the last seconds. netem, whose
 * packets wait in the kernel, measures nothing.
 */
import { millisToSeconds } from '../../proto/units.ts';
import type { DelayWork } from './ports.ts';

/** How often the mean is taken, of the packets since the last time. */
export const LATENESS_MS = 5000;
/** Of fewer packets, one that is late says nothing about the others. */
export const LEAST_PACKETS = 100;
/** The mean by which packets of a faithful run may be late. On a machine that has time for it, it is below 0.1 ms. */
export const MOST_LATE_MS = 1;

/** Work that was done, of which the mean can be taken. */
type Released = Pick<DelayWork, 'released' | 'lateMs'>;

/** Mean lateness in milliseconds; `undefined` of no packets. */
export function meanLateMs({ released, lateMs }: Released): number | undefined {
  return released === 0 ? undefined : lateMs / released;
}

export class Lateness {
  #before: Released = { released: 0, lateMs: 0 };
  #problem: string | undefined;

  /** In words, while packets are late. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** What was done until now says nothing: of the trials before the start, for instance, which come all at once. */
  begin(work: Released | undefined): void {
    if (work) this.#before = { released: work.released, lateMs: work.lateMs };
  }

  /** To be called every `LATENESS_MS`, with the work since the start. */
  observe(work: Released | undefined): void {
    if (!work) return;
    const { released, lateMs } = work;
    const packets = released - this.#before.released;
    const mean = (lateMs - this.#before.lateMs) / packets;
    this.#before = { released, lateMs };
    const isLate = packets >= LEAST_PACKETS && mean > MOST_LATE_MS;
    this.#problem = isLate ? describe(packets, mean) : undefined;
  }
}

function describe(packets: number, meanMs: number): string {
  const during = `the last ${millisToSeconds(LATENESS_MS)} s`;
  return `${packets} packets of ${during} left ${meanMs.toFixed(1)} ms late on average: this machine is too busy for its endpoints; leave some of its processor time free, or use more hosts`;
}
