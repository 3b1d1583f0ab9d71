/** Which part of the machine's processors was idle: a machine that has something else to do disturbs a run by itself. */
import { readFileSync } from 'node:fs';
import { parseStat } from '../../agent/health/machine-load.ts';

const read = () => parseStat(readFileSync('/proc/stat', 'utf8'));

export class IdleTime {
  readonly #before = read();

  /** Since it was made. */
  part(): number {
    const now = read();
    return (now.idle - this.#before.idle) / Math.max(1, now.total - this.#before.total);
  }
}
