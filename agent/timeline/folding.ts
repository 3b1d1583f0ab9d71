/**
 * Which old commands can be left out: those of which nothing is left in the state, since later commands have set
 * everything that they set. Live control then does not end at `MAX_COMMANDS` commands.
 *
 * - A command of the past (`foldHorizon`) is **made up for** if each key that it writes (footprint.ts) is set anew after its
 *   end by another one, whatever was before, that was accepted later (so that no reset drops only that one); and if
 *   nothing in between that is not made up for itself depends on the key.
 * - All that a reset of the past undoes is made up for.
 * - Of these, the latest `KEPT_FOLDABLE` are kept for the history, and the others are left out.
 *
 * Why this changes no topology after the horizon: from the command on to what sets its keys anew, the state without it differs
 * in these keys alone, and in what is made up for and depends on them; and all of that is set anew before the horizon.
 *
 * Why all agents agree: the result follows from the set. What sets a key last is never left out, nor is what keeps another
 * one from being left out; so a set with some of the left out ones, from an agent that has not folded yet, gives the same. Two
 * that were separated merge their sets, and fold what they have then: the same everywhere, though a command that came later than
 * the horizon finds its past folded.
 */
import {
  type Command,
  compareCommands,
  compareIssue,
  foldHorizon,
  KEPT_FOLDABLE,
} from '../../proto/command.ts';
import { MAX_COMMAND_WORK } from '../../topology/events/targets.ts';
import { MAX_ATOMS } from '../../topology/model/limits.ts';
import type { Beginning } from '../../topology/timeline/beginning.ts';
import { type Footprint, Footprints, mayDepend } from './footprint.ts';
import { isReset, type KnownCommand, readCommand } from './known-command.ts';
import { isUndoneBy, refusedOf, resetsOf } from './order.ts';

/** The keys of all commands together. Of more, which `set *` in a large topology comes to, only resets fold. */
const MOST_KEYS = 2_000_000;
/** Longer footprints are made again each time. */
const MOST_KEPT_KEYS = 1000;

/** Something in a timeline that has a footprint. */
interface Trace {
  readonly at: number;
  readonly footprint: Footprint;
}

interface Item extends Trace {
  readonly known: KnownCommand;
  readonly command: Command;
  /** In the order in which they take effect. */
  readonly index: number;
}

export class Folding {
  readonly #beginning: Beginning;
  readonly #footprints: Footprints;
  readonly #kept = new WeakMap<Command, { readonly known: KnownCommand; readonly footprint?: Footprint }>();
  readonly #keep: number;
  /** The answer to the latest question: whoever carries commands and whoever plays them ask the same, one after the other. */
  #latest: { readonly of: ReadonlySet<Command>; readonly leftOut: readonly Command[] } | undefined;
  /** By key: what in the file depends on it. It is never left out. */
  #file: ReadonlyMap<number, readonly Trace[]> | undefined;

  /** `keep`: how many of what could be left out are kept. */
  constructor(beginning: Beginning, keep = KEPT_FOLDABLE) {
    this.#beginning = beginning;
    this.#footprints = new Footprints(beginning);
    this.#keep = keep;
  }

  /** The commands of a set that are left out. */
  leftOut(commands: readonly Command[]): readonly Command[] {
    const latest = this.#latest;
    if (latest?.of.size === commands.length && commands.every((one) => latest.of.has(one)))
      return latest.leftOut;
    const leftOut = this.#leftOut(commands);
    this.#latest = { of: new Set(commands), leftOut };
    return leftOut;
  }

