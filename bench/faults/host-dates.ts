/** Sets the date of one host, as its agent reads it (stepped-date.ts); all others keep the machine's. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Prefix of the folder with the dates; the process id follows. */
export const DATES_PREFIX = 'netfold-dates-';

const PRELOAD = join(import.meta.dirname, 'stepped-date.ts');

export class HostDates {
  readonly #folder: string;
  readonly #before = process.env.NODE_OPTIONS;

  /** Agents that are started from now on have a date of their own, until `stop`. `hosts`: their names. */
  constructor(hosts: readonly string[]) {
    this.#folder = mkdtempSync(join(tmpdir(), `${DATES_PREFIX}${process.pid}-`));
    for (const host of hosts) this.set(host, 0);
    process.env.NETFOLD_FAULT_DATES = this.#folder;
    process.env.NODE_OPTIONS = [this.#before, `--import=${PRELOAD}`].filter(Boolean).join(' ');
  }

  /** `byMs`: by how much the host's date is ahead of the machine's, in milliseconds. */
  set(host: string, byMs: number): void {
    writeFileSync(join(this.#folder, host), `${byMs}\n`);
  }

  stop(): void {
    if (this.#before === undefined) delete process.env.NODE_OPTIONS;
    else process.env.NODE_OPTIONS = this.#before;
    delete process.env.NETFOLD_FAULT_DATES;
    rmSync(this.#folder, { recursive: true });
  }
}
