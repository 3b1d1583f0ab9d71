/**
 * The timeline of a file together with the commands of its users. Its state at an instant follows from the set of
 * commands alone, not from when or in which order they arrived:
 *
 * - A command that arrives in time joins the steps to come. One that arrives late takes its place by replaying all
 *   from the start.
 * - A reset ends a part of the history. From its instant on, the timeline is as if the commands accepted before it
 *   had never been given, including those that are due later: it is replayed from the start without them.
 * - Old commands of which nothing is left are left out (folding.ts), which does not change the state.
 * - What agents and applications tell of sequences (`notify`, `ended`) lets further steps follow, which are played like events of
 *   the file. It is never undone.
 * - Epochs are counted over the parts: each instant that changes the topology starts one. Those of commands that were left
 *   out count no more, so that all agents count the same, whenever they joined.
 */
import type { LeftOut } from '../../proto/command.ts';
import { type Micros, micros } from '../../proto/units.ts';
import type { TargetError } from '../../topology/events/targets.ts';
import type { TopologyEvent } from '../../topology/model/events.ts';
import type { TrafficSwitch } from '../../topology/model/traffic.ts';
import type { Beginning } from '../../topology/timeline/beginning.ts';
import type { Fault, Hit } from '../../topology/timeline/faults.ts';
import { isTold, type Unfolded } from '../../topology/timeline/sequences.ts';
import { type Atom, changesTopology, isSameState, type NetworkState } from '../../topology/timeline/state.ts';
import { type OnProblem, Timeline } from '../../topology/timeline/timeline.ts';
import { isReset, type KnownCommand, START } from './known-command.ts';
import { KnownCommands } from './known-commands.ts';
import { isUndoneBy } from './order.ts';

export interface TimelineListeners {
  /** Called for each change, in order. Changes of a replay are not reported, only the difference that it makes. */
  readonly onAtom: (atom: Atom) => void;
  readonly onProblem: OnProblem;
}

interface EpochCount {
  readonly count: number;
  /** The instant that started the latest epoch. */
  readonly at: number;
}

/** A reset that has taken effect. */
interface Passed {
  readonly reset: KnownCommand;
  /** Before its instant. */
  readonly epochs: EpochCount;
  readonly isChange: boolean;
}

/** For changes that happen because a command that can't be read replaces another one. */
const NO_EVENT: TopologyEvent = { at: micros(0), action: { verb: 'reset' }, position: START };
const NO_EPOCHS: EpochCount = { count: 0, at: -1 };

export class CommandedTimeline {
  readonly commands: KnownCommands;
  readonly #beginning: Beginning;
  readonly #listeners: TimelineListeners;
  #timeline: Timeline;
  #now: number;
  /** Parallel to the first of `commands.resets`. */
  readonly #passed: Passed[];
  #epochs = NO_EPOCHS;
  /** Increases with each reported change of the state. */
  #changes = 0;
  /** Since the latest reset. */
  #problems = new Map<TopologyEvent, TargetError>();
  /** Those that took effect, although what they have undone is left out by now. */
  readonly #took = new WeakSet<TopologyEvent>();
  readonly #leftOut: LeftOut;
  #unfolded: Unfolded;
  /** `again`: replayed changes count epochs and are not reported; `quiet`: they do not count either. */
  #mode: 'live' | 'again' | 'quiet' = 'live';
  #replayed: Atom[] = [];
  #flow: Readonly<{ of: Timeline; stepCount: number; switches: readonly TrafficSwitch[] }> | undefined;

  /** `leftOut`: which commands are left out as old; `from`: it becomes a copy of that one. */
  constructor(
    beginning: Beginning,
    listeners: TimelineListeners,
    leftOut: LeftOut,
    from?: CommandedTimeline,
  ) {
    this.#beginning = beginning;
    this.#listeners = listeners;
    this.#leftOut = leftOut;
    this.commands = new KnownCommands(leftOut, from?.commands);
    this.#unfolded = from?.sequences ?? beginning.sequences.unfold(this.commands.told());
    this.#now = from?.now ?? -1;
    this.#passed = from ? [...from.#passed] : [];
    this.#timeline = this.#enter(this.#passed.at(-1)?.reset);
    this.#catchUp();
  }

  /** How many versions of the topology there have been before this one. */
  get epoch(): number {
    return this.#epochs.count;
  }

  get changes(): number {
    return this.#changes;
  }

  get state(): NetworkState {
    return this.#timeline.state;
  }

