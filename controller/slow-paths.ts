/** Paths for which the real network is too slow, in words. */
import type { SlowPaths } from '../proto/status.ts';
import { count } from '../proto/words.ts';

/** The worst of them; `--json` has more. */
const NAMED = 3;

/** `undefined`: there are none. */
export function slowPathsText({ count: all, worst }: SlowPaths): string | undefined {
  if (all === 0) return undefined;
  const named = worst
    .slice(0, NAMED)
    .map(
      ({ from, to, latencyMs, byMs }) =>
        `${from} > ${to} (${milliseconds(latencyMs)}) by ${milliseconds(byMs)}`,
    );
  const more = all > named.length ? `, and ${count(all - named.length, 'more path')}` : '';
  return `the real network is too slow for ${named.join(', ')}${more}`;
}

/** `30.05 ms`. */
export const milliseconds = (value: number): string => `${Number(value.toFixed(2))} ms`;
