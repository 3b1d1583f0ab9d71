/**
 * Plays the timeline: events in order of time become atomic changes of a state (which endpoints are present, what is
 * cut, which settings are in force). Selections by amount and churn depend on the state, so the order is part of the
 * meaning: at one instant, ends of windows come first, then events in the order of the file, then commands by
 * `compareCommands`.
 *
 * By amount, endpoints join lowest number first; leave, crash and disconnect highest number first; reconnect lowest
 * first. A target whose first event in the file is a join is absent before that.
 */
import type { Command } from '../../proto/command.ts';
import { type Micros, micros } from '../../proto/units.ts';
import { MAX_COMMAND_WORK, TargetError, type Targets, TooMuchWork, WorkAccount } from '../events/targets.ts';
import type { TopologyEvent } from '../model/events.ts';
import { MAX_ATOMS } from '../model/limits.ts';
import type { Topology } from '../model/model.ts';
import type { TrafficSwitch } from '../model/traffic.ts';
import { Actions } from './actions.ts';
import { Beginning } from './beginning.ts';
import { Causes, type Fault, faultsOf } from './faults.ts';
import { type Atom, type AtomChange, NetworkState } from './state.ts';
import { compareSteps, type Step, turnsOf } from './steps.ts';

export type OnProblem = (event: TopologyEvent, error: TargetError) => void;

/** A command as an event: its times and action, for the timeline. */
export interface CommandEvent {
  readonly command: Command;
  readonly event: TopologyEvent;
}

/** The state of everything that events change, and its advance in time. */
export class Timeline {
  readonly state: NetworkState;
  readonly targets: Targets;
  readonly causes: Causes;

  readonly #actions: Actions;
  readonly #isChecked: boolean;
  readonly #fileEvents: number;
  readonly #onProblem: OnProblem;
  readonly #onAtom: ((atom: Atom) => void) | undefined;
  /** In order; those before `#next` have been played. */
  readonly #steps: Step[] = [];
  #next = 0;
  #now: Micros = micros(0);
  #event: TopologyEvent | undefined;
  /** The work of the file's events and of commands. Commands must not use up what the file needs. */
  readonly #file: Expense;
  readonly #commands = { work: new WorkAccount(MAX_COMMAND_WORK), atoms: 0 };
  #expense: Expense;

  /**
   * Events that can't be played go to `onProblem` and change nothing. From a `Topology`, throws `TooMuchWork` if its
   * events are too many, here and in `advance`; a `Beginning` was checked for that. Too much work in commands is a
   * problem of these.
   */
  constructor(start: Topology | Beginning, onProblem: OnProblem, onAtom?: (atom: Atom) => void) {
    this.#isChecked = start instanceof Beginning;
    const { topology, expansion, targets, presence } =
      start instanceof Beginning ? start : new Beginning(start);
    this.targets = targets;
    this.state = new NetworkState(expansion, presence, (change) => this.#emit(change));
    this.#actions = new Actions(this.state, targets, (change) => this.#emit(change));
    this.causes = new Causes(expansion.graph);
    this.#onProblem = onProblem;
    this.#onAtom = onAtom;
    this.#file = {
      work: this.#isChecked ? new WorkAccount(Number.POSITIVE_INFINITY) : targets.account,
      atoms: 0,
    };
    this.#expense = this.#file;
    this.#fileEvents = topology.events.length;
    this.#schedule(topology.events);
  }

  /** When the next step is due; `undefined` at the end. */
  get nextAt(): Micros | undefined {
    return this.#steps[this.#next]?.at;
  }

  /** When the last played step was due; -1 if there was none. */
  get lastAt(): number {
    return this.#steps[this.#next - 1]?.at ?? -1;
  }

  /** How many steps are known, played or not: while it is the same, so are `switches`. */
  get stepCount(): number {
    return this.#steps.length;
  }

