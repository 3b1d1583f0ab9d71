/** Which of several clocks are right: those with which most agree. */
import { micros } from '../../proto/units.ts';
import { STEP_MICROS } from './experiment-clock.ts';

/** A clock as one host sees it; `offset` is relative to its own, and at most `error` off. Microseconds. */
export interface Voter {
  readonly offset: number;
  readonly error: number;
}

/** Who answers late makes his error large. Beyond this, it excuses no difference. */
const LARGEST_EXCUSE = micros(250_000);

export interface Verdict<Of extends Voter> {
  /** Those with which more than half of all agree, themselves included. */
  readonly right: ReadonlySet<Of>;
  /** The rest, if there are right ones. If there are none, nobody knows who is wrong. */
  readonly wrong: ReadonlySet<Of>;
}

/**
 * Clocks agree if they differ by no more than their errors and `STEP_MICROS`: what is gradually corrected is no
 * contradiction.
 */
export function vote<Of extends Voter>(voters: readonly Of[]): Verdict<Of> {
  const right = voters.filter(
    (one) => voters.filter((other) => agree(one, other)).length * 2 > voters.length,
  );
  const wrong = right.length === 0 ? [] : voters.filter((one) => !right.includes(one));
  return { right: new Set(right), wrong: new Set(wrong) };
}

function agree(a: Voter, b: Voter): boolean {
  const excuse = Math.min(a.error, LARGEST_EXCUSE) + Math.min(b.error, LARGEST_EXCUSE);
  return Math.abs(a.offset - b.offset) <= excuse + STEP_MICROS;
}
