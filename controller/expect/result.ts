/** What came out of testing a file. */
import type { Blame } from '../../proto/errors.ts';
import type { Judgement } from '../../topology/judge/judge.ts';

export interface RunResult {
  readonly file: string;
  /** From 1. */
  readonly run: number;
  readonly seconds: number;
  readonly outcome: Judgement['outcome'];
  readonly judgements: readonly Judgement[];
  /** Folder of the record; absent: it was not kept. */
  readonly record?: string;
  /** Of what kept it from running. Absent: it ran. */
  readonly blame?: Blame;
}

/** All must hold; one that fails decides. */
export function outcomeOf(judgements: readonly Judgement[]): Judgement['outcome'] {
  if (judgements.some(({ outcome }) => outcome === 'fails')) return 'fails';
  return judgements.some(({ outcome }) => outcome === 'inconclusive') ? 'inconclusive' : 'holds';
}

/** Two-sided 95 % of a normal distribution. */
const Z95 = 1.96;

/** The 95 % confidence interval of a probability, from `count` of `total` (Wilson 1927). */
export function wilson(count: number, total: number): { low: number; high: number } {
  const part = count / total;
  const square = Z95 ** 2;
  const centre = part + square / (2 * total);
  const half = Z95 * Math.sqrt((part * (1 - part)) / total + square / (4 * total ** 2));
  const whole = 1 + square / total;
  return { low: Math.max(0, (centre - half) / whole), high: Math.min(1, (centre + half) / whole) };
}
