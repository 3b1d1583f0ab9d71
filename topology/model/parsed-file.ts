/** The result of each format before the timeline is checked, which may contain events of another file as well. */
import type { TopologyEvent } from './events.ts';
import type { Topology } from './model.ts';

export interface ParsedFile {
  /** The file as it is without variables and other files: one text that gives the same topology. */
  readonly expanded?: () => string;
  /** Names, links and limits were checked; whether the events can be played was not. */
  readonly topology: Topology;
  /** The name of an event of the file in messages. */
  readonly fieldOf: (event: TopologyEvent) => string;
  /** Kollaps' own services, which were left out. */
  readonly supervisors: ReadonlySet<string>;
  /** Whether of events of one instant that contradict each other the later one holds; otherwise they are refused. */
  readonly laterHolds: boolean;
  /** Services whose schedule determines which replica each join starts. */
  readonly withoutReuse: ReadonlySet<string>;
}
