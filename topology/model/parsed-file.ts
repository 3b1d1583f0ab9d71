/** What each format gives before the timeline is checked, which may have events of another file as well. */
import type { TopologyEvent } from './events.ts';
import type { Topology } from './model.ts';

export interface ParsedFile {
  /** Names, links and limits are checked; whether the events can be carried out is not. */
  readonly topology: Topology;
  /** How messages call an event of the file. */
  readonly fieldOf: (event: TopologyEvent) => string;
  /** Services that were left out because they are Kollaps' own. */
  readonly supervisors: ReadonlySet<string>;
  /** Services whose schedule decides which replica each join starts. */
  readonly withoutReuse: ReadonlySet<string>;
}
