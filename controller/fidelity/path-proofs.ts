/** Proof per path that its rule is in force: from the agents of both of its ends. Pure. */
import type { EndpointProof, PathProof } from '../../proto/view.ts';
import type { HostProofs } from './verdict.ts';

/** A row of `netfold verdict --paths --json`. */
export interface PathRow extends PathProof {
  /** The hosts of its ends; null: not known. */
  readonly fromHost: string | null;
  readonly toHost: string | null;
  /** Since when the rules of both ends are as they should be; null where one of them was not read back. */
  readonly inForceSince: string | null;
  /** When the one that waits longest was read back. */
  readonly readBackAt: string | null;
  /** Not before the rules were in force. */
  readonly worksSince: string | null;
}

export function pathRows(proofs: readonly HostProofs[]): PathRow[] {
  const ends = new Map(proofs.flatMap(({ endpoints }) => endpoints).map((one) => [one.endpoint, one]));
  return proofs
    .flatMap(({ paths }) => paths)
    .map((path) => rowOf(path, ends.get(path.from), ends.get(path.to)))
    .sort((a, b) => compare(a.from, b.from) || compare(a.to, b.to));
}

function rowOf(path: PathProof, from: EndpointProof | undefined, to: EndpointProof | undefined): PathRow {
  const since = [from?.inForceSince, to?.inForceSince, path.setSince];
  const read = [from?.readBackAt, to?.readBackAt];
  const inForceSince = since.every(isKnown) ? since.toSorted(compare).at(-1)! : null;
  return {
    ...path,
    fromHost: from?.host ?? null,
    toHost: to?.host ?? null,
    inForceSince,
    worksSince: worksSince(path, inForceSince),
    readBackAt: read.every(isKnown) ? read.toSorted(compare)[0]! : null,
  };
}

/** What was put back at either end begins anew: then it is seen to work again. */
function worksSince({ worksSince: first, workedAt }: PathProof, inForceSince: string | null): string | null {
  if (first === null || workedAt === null || inForceSince === null || workedAt < inForceSince) return null;
  return first > inForceSince ? first : inForceSince;
}

const isKnown = (date: string | null | undefined): date is string => typeof date === 'string';
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
