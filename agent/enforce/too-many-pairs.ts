import { NetfoldError } from '../../proto/errors.ts';
import type { DelayBackend } from './ports.ts';

/** The error for more pairs than a delay backend can have. */
export function tooManyPairs(
  count: number,
  { name, pairs }: Pick<DelayBackend, 'name' | 'pairs'>,
): NetfoldError {
  return new NetfoldError({
    code: 'TOO_MANY_PAIRS',
    blame: 'machine',
    message: `${count} pairs of an endpoint of this host and any other: with ${name} at most ${pairs.atMost} can be shaped`,
    remedy: 'use --delay-backend delay-line, which makes what is used, or more hosts',
  });
}
