/** States of nodes, as words and tones. */
import type { Condition } from '../data/network.ts';
import type { Tone } from '../parts/parts.tsx';

export function conditionTone(condition: Condition | undefined): Tone {
  if (condition === undefined) return 'good';
  return condition === 'failed' || condition === 'unwatched' ? 'warn' : 'bad';
}

/** `process`: the pid of its command, or how it ended; null: it has none. */
export function conditionText(condition: Condition | undefined, process: string | null): string {
  switch (condition) {
    case 'away':
      return 'gone';
    case 'cut off':
      return 'disconnected';
    case 'failed':
      return 'command failed';
    case 'unwatched':
      return 'its agent is silent';
    default:
      return process?.startsWith('pid ') ? 'running' : 'present';
  }
}
