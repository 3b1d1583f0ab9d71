/**
 * All commands of an experiment, which every agent has whole: it only grows, so that the union of any two is right, in
 * whatever order they meet. What takes part in which order is for the reader to say (`compareCommands`).
 */
import {
  type Command,
  commandKey,
  compareCommands,
  compareIssue,
  MAX_COMMANDS,
} from '../../../proto/command.ts';
import { type Digest, RunningSum, sameDigest } from '../wire/digest.ts';

export class CommandSet {
  /** Increases with every change. */
  version = 0;
  readonly #commands = new Map<string, Command>();
  readonly #sum = new RunningSum();
  readonly #listeners = new Set<(added: readonly Command[]) => void>();
  #sorted: readonly Command[] | undefined;

  get size(): number {
    return this.#commands.size;
  }

  get digest(): Digest {
    return { entries: this.size, low: this.#sum.low, high: this.#sum.high };
  }

  /** In the order in which they take effect. */
  all(): readonly Command[] {
    this.#sorted ??= [...this.#commands.values()].sort(compareCommands);
    return this.#sorted;
  }

  /**
   * Takes those that are new, and tells the listeners. Of two that say to be the same one, and of more than
   * `MAX_COMMANDS`, the earlier stay: whatever comes first, all agents end with the same.
   */
  take(commands: readonly Command[]): void {
    const added = commands.filter((command) => this.#take(command));
    this.#keepFirst();
    const kept = added.filter((command) => this.#commands.get(commandKey(command)) === command);
    if (kept.length === 0) return;
    this.#sorted = undefined;
    this.version++;
    for (const listener of this.#listeners) listener(kept);
  }

  /** Calls `listener` with what is new; returns what ends that. */
  onChange(listener: (added: readonly Command[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  isSame(other: Digest): boolean {
    return sameDigest(this.digest, other);
  }

  /** Whether one that has `other` is to be asked. One that has fewer has nothing, or asks us first. */
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
    this.#sum.addText(textOf(command), 1);
    return true;
  }

  #remove(command: Command): void {
    this.#commands.delete(commandKey(command));
    this.#sum.addText(textOf(command), -1);
  }

  #keepFirst(): void {
    if (this.size <= MAX_COMMANDS) return;
    const commands = [...this.#commands.values()].sort(compareIssue);
    for (const command of commands.slice(MAX_COMMANDS)) this.#remove(command);
  }
}

/** For the digest. */
function textOf({ origin, incarnation, number, issuedAt, at, until, text }: Command): string {
  return [origin, incarnation, number, issuedAt, at, until ?? 0, text].join(' ');
}