  /** Where sequences are, and which of their steps are known so far. */
  get sequences(): Unfolded {
    return this.#unfolded;
  }

  /** What starts and stops traffic, in the order in which it happens: the same array until it changes. */
  get switches(): readonly TrafficSwitch[] {
    const { stepCount } = this.#timeline;
    if (this.#flow?.of !== this.#timeline || this.#flow.stepCount !== stepCount)
      this.#flow = { of: this.#timeline, stepCount, switches: this.#timeline.switches() };
    return this.#flow.switches;
  }

  /** The instant up to which all has been played; -1: before the start. */
  get now(): number {
    return this.#now;
  }

  /** When the next step is due; `undefined` at the end. */
  get nextAt(): Micros | undefined {
    const event = this.#timeline.nextAt;
    const reset = this.#nextReset?.event?.at;
    return event === undefined || (reset !== undefined && reset < event) ? reset : event;
  }

  /** What is in force now, by the events that did it. */
  faults(): Fault[] {
    return this.#timeline.faults();
  }

  /** Whom an event has hit; `undefined`: nobody yet. A reset forgets what was before it. */
  hit(event: TopologyEvent): Hit | undefined {
    return this.#timeline.causes.hit(event);
  }

  /** Why an event has changed nothing; `undefined` if it has changed something. */
  problem(event: TopologyEvent): TargetError | undefined {
    return this.#took.has(event) ? undefined : this.#problems.get(event);
  }

  /** Whether a reset has undone it, or dropped it before it was due. */
  isUndone(known: KnownCommand): boolean {
    const isPassed = this.#passed.some(({ reset }) => reset === known);
    return !isPassed && isUndoneBy(known, this.#passed.at(-1)?.reset);
  }

  /** Plays all that is due until and including `at`. */
  advance(at: Micros): void {
    for (let reset = this.#nextReset; reset?.event && reset.event.at <= at; reset = this.#nextReset) {
      this.#pass(reset, reset.event);
    }
    this.#timeline.advance(at);
    this.#now = Math.max(this.#now, at);
  }

  /** Adds commands, whenever they are or were due. Returns false if all are known already. */
  add(added: readonly KnownCommand[]): boolean {
    const late: KnownCommand[] = [];
    let kept = this.#passed.length;
    let isNews = false;
    for (const known of added) {
      const effect = this.commands.add(known);
      if (effect === 'nothing') continue;
      isNews = true;
      const right = effect === 'others' ? 0 : this.#stillRight(known);
      if (right === undefined) continue;
      kept = Math.min(kept, right);
      late.push(known);
    }
    const { folded, surplus } = this.commands.settle(added);
    if (folded > 0) this.#keepOutcomes();
    if (folded + surplus > 0) kept = 0;
    const staying = late.filter((known) => this.commands.has(known));
    const following = this.#unfold(added);
    if (following) this.#correct(0, staying, following);
    else if (staying.length + surplus > 0) this.#correct(kept, staying);
    else if (folded > 0) this.#playAgain(0);
    return isNews;
  }

  /** The steps of sequences that were not known before `added`; `undefined`: they are the same. */
  #unfold(added: readonly KnownCommand[]): readonly TopologyEvent[] | undefined {
    if (!added.some(({ event }) => event && isTold(event))) return undefined;
    const known = new Set(this.#unfolded.events);
    this.#unfolded = this.#beginning.sequences.unfold(this.commands.told());
    const { events } = this.#unfolded;
    const following = events.filter((event) => !known.has(event));
    return following.length > 0 || events.length < known.size ? following : undefined;
  }

  /** Of what was over before the horizon. */
  #keepOutcomes(): void {
    for (const { event } of this.commands.all()) {
      const isOver = event !== undefined && event.at <= Math.min(this.#now, this.commands.horizon);
      if (isOver && !this.#problems.has(event)) this.#took.add(event);
    }
  }

  /** A copy in the same state that continues independently. It reports only later changes. */
  fork(listeners: TimelineListeners): CommandedTimeline {
    return new CommandedTimeline(this.#beginning, listeners, this.#leftOut, this);
  }

  get #nextReset(): KnownCommand | undefined {
    return this.commands.resets[this.#passed.length];
  }

  /** How many of the passed resets stay unchanged if a command comes late; `undefined` if it comes in time. */
  #stillRight(known: KnownCommand): number | undefined {
    const { command, event } = known;
    if (!event) return undefined;
    const last = this.#passed.at(-1)?.reset;
    const lastAt = last?.event?.at ?? -1;
    const count = (isRight: (at: number) => boolean): number =>
      this.#passed.filter(({ reset }) => isRight(reset.event!.at)).length;
    if (isReset(known)) {
      const isLate = event.at <= this.#timeline.lastAt || event.at <= lastAt;
      return isLate && this.commands.resets.includes(known) ? count((at) => at < event.at) : undefined;
    }
    if (event.at >= lastAt) {
      if (isUndoneBy(known, last)) return undefined;
      if (this.#timeline.add([{ command, event }])) return undefined;
    }
    return count((at) => at <= event.at);
  }

  /** Corrects the state, and reports the difference that late commands make. */
  #correct(kept: number, late: readonly KnownCommand[], following: readonly TopologyEvent[] = []): void {
    const before = this.state;
    this.#playAgain(kept);
    if (!isSameState(before, this.state)) this.#changes++;
    const events = new Set<TopologyEvent>(following);
    for (const known of late) if (known.event && !this.isUndone(known)) events.add(known.event);
    const [cause = NO_EVENT] = late.flatMap(({ event }) => event ?? []);
    this.#reportPresence(before, this.#now, cause);
    for (const atom of this.#replayed) {
      const isForNobody = 'node' in atom && !this.state.present[atom.node];
      if (events.has(atom.event) && !isForNobody) this.#listeners.onAtom(atom);
    }
    for (const event of events) {
      const problem = this.#problems.get(event);
      if (problem) this.#listeners.onProblem(event, problem);
    }
  }

  /** Replays from the start, or from the last of the resets that are `kept`, up to the present instant. */
  #playAgain(kept: number): void {
    this.#passed.length = kept;
    this.#timeline = this.#enter(this.#passed.at(-1)?.reset);
    this.#catchUp();
  }

  /** From where the timeline has been entered, up to the present instant. */
  #catchUp(): void {
    const from = this.#passed.at(-1);
    this.#replayed = [];
    this.#epochs = from?.epochs ?? NO_EPOCHS;
    if (from?.isChange) this.#count(from.reset.event!.at);
    if (this.#now < 0) return;
    this.#mode = 'again';
    this.advance(micros(this.#now));
    this.#mode = 'live';
  }

  #pass(reset: KnownCommand, event: TopologyEvent): void {
    this.#timeline.advanceBefore(event.at);
    const before = this.state;
    const epochs = this.#epochs;
    this.#timeline = this.#enter(reset);
    const isChange = !isSameState(before, this.state);
    this.#passed.push({ reset, epochs, isChange });
    if (isChange) this.#count(event.at);
    if (this.#mode !== 'live') return;
    if (isChange) this.#changes++;
    this.#reportPresence(before, event.at, event);
  }

  /** The timeline from a reset on, at the instant before it. */
  #enter(reset: KnownCommand | undefined): Timeline {
    const mode = this.#mode;
    this.#mode = 'quiet';
    this.#problems.clear();
    const timeline = new Timeline(
      this.#beginning,
      (event, error) => this.#onProblem(event, error),
      (atom) => this.#onAtom(atom),
    );
    timeline.follow(this.#unfolded.events);
    timeline.add(this.commands.playing(reset));
    if (reset?.event) timeline.advanceBefore(reset.event.at);
    this.#mode = mode;
    return timeline;
  }

  #onAtom(atom: Atom): void {
    if (this.#mode === 'quiet') return;
    const isOfTopology = changesTopology(atom);
    if (isOfTopology) this.#count(atom.at);
    if (this.#mode === 'live') {
      if (isOfTopology) this.#changes++;
      this.#listeners.onAtom(atom);
    } else if (!isOfTopology) {
      this.#replayed.push(atom);
    }
  }

  #count(at: number): void {
    if (at !== this.#epochs.at) this.#epochs = { count: this.#epochs.count + 1, at };
  }

  #onProblem(event: TopologyEvent, error: TargetError): void {
    if (this.#problems.has(event)) return;
    this.#problems.set(event, error);
    if (this.#mode === 'live') this.#listeners.onProblem(event, error);
  }

  /** An endpoint that is no longer present has crashed: there is no time for a leave. */
  #reportPresence({ present: before }: NetworkState, at: number, event: TopologyEvent): void {
    this.state.present.forEach((now, node) => {
      if (now === before[node]) return;
      this.#listeners.onAtom({ at: micros(at), event, verb: now ? 'join' : 'crash', node });
    });
  }
}