  #leftOut(commands: readonly Command[]): Command[] {
    const horizon = foldHorizon(commands);
    if (commands.length <= this.#keep || horizon < 0) return [];
    const items = this.#read(commands);
    const madeUp = this.#undone(items, horizon);
    const rest = items.filter((item) => !madeUp.has(item));
    for (const item of this.#madeUp(rest, horizon)) madeUp.add(item);
    const found = items.filter((item) => madeUp.has(item)).map(({ command }) => command);
    return found.slice(0, Math.max(0, found.length - this.#keep));
  }

  #read(commands: readonly Command[]): Item[] {
    return commands.toSorted(compareCommands).map((command, index) => {
      const kept = this.#kept.get(command);
      const known = kept?.known ?? readCommand(command);
      const footprint = kept?.footprint ?? this.#footprintOf(known);
      const isShort = footprint.writes.length <= MOST_KEPT_KEYS;
      if (!kept) this.#kept.set(command, { known, ...(isShort && { footprint }) });
      return { known, command, index, at: command.at, footprint };
    });
  }

  #readFile(): Map<number, Trace[]> {
    const traces = this.#beginning.topology.events
      .filter(({ action }) => mayDepend(action))
      .map((event) => ({ at: event.at, footprint: this.#footprints.of(event) }));
    return byKey(traces, ({ reads }) => reads);
  }

  #footprintOf({ event, command: { at } }: KnownCommand): Footprint {
    if (event) return this.#footprints.of(event);
    // It can't be read, and changes nothing.
    return { kind: 'over', end: at, coversAt: at, writes: [], covers: [], reads: [], atoms: 0, work: 0 };
  }

  /** What a reset of the past undoes, also what was due later; and of the past, what was too much and did nothing. */
  #undone(items: readonly Item[], horizon: number): Set<Item> {
    const all = items.map(({ known }) => known);
    const reset = resetsOf(all).findLast(({ command }) => command.at <= horizon);
    const refused = refusedOf(all);
    return new Set(
      items.filter(
        ({ known, at }) =>
          isUndoneBy(known, reset) || (at <= horizon && refused.has(known) && !isReset(known)),
      ),
    );
  }

  /** The largest set of which each is made up for, if all the others of it do not count. */
  #madeUp(items: readonly Item[], horizon: number): ReadonlySet<Item> {
    const isPast = ({ footprint: { kind, end } }: Item): boolean => kind !== 'lasts' && end <= horizon;
    const over = items.filter((item) => isPast(item) && item.footprint.kind === 'over');
    // Where commands may fail because they are too much together, what was to be set may not have been.
    if (!isModest(items)) return new Set(over);
    const found = new Set(items.filter(isPast));
    const covers = byKey(items, ({ covers: keys, coversAt }) => (coversAt <= horizon ? keys : []));
    const readers = byKey(items, ({ reads }) => reads);
    this.#file ??= this.#readFile();
    const file = this.#file;
    const dependsOn = (key: number, from: number, to: number, but: Item): boolean => {
      const isBetween = (one: Trace): boolean => one.at <= to && one.footprint.end >= from;
      const counts = (one: Item): boolean => one !== but && !found.has(one) && isBetween(one);
      return (file.get(key)?.some(isBetween) || readers.get(key)?.some(counts)) === true;
    };
    const isMadeUp = (item: Item): boolean =>
      item.footprint.writes.every((key) =>
        covers
          .get(key)
          ?.some((next) => isSetAnew(item, next) && !dependsOn(key, item.at, next.footprint.coversAt, item)),
      );
    for (let isSettled = false; !isSettled; ) {
      isSettled = true;
      for (const item of found) {
        if (item.footprint.kind === 'over' || isMadeUp(item)) continue;
        found.delete(item);
        // What is left out because it did not count has to be looked at again.
        if (item.footprint.reads.length > 0) isSettled = false;
      }
    }
    return found;
  }
}

/** Whether `next` comes after all of the other's changes, and no reset drops it that leaves the other. */
function isSetAnew(item: Item, next: Item): boolean {
  if (next.index <= item.index || next.footprint.coversAt < item.footprint.end) return false;
  return compareIssue(item.command, next.command) < 0;
}

function isModest(items: readonly Item[]): boolean {
  let [atoms, work, keys] = [0, 0, 0];
  for (const { footprint } of items) {
    atoms += footprint.atoms;
    work += footprint.work;
    keys += footprint.writes.length;
  }
  return atoms <= MAX_ATOMS && work <= MAX_COMMAND_WORK && keys <= MOST_KEYS;
}

/** Each list in the order of `traces`. */
function byKey<T extends Trace>(
  traces: readonly T[],
  keysOf: (footprint: Footprint) => readonly number[],
): Map<number, T[]> {
  const found = new Map<number, T[]>();
  for (const trace of traces) {
    for (const key of keysOf(trace.footprint)) {
      const known = found.get(key);
      if (known) known.push(trace);
      else found.set(key, [trace]);
    }
  }
  return found;
}
