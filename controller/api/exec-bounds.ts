/** How long commands that somebody asks for may run, and how many at once: each is a process of netfold's and one of the command's. */
import { fromSeconds, micros, parseDuration, toMillis } from '../../proto/units.ts';
import { ApiError } from './errors.ts';

const MOST_AT_ONCE = 32;
const LONGEST = micros(fromSeconds(10 * 60));

/** Of a request. Throws `REQUEST_MALFORMED`. */
export function timeoutMsOf(timeout: string): number {
  const longest = parseDuration(timeout);
  if (longest <= LONGEST) return toMillis(longest);
  throw new ApiError(
    'REQUEST_MALFORMED',
    `body.timeout: ${timeout} is longer than 10m`,
    'run it by a command `run`',
  );
}

export class ExecSlots {
  #running = 0;

  /** Throws `TOO_MUCH_AT_ONCE`. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= MOST_AT_ONCE)
      throw new ApiError(
        'TOO_MUCH_AT_ONCE',
        `${MOST_AT_ONCE} commands run already`,
        'wait for one of them to end',
      );
    this.#running++;
    try {
      return await work();
    } finally {
      this.#running--;
    }
  }
}
