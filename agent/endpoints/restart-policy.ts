/** Whether a command that has ended is started again, and how soon. Pure. */
import type { Restart } from '../../topology/model/model.ts';
import type { CommandEnd } from './processes.ts';

/**
 * The first delay lets a port be free again, and is hardly seen. Doubled each time: a command that dies at once is
 * started 7 times in the first 12.7 seconds, and then 6 times a minute, whatever it costs to start. One that has run as
 * long as the longest delay does not die at once.
 */
const FIRST_MS = 100;
const LONGEST_MS = 10_000;

/**
 * An end whose code is not known counts as a failure: the command of an agent that was killed is not the next one's
 * child.
 */
export function isStartedAgain(policy: Restart, { isFailure }: CommandEnd): boolean {
  return policy === 'always' || (policy === 'on-failure' && isFailure !== false);
}

export class Backoff {
  #nextMs = FIRST_MS;

  /** How long to wait after a command that has run for `ranMs` milliseconds. */
  after(ranMs: number): number {
    if (ranMs >= LONGEST_MS) this.#nextMs = FIRST_MS;
    const delay = this.#nextMs;
    this.#nextMs = Math.min(LONGEST_MS, 2 * delay);
    return delay;
  }
}
