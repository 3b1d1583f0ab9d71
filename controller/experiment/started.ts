/**
 * When the timeline began. Agents that start later receive how long ago that was, because the date may have been set
 * since. A file keeps it for a later controller.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { type Clock, systemClock } from '../../agent/clock/clock.ts';
import { PRIVATE_FILE, replaceFile } from '../../agent/files/own-files.ts';
import { startFile } from '../names.ts';

export class Started {
  readonly #clock: Clock;
  #known: { readonly date: number; readonly moment: number } | undefined;

  /** `date`: milliseconds since 1970. */
  constructor(date?: number, clock: Clock = systemClock) {
    this.#clock = clock;
    if (date !== undefined) this.set(date);
  }

  /** By the date as it is now; it may be in the future. */
  set(date: number): void {
    this.#known = { date, moment: this.#clock.now() + date - this.#clock.wallNow() };
  }

  /** Milliseconds since 1970, by the date at the time of `set`. */
  get at(): number | undefined {
    return this.#known?.date;
  }

  /** Negative while it is in the future. */
  get agoMs(): number | undefined {
    return this.#known && this.#clock.now() - this.#known.moment;
  }
}

const keptSchema = z.object({ startedAtMs: z.number() });

/** `startAt`: milliseconds since 1970. Throws system errors. */
export function keepStart(experiment: string, startAt: number): void {
  const kept: z.infer<typeof keptSchema> = { startedAtMs: startAt };
  replaceFile(startFile(experiment), JSON.stringify(kept), { mode: PRIVATE_FILE });
}

/** `undefined` if it has not begun, or the file is missing or damaged. */
export function readStart(experiment: string): number | undefined {
  try {
    return keptSchema.parse(JSON.parse(readFileSync(startFile(experiment), 'utf8'))).startedAtMs;
  } catch {
    return undefined;
  }
}
