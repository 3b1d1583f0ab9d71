/** The effect of events on the number of a service's replicas. */
import type { Micros } from '../../proto/units.ts';
import type { Amount } from './events.ts';

/** Some replicas of a service join or leave. */
export interface PopulationChange {
  readonly at: Micros;
  readonly direction: 'join' | 'leave';
  /** A share counts of those present; absent: all that have joined and left, or all present. */
  readonly amount?: Amount;
}

/** The changes to a service with these tags, in the order of the events. May throw `TooMuchWork`. */
export type PopulationOf = (service: string, tags: readonly string[]) => readonly PopulationChange[];
