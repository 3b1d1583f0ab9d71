/** The same on all hosts at once: none waits for another, and one that fails does not keep the others from their end. */
import { NetfoldError } from '../../proto/errors.ts';
import { count } from '../../proto/words.ts';
import { withCode } from '../system-errors.ts';
import { InjectError } from './ssh/errors.ts';

export interface Outcome<T> {
  readonly host: string;
  readonly value?: T;
  readonly error?: NetfoldError;
}

export type OnOutcome<T> = (outcome: Outcome<T>) => unknown;

/** In the order of the hosts. `onOutcome` is called for each as soon as it is known. Errors without a code are thrown at the end. */
export async function onEachHost<H extends { readonly name: string }, T>(
  hosts: readonly H[],
  action: (host: H) => Promise<T>,
  onOutcome?: OnOutcome<T>,
): Promise<Outcome<T>[]> {
  const all = hosts.map(async (host): Promise<Outcome<T>> => {
    const outcome = await action(host).then(
      (value): Outcome<T> => ({ host: host.name, value }),
      (error: unknown): Outcome<T> => {
        const known = withCode(error);
        if (known instanceof NetfoldError) return { host: host.name, error: known };
        throw error;
      },
    );
    onOutcome?.(outcome);
    return outcome;
  });
  const ended = await Promise.allSettled(all);
  return ended.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
}

export const failed = (outcomes: readonly Outcome<unknown>[]): NetfoldError[] =>
  outcomes.flatMap(({ error }) => (error ? [error] : []));

/** Throws `HOSTS_FAILED`, or the error itself where it is a single host's. `then`: what became of the others. */
export function requireAll(outcomes: readonly Outcome<unknown>[], doing: string, then: string): void {
  const errors = failed(outcomes);
  if (errors.length === 0) return;
  const [first] = errors;
  const message = `${doing}: ${count(errors.length, 'host')} of ${outcomes.length} failed (${first!.message})`;
  throw new InjectError('HOSTS_FAILED', message, then, first);
}
