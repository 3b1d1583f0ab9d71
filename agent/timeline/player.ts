/**
 * The timeline of a running experiment, played in steps. Every agent plays the same file and receives the same
 * commands, so all reach the same topologies at the same instants. Pure: time is an argument of each call.
 */
import { type Command, compareCommands, type LeftOut } from '../../proto/command.ts';
import type { FaultStatus } from '../../proto/status.ts';
import { type Micros, micros } from '../../proto/units.ts';
import type { Graph, Topology } from '../../topology/model/model.ts';
import { type FlowWindow, trafficWindows } from '../../topology/model/traffic.ts';
import { Beginning } from '../../topology/timeline/beginning.ts';
import { graphOf } from '../../topology/timeline/graph-at.ts';
import type { SequenceState, Sequences } from '../../topology/timeline/sequences.ts';
import type { Atom } from '../../topology/timeline/state.ts';
import type { OnProblem } from '../../topology/timeline/timeline.ts';
import { checkCommand, quitAt } from './command-check.ts';
import { type CommandRecord, recordOf, recordsOf } from './command-history.ts';
import { CommandedTimeline } from './commanded-timeline.ts';
import { faultStatus } from './fault-status.ts';
import { Folding } from './folding.ts';
import { type KnownCommand, readCommand } from './known-command.ts';
import { type Assignment, Rights } from './rights.ts';

/** The changes up to an instant. */
export interface TimelineChanges {
  /** All changes, in order. For a late command or a reset: the endpoints whose presence is different now. */
  readonly atoms: readonly Atom[];
  /** The topology after them; `undefined`: unchanged. */
  readonly graph: Graph | undefined;
}

export class Player {
  /** Which commands of a set are left out as old; what carries commands has to leave out the same. */
  readonly leftOut: LeftOut;
  readonly #timeline: CommandedTimeline;
  readonly #beginning: Beginning;
  #atoms: Atom[] = [];
  #windows: Readonly<{ of: unknown; windows: readonly (readonly FlowWindow[])[] }> | undefined;
  #revision = 0;
  /** Commands whose outcome has not been reported yet. */
  readonly #open = new Set<KnownCommand>();

  /** `onProblem`: an event or a command can't take effect; it then changes nothing. */
  constructor(topology: Topology, onProblem: OnProblem) {
    this.#beginning = new Beginning(topology);
    const folding = new Folding(this.#beginning);
    // What sequences will do may depend on any command.
    const { isEmpty: mayFold } = this.#beginning.sequences;
    this.leftOut = (commands) => (mayFold ? folding.leftOut(commands) : []);
    const listeners = { onProblem, onAtom: (atom: Atom) => this.#atoms.push(atom) };
    this.#timeline = new CommandedTimeline(this.#beginning, listeners, this.leftOut);
  }

  /**
   * How many versions of the topology there have been before this one, by the commands that are kept. Several changes at one
   * instant make one.
   */
  get epoch(): number {
    return this.#timeline.epoch;
  }

  /** When the next step is due; `undefined` at the end. */
  get nextAt(): Micros | undefined {
    return this.#timeline.nextAt;
  }

  /** When the experiment quits, by its file and the commands known so far; `undefined`: never. */
  get quitAt(): Micros | undefined {
    return quitAt(this.#timeline.commands, [
      ...this.#beginning.topology.events,
      ...this.#timeline.sequences.events,
    ]);
  }

  /** Where sequences are. */
  get sequences(): readonly SequenceState[] {
    return this.#timeline.sequences.states;
  }

  /** What sequences wait for. */
  get awaited(): Pick<Sequences, 'isEmpty' | 'isAwaited' | 'logs' | 'conditions'> {
    return this.#beginning.sequences;
  }

  /** Of each entry of `traffic:`, when it flows, by all that is known: the same array until that changes. */
  get trafficWindows(): readonly (readonly FlowWindow[])[] {
    const { switches } = this.#timeline;
    if (this.#windows?.of !== switches)
      this.#windows = {
        of: switches,
        windows: trafficWindows(this.#beginning.topology.traffic ?? [], switches),
      };
    return this.#windows.windows;
  }

  get graph(): Graph {
    return graphOf(this.#timeline.state);
  }

  isPresent(endpoint: number): boolean {
    return this.#timeline.state.present[endpoint] === 1;
  }

  /** Plays everything that is due until and including `at`. */
  advance(at: Micros): TimelineChanges {
    return this.#changesOf(() => this.#timeline.advance(at));
  }

  /** Adds one command; see `commands`. */
  command(command: Command, now: Micros): TimelineChanges {
    return this.commands([command], now);
  }

  /**
   * Adds commands, own or other agents', that arrived at `now`, and plays everything that is due until then. However
   * many come late, the past is corrected once. Never throws: `history` has the commands that can't take effect.
   * Known commands have no effect.
   */
  commands(commands: readonly Command[], now: Micros): TimelineChanges {
    return this.#changesOf(() => {
      const read = commands.map(readCommand);
      const isNews = this.#timeline.add(read);
      for (const known of read) if (this.#timeline.commands.has(known)) this.#open.add(known);
      if (isNews) this.#revision++;
      if (isNews) this.#timeline.advance(micros(Math.max(now, this.#timeline.now)));
    });
  }

  /** Throws `CommandError` if the command should not be accepted at `now`. Changes nothing. */
  check(command: Command, now: Micros): void {
    checkCommand(this.#timeline, this.#beginning, command, now);
  }

  /** What authors of commands may do in this topology. */
  rights(assignment: Assignment | undefined): Rights {
    return new Rights(this.#beginning, assignment);
  }

  /** What is different now from the file without events, and until when. `giverOf`: the name of who gave a command. */
  faults(giverOf?: (command: Command) => string): FaultStatus[] {
    const commands = this.#timeline.commands.all();
    return this.#timeline.faults().map((fault) => faultStatus(fault, commands, giverOf));
  }

  /** Increases when commands come: while it is the same, nothing but time decides what takes effect. */
  get revision(): number {
    return this.#revision;
  }

  /** How many commands are kept. */
  get commandCount(): number {
    return this.#timeline.commands.size;
  }

  /** How many old commands were left out of the history. */
  get folded(): number {
    return this.#timeline.commands.folded;
  }

  /** The outcome of every command that is kept, in the order in which they take effect. */
  history(): CommandRecord[] {
    return recordsOf(this.#timeline);
  }

  /** Commands whose outcome became known since the last call, in the order in which they take effect. */
  outcomes(): CommandRecord[] {
    const found: CommandRecord[] = [];
    for (const known of this.#open) {
      const record = recordOf(known, this.#timeline);
      if (record.status === 'pending') continue;
      this.#open.delete(known);
      if (this.#timeline.commands.has(known)) found.push(record);
    }
    return found.sort((a, b) => compareCommands(a.command, b.command));
  }

  #changesOf(play: () => void): TimelineChanges {
    const { changes } = this.#timeline;
    this.#atoms = [];
    play();
    return { atoms: this.#atoms, graph: this.#timeline.changes === changes ? undefined : this.graph };
  }
}
