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

/** The same where each pair has up to `lanes` paths, all of which are made from the start. */
export function tooManyLanes(pairs: number, lanes: number, most: number): NetfoldError {
  return new NetfoldError({
    code: 'TOO_MANY_PAIRS',
    blame: 'machine',
    message: `${pairs} pairs of an endpoint of this host and any other, with ${lanes} paths each (ecmp): at most ${most} paths can be shaped`,
    remedy: 'use more hosts, or write a smaller ecmp',
  });
}
