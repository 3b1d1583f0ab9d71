/**
 * The timeline of a running experiment: what the file says, and the commands that were given meanwhile, as one sequence
 * that every agent plays alike. Pure: time comes with each call.
 *
 * A command that comes to know late, for an instant that is over, is played where it belongs: everything is played anew
 * up to now. Agents that heard of it at different moments then agree again.
 */
import type { Micros } from '../../proto/units.ts';
import { micros } from '../../proto/units.ts';
import type { TopologyEvent } from '../../topology/events/model.ts';
import type { TargetError } from '../../topology/events/targets.ts';
import { graphOf } from '../../topology/graph-at.ts';
import type { Graph, Topology } from '../../topology/model.ts';
import type { Atom } from '../../topology/state.ts';
import { Timeline } from '../../topology/timeline.ts';

/** What a stretch of time has changed. */
export interface Moment {
  /** The newest instant at which something was due; `undefined`: nothing was. */
  readonly at: Micros | undefined;
  /** What is new, in order. What is played anew is not new. */
  readonly atoms: readonly Atom[];
  /** The topology after it, where it is another one. */
  readonly graph: Graph | undefined;
}

export interface PlayedCommand {
  /** A name of its own among all commands: same here and on every other host. */
  readonly id: string;
  readonly event: TopologyEvent;
  /** What was given before this one is undone. */
  readonly isReset: boolean;
}

/** These happen to processes; the graph stays as it is. */
const WITHOUT_EPOCH: readonly Atom['verb'][] = ['run', 'signal', 'quit'];

export class Player {
  readonly #topology: Topology;
  readonly #onProblem: (event: TopologyEvent, error: TargetError) => void;
  #timeline: Timeline;
  #commands: readonly PlayedCommand[] = [];
  #atoms: Atom[] = [];
  /** Up to when it has been played; -1 before the start. */
  #now = -1;
  /** Counts what changes the topology. */
  #epoch = 0;

  /** `onProblem`: an event finds nothing to do (all it names are gone, say); it changes nothing then. */
  constructor(topology: Topology, onProblem: (event: TopologyEvent, error: TargetError) => void) {
    this.#topology = topology;
    this.#onProblem = onProblem;
    this.#timeline = this.#fresh();
  }

  /** How many versions of the topology there have been; 0 at the start. */
  get epoch(): number {
    return this.#epoch;
  }

  get commands(): readonly PlayedCommand[] {
    return this.#commands;
  }

  get nextAt(): Micros | undefined {
    return this.#timeline.nextAt;
  }

  /** Per endpoint: whether it takes part now. */
  get present(): Uint8Array {
    return this.#timeline.state.present;
  }

  get graph(): Graph {
    return graphOf(this.#timeline.state);
  }

  /** Plays everything that is due until and including `at`. */
  advance(at: Micros): Moment {
    this.#atoms = [];
    this.#timeline.advance(at);
    this.#now = Math.max(this.#now, at);
    return this.#moment(this.#atoms);
  }

  /** Sets all commands that are known, in their order. Nothing is played that is not due yet. */
  setCommands(commands: readonly PlayedCommand[]): Moment {
    const known = new Set(this.#commands.map(({ id }) => id));
    const added = commands.filter(({ id }) => !known.has(id));
    this.#commands = commands;
    const isSimple = added.every(({ event, isReset }) => !isReset && event.at > this.#now);
    if (isSimple && commands.length === known.size + added.length) {
      for (const { event } of added) this.#timeline.add(event);
      return { at: undefined, atoms: [], graph: undefined };
    }
    return this.#replay(new Set(added.map(({ event }) => event)));
  }

  #replay(isNew: ReadonlySet<TopologyEvent>): Moment {
    this.#timeline = this.#fresh();
    const reset = this.#commands.findLastIndex(({ isReset, event }) => isReset && event.at <= this.#now);
    for (const { event, isReset } of this.#commands.slice(reset + 1)) if (!isReset) this.#timeline.add(event);
    this.#atoms = [];
    this.#timeline.advance(micros(Math.max(this.#now, 0)));
    const atoms = this.#atoms.filter(({ event }) => isNew.has(event));
    this.#epoch++;
    return { at: atoms.at(-1)?.at, atoms, graph: this.graph };
  }

  #moment(atoms: readonly Atom[]): Moment {
    const changing = atoms.filter(({ verb }) => !WITHOUT_EPOCH.includes(verb));
    this.#epoch += new Set(changing.map(({ at }) => at)).size;
    return { at: atoms.at(-1)?.at, atoms, graph: changing.length > 0 ? this.graph : undefined };
  }

  #fresh(): Timeline {
    return new Timeline(this.#topology, this.#onProblem, (atom) => this.#atoms.push(atom));
  }
}
