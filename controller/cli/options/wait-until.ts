/** Waits of any length. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Longer waits don't fit a timer. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

/** Until a date, in milliseconds since 1970. */
export async function waitUntil(wallMs: number): Promise<void> {
  for (let left = wallMs - Date.now(); left > 0; left = wallMs - Date.now())
    await sleep(Math.min(left, LONGEST_WAIT_MS));
}
