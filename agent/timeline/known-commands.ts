/**
 * The commands that an agent has received: which of them are played, and which a reset undoes. The same set gives the
 * same result.
 */
import {
  type Command,
  commandKey,
  compareCommands,
  compareIssue,
  foldHorizon,
  isUrgent,
  type LeftOut,
  MAX_COMMANDS,
  MAX_URGENT_COMMANDS,
  surplusCommands,
  wouldStay,
} from '../../proto/command.ts';
import { MAX_ATOMS } from '../../topology/model/limits.ts';
import { isTold, type Told } from '../../topology/timeline/sequences.ts';
import type { CommandEvent } from '../../topology/timeline/timeline.ts';
import { isReset, type KnownCommand } from './known-command.ts';
import { isUndoneBy, refusedOf, resetsOf } from './order.ts';

/** The effect of a new command on the others: none, one more, or all have to be judged anew. */
export type Effect = 'nothing' | 'more' | 'others';

export class KnownCommands {
  readonly #byKey: Map<string, KnownCommand>;
  /** folding.ts */
  readonly #leftOut: LeftOut;
  /** Commands whose steps exceed the limit together with those of earlier ones. */
  #refused: ReadonlySet<KnownCommand> = new Set();
  #urgent: number;
  #steps = 0;
  #folded = 0;
  #horizon = Number.NEGATIVE_INFINITY;
  /** Resets, in the order in which they take effect. Each was accepted after the one before, so it undoes more. */
  #resets: readonly KnownCommand[] = [];

  /** Those of `from`, or none. */
  constructor(leftOut: LeftOut, from?: KnownCommands) {
    this.#leftOut = leftOut;
    this.#byKey = new Map(from === undefined ? [] : from.#byKey);
    this.#urgent = from === undefined ? 0 : from.#urgent;
    if (from === undefined) return;
    this.#horizon = from.#horizon;
    this.#refused = from.#refused;
    this.#steps = from.#steps;
    this.#resets = from.#resets;
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** How many were left out as old. */
  get folded(): number {
    return this.#folded;
  }

  /** Commands that were over by then may have been left out. */
  get horizon(): number {
    return this.#horizon;
  }

  /** Whether the next command of its origin would stay. */
  wouldStay(command: Command): boolean {
    const all = this.#commands();
    if (wouldStay(command, all)) return true;
    const leftOut = new Set(this.#leftOut([...all, command]));
    return wouldStay(
      command,
      all.filter((one) => !leftOut.has(one)),
    );
  }

  get resets(): readonly KnownCommand[] {
    return this.#resets;
  }

  /** In the order in which they take effect. */
  all(): KnownCommand[] {
    return [...this.#byKey.values()].sort((a, b) => compareCommands(a.command, b.command));
  }

  /** `settle` has to be called after one or several. */
  add(known: KnownCommand): Effect {
    const key = commandKey(known.command);
    const same = this.#byKey.get(key);
    // Of two with the same identity, the same one counts on every agent, whichever arrived first.
    if (same && compareIssue(known.command, same.command) >= 0) return 'nothing';
    this.#byKey.set(key, known);
    if (same && isUrgent(same.command)) this.#urgent--;
    if (isUrgent(known.command)) this.#urgent++;
    const isJudgedAnew = same !== undefined || !this.hasRoomFor(known);
    if (isJudgedAnew || isReset(known)) this.#judge();
    else this.#steps += known.steps;
    return isJudgedAnew ? 'others' : 'more';
  }

  /** After `added`: leaves old ones out, and of still too many those that `surplusCommands` does not leave. */
  settle(added: readonly KnownCommand[]): { readonly folded: number; readonly surplus: number } {
    const folded = this.#fold(added);
    const surplus = this.#dropSurplus();
    if (folded + surplus > 0) this.#judge();
    this.#folded += folded;
    return { folded, surplus };
  }

  /** Whether it counts: it was not dropped, and no other has replaced it. */
  has(known: KnownCommand): boolean {
    return this.#byKey.get(commandKey(known.command)) === known;
  }

  hasRoomFor({ steps }: KnownCommand): boolean {
    return this.#steps + steps <= MAX_ATOMS;
  }

  isRefused(known: KnownCommand): boolean {
    return this.#refused.has(known);
  }

  /** The commands that are played after a reset, or from the start. */
  playing(reset: KnownCommand | undefined): CommandEvent[] {
    const found: CommandEvent[] = [];
    for (const known of this.#byKey.values()) {
      const { command, event } = known;
      if (event && !isReset(known) && !this.#refused.has(known) && !isUndoneBy(known, reset))
        found.push({ command, event });
    }
    return found;
  }

  /** What was told of sequences: a reset undoes what users want, not what has happened. */
  told(): Told[] {
    return this.all().flatMap(({ event }) => (event && isTold(event) ? [event] : []));
  }

  #commands(): Command[] {
    return Array.from(this.#byKey.values(), ({ command }) => command);
  }

  /** What was accepted after the horizon does not change what is before it. */
  #fold(added: readonly KnownCommand[]): number {
    const all = this.#commands();
    const horizon = foldHorizon(all);
    if (horizon === this.#horizon && added.every(({ command }) => command.issuedAt > horizon)) return 0;
    this.#horizon = horizon;
    return this.#drop(this.#leftOut(all));
  }

  #dropSurplus(): number {
    if (this.#urgent <= MAX_URGENT_COMMANDS && this.size - this.#urgent <= MAX_COMMANDS) return 0;
    return this.#drop(surplusCommands(this.#commands()));
  }

  #drop(commands: readonly Command[]): number {
    for (const command of commands) {
      this.#byKey.delete(commandKey(command));
      if (isUrgent(command)) this.#urgent--;
    }
    return commands.length;
  }

  #judge(): void {
    const all = [...this.#byKey.values()];
    this.#refused = refusedOf(all);
    this.#steps = all.reduce((sum, known) => sum + (this.#refused.has(known) ? 0 : known.steps), 0);
    this.#resets = resetsOf(all);
  }
}