  /** What starts and stops traffic, in the order in which it happens, past and to come. */
  switches(): TrafficSwitch[] {
    const account = new WorkAccount(MAX_COMMAND_WORK);
    return this.#steps.flatMap(({ at, event: { action } }) => {
      if (action.verb !== 'start' && action.verb !== 'stop') return [];
      try {
        const entries = this.targets.traffic(action);
        account.charge(entries.length);
        return [{ at, on: action.verb === 'start', entries }];
      } catch (error) {
        // It changes nothing, which is told when it is played.
        if (error instanceof TargetError || error instanceof TooMuchWork) return [];
        throw error;
      }
    });
  }

  /** What is in force now, by the events that did it. */
  faults(): Fault[] {
    const coming = new Set(this.#steps.slice(this.#next).map(({ event }) => event));
    return faultsOf(
      this.state,
      this.causes,
      [...coming].filter(({ at }) => at <= this.lastAt),
    );
  }

  /** Adds commands. Returns false, and adds none, if one would have been due before a step that was played. */
  add(commands: readonly CommandEvent[]): boolean {
    const added = commands.flatMap(({ command, event }) => [...this.#stepsOf(event, command)]);
    const last = this.#steps[this.#next - 1];
    if (last && added.some((step) => compareSteps(step, last) < 0)) return false;
    const coming = [...this.#steps.splice(this.#next), ...added].sort(compareSteps);
    for (const step of coming) this.#steps.push(step);
    return true;
  }

  /** Adds events that follow from others, in their order; before anything is played. They come after those of the file. */
  follow(events: readonly TopologyEvent[]): void {
    events.forEach((event, index) => {
      const order = this.#fileEvents + index;
      for (const step of this.#stepsOf(event, order)) this.#steps.push(step);
    });
    this.#steps.sort(compareSteps);
  }

  /** Plays all that is due until and including `at`. */
  advance(at: Micros): void {
    this.#playWhile((step) => step.at <= at);
  }

  /** Plays all that is due before `at`. */
  advanceBefore(at: Micros): void {
    this.#playWhile((step) => step.at < at);
  }

  #playWhile(isDue: (step: Step) => boolean): void {
    for (let step = this.#steps[this.#next]; step && isDue(step); step = this.#steps[++this.#next]) {
      this.#now = step.at;
      this.#event = step.event;
      try {
        this.#play(step);
      } catch (error) {
        if (!(error instanceof TargetError)) throw error;
        this.#onProblem(step.event, error);
      }
    }
  }

  #play(step: Step): void {
    const isCommand = typeof step.source !== 'number';
    this.#expense = isCommand ? this.#commands : this.#file;
    this.targets.account = this.#expense.work;
    // Between steps, so that none is half done; a single one has only a few changes per endpoint and link.
    const isBounded = isCommand && !isWayOut(step.event);
    if (isBounded && this.#commands.atoms > MAX_ATOMS) throw tooMuch(step.event);
    try {
      step.run();
    } catch (error) {
      throw isCommand && error instanceof TooMuchWork ? tooMuch(step.event) : error;
    }
  }

  #schedule(events: readonly TopologyEvent[]): void {
    events.forEach((event, order) => {
      for (const step of this.#stepsOf(event, order)) {
        this.#steps.push(step);
        if (this.#steps.length > MAX_ATOMS) throw new TooMuchWork();
      }
    });
    this.#steps.sort(compareSteps);
  }

  *#stepsOf(event: TopologyEvent, source: Step['source']): Generator<Step> {
    const stage = { state: this.state, targets: this.targets, actions: this.#actions };
    for (const turn of turnsOf(event, stage)) yield { event, source, ...turn };
  }

  #emit(change: AtomChange): void {
    const isBounded = this.#expense === this.#file && !this.#isChecked;
    if (++this.#expense.atoms > MAX_ATOMS && isBounded) throw new TooMuchWork();
    const atom: Atom = { at: this.#now, event: this.#event!, ...change };
    this.causes.add(atom);
    if (atom.verb === 'partition') this.causes.addPartition([...this.state.partitions].at(-1)!);
    this.#onAtom?.(atom);
  }
}

interface Expense {
  readonly work: WorkAccount;
  atoms: number;
}

/** Of a bad state: it changes one thing, whatever was commanded before. */
const isWayOut = ({ action: { verb } }: TopologyEvent): boolean => verb === 'heal' || verb === 'quit';

function tooMuch({ position }: TopologyEvent): TargetError {
  const message = `the commands come to more than ${MAX_ATOMS} changes, or name too many things`;
  return new TargetError(position, message, 'use longer periods, shorter windows or fewer targets', 'LIMIT');
}
