/** Causes → verdict. Apart from the judge, since commands need no more than this. */
import type { VerdictState } from '../../proto/status.ts';

/** The verdict that follows from these causes, whether or not they have ended. */
export function stateOf(causes: Iterable<{ readonly weight: 'degraded' | 'invalid' }>): VerdictState {
  let state: VerdictState = 'faithful';
  for (const { weight } of causes) {
    if (weight === 'invalid') return 'invalid';
    state = 'degraded';
  }
  return state;
}
