/**
 * The commands that an agent has received: which of them are played, and which a reset undoes. The same set gives the
 * same result.
 */
import {
  type Command,
  commandKey,
  compareCommands,
  compareIssue,
  isUrgent,
  MAX_COMMANDS,
  MAX_URGENT_COMMANDS,
  surplusCommands,
  wouldStay,
} from '../../proto/command.ts';
import { MAX_ATOMS } from '../../topology/model/limits.ts';
import type { CommandEvent } from '../../topology/timeline/timeline.ts';
import { isReset, type KnownCommand } from './known-command.ts';

/** The effect of a new command on the others: none, one more, or all have to be judged anew. */
export type Effect = 'nothing' | 'more' | 'others';

export class KnownCommands {
  readonly #byKey: Map<string, KnownCommand>;
  /** Commands whose steps exceed the limit together with those of earlier ones. */
  #refused: ReadonlySet<KnownCommand> = new Set();
  #urgent: number;
  #steps = 0;
  /** Resets, in the order in which they take effect. Each was accepted after the one before, so it undoes more. */
  #resets: readonly KnownCommand[] = [];

  constructor(others?: KnownCommands) {
    this.#byKey = new Map(others === undefined ? [] : others.#byKey);
    this.#urgent = others === undefined ? 0 : others.#urgent;
    this.#judge();
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** Whether the next command of its origin would stay. */
  wouldStay(command: Command): boolean {
    return wouldStay(
      command,
      Array.from(this.#byKey.values(), (known) => known.command),
    );
  }

  get resets(): readonly KnownCommand[] {
    return this.#resets;
  }

  /** In the order in which they take effect. */
  all(): KnownCommand[] {
    return [...this.#byKey.values()].sort((a, b) => compareCommands(a.command, b.command));
  }

  /** Of too many, those stay that `surplusCommands` leaves. */
  add(known: KnownCommand): Effect {
    const key = commandKey(known.command);
    const same = this.#byKey.get(key);
    // Of two with the same identity, the same one counts on every agent, whichever arrived first.
    if (same && compareIssue(known.command, same.command) >= 0) return 'nothing';
    this.#byKey.set(key, known);
    if (same && isUrgent(same.command)) this.#urgent--;
    if (isUrgent(known.command)) this.#urgent++;
    const dropped = this.#dropSurplus();
    if (dropped.length === 1 && dropped[0] === known.command) return 'nothing';
    const isJudgedAnew = same !== undefined || dropped.length > 0 || !this.hasRoomFor(known);
    if (isJudgedAnew || isReset(known)) this.#judge();
    else this.#steps += known.steps;
    return isJudgedAnew ? 'others' : 'more';
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

  #dropSurplus(): readonly Command[] {
    if (this.#urgent <= MAX_URGENT_COMMANDS && this.size - this.#urgent <= MAX_COMMANDS) return [];
    const surplus = surplusCommands([...this.#byKey.values()].map(({ command }) => command));
    for (const command of surplus) {
      this.#byKey.delete(commandKey(command));
      if (isUrgent(command)) this.#urgent--;
    }
    return surplus;
  }

  #judge(): void {
    const refused = new Set<KnownCommand>();
    this.#steps = 0;
    for (const known of [...this.#byKey.values()].sort((a, b) => compareIssue(a.command, b.command))) {
      if (this.hasRoomFor(known)) this.#steps += known.steps;
      else refused.add(known);
    }
    this.#refused = refused;
    const resets: KnownCommand[] = [];
    for (const reset of this.all())
      if (isReset(reset) && !isUndoneBy(reset, resets.at(-1))) resets.push(reset);
    this.#resets = resets;
  }
}

export function isUndoneBy(
  { command }: { readonly command: Command },
  reset: KnownCommand | undefined,
): boolean {
  return reset !== undefined && compareIssue(command, reset.command) < 0;
}
