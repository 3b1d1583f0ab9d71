/**
 * Kinds of sleeps, by their length: what a processor does when it has nothing to do, and how much of the caches is left
 * afterwards, depends on that. Pure.
 */

/** A sleep of kind k is at most this long, in milliseconds; those of the last kind are longer. Powers of four. */
const LONGEST_MS = [0.25, 1, 4, 16, 64] as const;

export const SLEEP_KINDS = LONGEST_MS.length + 1;

/** Of a thread that is awake: it has released packets just now, or has spun. */
export const AWAKE = 0;

export function sleepKind(milliseconds: number): number {
  let kind = 0;
  while (kind < LONGEST_MS.length && milliseconds > LONGEST_MS[kind]!) kind++;
  return kind;
}
