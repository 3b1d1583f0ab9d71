/** A topology before its timeline begins; every play of the timeline starts from it. */
import { Targets } from '../events/targets.ts';
import { Expansion } from '../fold/graph.ts';
import type { Topology } from '../model/model.ts';
import { presenceBefore } from './late-joiners.ts';
import { Sequences } from './sequences.ts';
import type { Presence } from './state.ts';

export class Beginning {
  readonly topology: Topology;
  readonly expansion: Expansion;
  /** Caches its results for other plays. */
  readonly targets: Targets;
  /** Endpoints whose first event in the file is a join are absent; their other events, and commands, play no part. */
  readonly presence: Presence;
  #sequences: Sequences | undefined;

  /** Throws `TooMuchWork`. */
  constructor(topology: Topology) {
    this.topology = topology;
    this.expansion = new Expansion(topology);
    this.targets = new Targets(topology, this.expansion);
    const actions = topology.events.toSorted((a, b) => a.at - b.at).map(({ action }) => action);
    this.presence = presenceBefore(actions, this.targets, this.expansion.graph);
  }

  /** Throws `TargetError` if one names what is not there (check-sequences.ts). */
  get sequences(): Sequences {
    this.#sequences ??= new Sequences(this.topology, this.targets, this.expansion.graph.endpoints);
    return this.#sequences;
  }
}
