/** What the cost bench measures: the same traffic in a lab that shapes it in one of several ways. */
import type { CpuUse } from '../measure/cpu/cpu-watch.ts';

/** `none`: the lab without any shaping; `htb`: one class at each endpoint, set with tc by hand. */
export const WAYS = ['none', 'htb', 'netfold'] as const;
export type Way = (typeof WAYS)[number];

export const WAY_NAMES: Readonly<Record<Way, string>> = {
  none: 'without shaping',
  htb: 'HTB by hand',
  netfold: 'netfold',
};

/** One way in one round. */
export interface Cost {
  readonly use: CpuUse;
  /** What was carried: full frames of data, or echo requests and answers. */
  readonly packetsPerSecond: number;
}

export type Round = Readonly<Record<Way, Cost>>;

export interface Workload {
  readonly id: string;
  /** `200-node dumbbell`. */
  readonly name: string;
  /** What one of its packets is. */
  readonly packet: string;
  /** What all applications together send. */
  readonly packetsPerSecond: number;
  /** The machine while there are neither endpoints nor traffic. */
  readonly nothing: CpuUse;
  readonly rounds: readonly Round[];
}

/** The order of the ways in a round: each is the first once, so that a machine that warms up favours none. */
export function orderOf(round: number): Way[] {
  const first = round % WAYS.length;
  return [...WAYS.slice(first), ...WAYS.slice(0, first)];
}
