/**
 * The timeline of a running experiment, played in steps: every agent plays the same file, so all come to the same
 * topologies at the same instants. Pure: time comes with each call.
 */
import type { Micros } from '../../proto/units.ts';
import type { TopologyEvent } from '../../topology/events/model.ts';
import type { TargetError } from '../../topology/events/targets.ts';
import { graphOf } from '../../topology/graph-at.ts';
import type { Graph, Topology } from '../../topology/model.ts';
import type { Atom } from '../../topology/state.ts';
import { Timeline } from '../../topology/timeline.ts';

/** What happened up to an instant. */
export interface Moment {
  /** All changes, in order. */
  readonly atoms: readonly Atom[];
  /** The topology after them; `undefined`: it is the same as before. */
  readonly graph: Graph | undefined;
}

/** These happen to processes; the graph stays as it is. */
const WITHOUT_EPOCH: ReadonlySet<Atom['verb']> = new Set(['run', 'signal', 'quit']);

export class Player {
  readonly #timeline: Timeline;
  #atoms: Atom[] = [];
  #epoch = 0;

  /** `onProblem`: an event finds nothing to do; it then changes nothing. */
  constructor(topology: Topology, onProblem: (event: TopologyEvent, error: TargetError) => void) {
    this.#timeline = new Timeline(topology, onProblem, (atom) => this.#atoms.push(atom));
  }

  /** How many versions of the topology there have been before this one. Several changes at one instant make one. */
  get epoch(): number {
    return this.#epoch;
  }

  /** When something is due next; `undefined` at the end. */
  get nextAt(): Micros | undefined {
    return this.#timeline.nextAt;
  }

  get graph(): Graph {
    return graphOf(this.#timeline.state);
  }

  isPresent(endpoint: number): boolean {
    return this.#timeline.state.present[endpoint] === 1;
  }

  /** Plays everything that is due until and including `at`. */
  advance(at: Micros): Moment {
    this.#atoms = [];
    this.#timeline.advance(at);
    const atoms = this.#atoms;
    const changing = atoms.filter(({ verb }) => !WITHOUT_EPOCH.has(verb));
    this.#epoch += new Set(changing.map((atom) => atom.at)).size;
    return { atoms, graph: changing.length > 0 ? this.graph : undefined };
  }
}
