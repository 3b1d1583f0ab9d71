/**
 * The promise of the delay line's threads that somebody serves their queues: good for some seconds, and renewed while they run.
 * What arrives at an endpoint after it has run out passes by the queue (`is_unattended`, bpf/passing.h). A process that has
 * ended has no queues, and the rule's `bypass` lets everything pass; one that is stopped (SIGSTOP, a debugger, the freezer of
 * its cgroup) keeps them, and would cut its endpoints off for as long as it is stopped.
 */
import { millisToNanos } from '../../../proto/units.ts';
import { kernelMonotonicNanos } from '../../kernel/bpf/kernel-clock.ts';
import { BatchMap } from '../../kernel/bpf/libbpf.ts';
import { ATTENDED } from '../objects/bpf-layout.ts';

/**
 * Longer than threads wait for a processor on a crowded machine, and shorter than most programs wait for an answer. A machine
 * that sleeps, as with its lid closed, does not use it up: CLOCK_MONOTONIC stands still meanwhile.
 */
export const PROMISE_MS = 5000;
export const RENEWED_EVERY_MS = 1000;

export class Attendance {
  readonly #map: BatchMap;

  /** `fd`: of the map `attended`. */
  constructor(fd: number) {
    this.#map = new BatchMap({ fd, keySize: 4, valueSize: 8, capacity: 1 });
  }

  /** Throws `KernelError`. */
  renew(milliseconds = PROMISE_MS): void {
    const until = kernelMonotonicNanos() + BigInt(Math.round(millisToNanos(milliseconds)));
    this.#map.update(keyOf(ATTENDED.until), new Uint8Array(BigUint64Array.of(until).buffer), 1);
  }

  /** How many packets have passed by the queues since nobody served them. Throws `KernelError`. */
  get passed(): number {
    const value = this.#map.lookup(keyOf(ATTENDED.passed));
    return value ? Number(new BigUint64Array(value.buffer)[0]) : 0;
  }
}

const keyOf = (index: number): Uint8Array => new Uint8Array(Uint32Array.of(index).buffer);
