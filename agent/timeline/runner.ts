/**
 * Plays the timeline by the experiment's clock. All agents have the same clock, so an event is due on all of them at
 * once; events that are due at the same time are one change.
 */
import type { Command } from '../../proto/command.ts';
import { type Micros, micros } from '../../proto/units.ts';
import type { Timers } from '../clock/clock.ts';
import type { ExperimentClock } from '../clock/experiment-clock.ts';
import type { RunLog } from '../runlog/run-log.ts';
import type { Player, TimelineChanges } from './player.ts';

export interface RunnerPorts {
  readonly player: Player;
  readonly time: ExperimentClock;
  readonly timers: Timers;
  /** Applies the changes. Bandwidth is in force when this returns, everything when the promise is fulfilled. */
  readonly apply: (changes: TimelineChanges) => Promise<void>;
  /** When delays were last changed (`Clock.now()`), if that is known more exactly than by the promise. */
  readonly changedAt?: () => number | undefined;
  /** Told what starts and stops traffic whenever that may have changed, also of what is to come. */
  readonly onPlan?: () => void;
  /** Receives the epochs, and the outcomes of commands. */
  readonly log: RunLog;
  /** The name of who gave a command. */
  readonly giverOf: (command: Command) => string;
}

/** Longer waits don't fit a timer; after this the clock is read again. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

export class TimelineRunner {
  readonly #ports: RunnerPorts;
  #cancel: () => void = () => {};
  #isRunning = false;

  constructor(ports: RunnerPorts) {
    this.#ports = ports;
    ports.time.onChange(() => this.#wait());
  }

  /** Microseconds since the start; `undefined` before it. */
  get nowMicros(): Micros | undefined {
    return this.#isRunning ? this.#ports.time.now() : undefined;
  }

  /** Starts to play. Returns the changes that are due by now, since no agent applied them when they were due. */
  start(): TimelineChanges {
    this.#isRunning = true;
    const past = this.#ports.player.advance(this.#now());
    this.#ports.onPlan?.();
    this.#noteOutcomes();
    this.#wait();
    return past;
  }

  stop(): void {
    this.#isRunning = false;
    this.#cancel();
  }

  /** Adds commands of users; those that are due, or late, are in force when this returns. */
  addCommands(commands: readonly Command[]): void {
    const { player, log, giverOf, onPlan } = this.#ports;
    for (const command of commands)
      log.append({ kind: 'command', command: copyOf(command), by: giverOf(command) });
    if (!this.#isRunning) {
      player.commands(commands, micros(0));
      this.#noteOutcomes();
      return;
    }
    const now = this.#now();
    const changes = player.commands(commands, now);
    onPlan?.();
    if (changes.graph || changes.atoms.length > 0)
      this.#apply(changes, micros(Math.min(now, ...commands.map(({ at }) => at))));
    this.#noteOutcomes();
    this.#wait();
  }

  /** `due`: since when they should be in force. */
  #apply(changes: TimelineChanges, due: Micros): void {
    const { player, apply, time } = this.#ports;
    const settled = apply(changes);
    const appliedMicros = time.now()!;
    const { epoch } = player;
    void settled.then(() => this.#noteEpoch(due, appliedMicros, epoch));
  }

  #now(): Micros {
    return micros(Math.max(0, Math.floor(this.#ports.time.now() ?? 0)));
  }

  #wait(): void {
    const { player, time, timers } = this.#ports;
    this.#cancel();
    const next = player.nextAt;
    if (!this.#isRunning || next === undefined) return;
    const milliseconds = time.millisUntil(next) ?? 0;
    this.#cancel = timers.sharply(Math.min(Math.max(0, milliseconds), LONGEST_WAIT_MS), () => this.#play());
  }

  #play(): void {
    const { player, onPlan } = this.#ports;
    const due = player.nextAt;
    const now = this.#now();
    // Long waits are divided, and the clock may have been corrected.
    if (due === undefined || now < due) {
      this.#wait();
      return;
    }
    this.#apply(player.advance(now), due);
    onPlan?.();
    this.#noteOutcomes();
    this.#wait();
  }

  /** The thread that reports it may have continued with the next change by now. */
  #settledMicros(appliedMicros: Micros): Micros {
    const { time, changedAt } = this.#ports;
    const at = changedAt?.();
    return at === undefined ? time.now()! : micros(Math.max(appliedMicros, time.exact(at)!));
  }

  #noteEpoch(dueMicros: Micros, appliedMicros: Micros, epoch: number): void {
    const settledMicros = this.#settledMicros(appliedMicros);
    this.#ports.log.append({ kind: 'epoch', epoch, dueMicros, appliedMicros, settledMicros });
  }

  #noteOutcomes(): void {
    const { player, log } = this.#ports;
    for (const { command, status: state, reason: problem } of player.outcomes())
      log.append({
        ...{ kind: 'outcome', command: copyOf(command), state },
        ...(problem !== undefined && { problem }),
      });
  }
}

/** What was read of a command is kept as long as the command itself (folding.ts), and the log keeps it for longer. */
const copyOf = (command: Command): Command => ({ ...command });
