/** What is known of a topology before its timeline begins; every play of the timeline starts from it. */
import { Targets } from '../events/targets.ts';
import { Expansion } from '../fold/graph.ts';
import type { Topology } from '../model/model.ts';
import { presenceBefore } from './late-joiners.ts';
import type { Presence } from './state.ts';

export class Beginning {
  readonly topology: Topology;
  readonly expansion: Expansion;
  /** Remembers what it has found, so that another play finds it at once. */
  readonly targets: Targets;
  /** What first joins on the file's timeline is absent; what else happens to it, and who commands it, plays no part. */
  readonly presence: Presence;

  /** Throws `TooMuchWork`. */
  constructor(topology: Topology) {
    this.topology = topology;
    this.expansion = new Expansion(topology);
    this.targets = new Targets(topology, this.expansion);
    const actions = topology.events.toSorted((a, b) => a.at - b.at).map(({ action }) => action);
    this.presence = presenceBefore(actions, this.targets, this.expansion.graph);
  }
}
