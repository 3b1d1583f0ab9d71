/**
 * All commands of an experiment, of which every agent has all. The union of any two sets is right, in whatever order they
 * are merged; what is left out of it follows from the union. The reader determines which commands take effect, and in
 * which order (`compareCommands`).
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
} from '../../../proto/command.ts';
import { type Digest, RunningSum, sameDigest } from '../wire/digest.ts';

export class CommandSet {
  /** Increases with every change. */
  version = 0;
  readonly #commands = new Map<string, Command>();
  readonly #sum = new RunningSum();
  readonly #listeners = new Set<(added: readonly Command[]) => void>();
  readonly #leftOut: LeftOut;
  #horizon = Number.NEGATIVE_INFINITY;
  #urgent = 0;
  #sorted: readonly Command[] | undefined;

  constructor(leftOut: LeftOut = () => []) {
    this.#leftOut = leftOut;
  }

  get size(): number {
    return this.#commands.size;
  }

  get digest(): Digest {
    return { entries: this.size, low: this.#sum.low, high: this.#sum.high };
  }

  /** Whether the next command of an agent would stay. */
  hasRoom(next: Command): boolean {
    const all = [...this.#commands.values()];
    if (wouldStay(next, all)) return true;
    const leftOut = new Set(this.#leftOut([...all, next]));
    return wouldStay(
      next,
      all.filter((one) => !leftOut.has(one)),
    );
  }

  /** Whether it has the same command, by whatever signature of its author, or one that goes before it. */
  knows(command: Command): boolean {
    const known = this.#commands.get(commandKey(command));
    return known !== undefined && compareIssue(command, known) >= 0;
  }

  /** In the order in which they take effect. */
  all(): readonly Command[] {
    this.#sorted ??= [...this.#commands.values()].sort(compareCommands);
    return this.#sorted;
  }

  /**
   * Adds the new ones, leaves old ones out, and calls the listeners. Of two commands with the same identity the earlier one
   * stays, of too many those that `surplusCommands` leaves: all agents reach the same set, in whatever order commands arrive.
   */
  take(commands: readonly Command[]): void {
    const added = commands.filter((command) => this.#take(command));
    if (added.length === 0) return;
    this.#fold(added);
    this.#keepFirst();
    this.#sorted = undefined;
    const kept = added.filter((command) => this.#commands.get(commandKey(command)) === command);
    if (kept.length === 0) return;
    this.version++;
    for (const listener of this.#listeners) listener(kept);
  }

  /** Calls `listener` with new commands. Returns a function that ends this. */
  onChange(listener: (added: readonly Command[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  isSame(other: Digest): boolean {
    return sameDigest(this.digest, other);
  }

  /**
   * Whether an agent with the digest `other` has to be asked. One with fewer commands has nothing new, or asks this
   * agent first.
   */
  mayGainFrom(other: Digest): boolean {
    return other.entries >= this.size && !this.isSame(other);
  }

  #take(command: Command): boolean {
    const key = commandKey(command);
    const known = this.#commands.get(key);
    if (known) {
      if (compareIssue(command, known) >= 0) return false;
      this.#remove(known);
    }
    this.#commands.set(key, command);
    if (isUrgent(command)) this.#urgent++;
    this.#sum.addText(textOf(command), 1);
    return true;
  }

  #remove(command: Command): void {
    this.#commands.delete(commandKey(command));
    if (isUrgent(command)) this.#urgent--;
    this.#sum.addText(textOf(command), -1);
  }

  /** What was accepted after the horizon does not change what is before it. */
  #fold(added: readonly Command[]): void {
    const horizon = foldHorizon(this.#commands.values());
    if (horizon === this.#horizon && added.every(({ issuedAt }) => issuedAt > horizon)) return;
    this.#horizon = horizon;
    for (const command of this.#leftOut([...this.#commands.values()])) this.#remove(command);
  }

  #keepFirst(): void {
    if (this.#urgent <= MAX_URGENT_COMMANDS && this.size - this.#urgent <= MAX_COMMANDS) return;
    for (const command of surplusCommands([...this.#commands.values()])) this.#remove(command);
  }
}

/** For the digest. Without the signature: an author can sign the same twice. */
function textOf({ origin, incarnation, number, issuedAt, at, until, author, text }: Command): string {
  return [origin, incarnation, number, issuedAt, at, until ?? 0, author ?? '', text].join(' ');
}
