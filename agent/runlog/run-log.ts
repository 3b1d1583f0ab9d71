/**
 * The run log: one typed, append-only record of what happened. Status, the agent's record and everything that follows
 * an experiment read it; no other part keeps a list of its own.
 *
 * Each kind of entries has a bound of its own, so that shares, which change many times a second, don't displace the
 * few commands. The cost of an append doesn't depend on the topology.
 */
import {
  MAX_PAGE_ENTRIES,
  type RunLogEntry,
  type RunLogFacts,
  type RunLogKind,
} from '../../proto/run-log.ts';
import { Ring } from './ring.ts';

/** How many entries of each kind are kept; at some 150 bytes each they come to 5 MB. */
const CAPACITY: Readonly<Record<RunLogKind, number>> = {
  // Six flows that change in every tick fill it in two minutes.
  share: 16_384,
  flow: 8_192,
  // The events of a flap every 100 ms in seven minutes.
  epoch: 4_096,
  command: 2_048,
  outcome: 4_096,
  endpoint: 8_192,
  host: 2_048,
  degraded: 1_024,
  cause: 2_048,
  state: 64,
};

type Rings = Readonly<Record<RunLogKind, Ring<RunLogEntry>>>;
type OfKind<Kind extends RunLogKind> = Extract<RunLogFacts, { kind: Kind }>;

export interface RunLogOptions {
  /** Microseconds since the experiment's start; `undefined` while that is not known. */
  readonly now: () => number | undefined;
  readonly capacity?: Partial<Record<RunLogKind, number>>;
}

export interface Entries {
  readonly entries: RunLogEntry[];
  /** Position of the entry after the last of these. */
  readonly next: number;
  /** How many from the given position on are no longer kept. */
  readonly forgotten: number;
}

export class RunLog {
  readonly #now: RunLogOptions['now'];
  readonly #rings: Rings;
  readonly #listeners = new Set<(entry: RunLogEntry) => void>();
  /** Of each kind: the position of the last entry that is no longer kept. */
  readonly #lost = new Map<RunLogKind, number>();
  #next = 0;

  constructor({ now, capacity = {} }: RunLogOptions) {
    this.#now = now;
    const sizes = Object.entries({ ...CAPACITY, ...capacity });
    this.#rings = Object.fromEntries(
      sizes.map(([kind, size]) => [kind, new Ring<RunLogEntry>(size)]),
    ) as Rings;
  }

  /** The position that the next entry gets. */
  get next(): number {
    return this.#next;
  }

  /** `atMicros`: when it happened, if not now. */
  append(facts: RunLogFacts, atMicros: number | null = this.#now() ?? null): void {
    const entry = { ...facts, position: this.#next++, atMicros };
    const lost = this.#rings[facts.kind].push(entry);
    if (lost) this.#lost.set(facts.kind, lost.position);
    for (const listener of this.#listeners) listener(entry);
  }

  /** What is kept of one kind, oldest first. */
  of<Kind extends RunLogKind>(kind: Kind): RunLogEntry<OfKind<Kind>>[] {
    return this.#rings[kind].toArray() as RunLogEntry<OfKind<Kind>>[];
  }

  /** How many entries of a kind are no longer kept. */
  forgotten(kind: RunLogKind): number {
    return this.#rings[kind].forgotten;
  }

  /**
   * Entries from a position on, at most `most`, in the order in which they were appended; of some kinds, or all. Of some kinds,
   * `forgotten` counts those that miss entries.
   */
  since(position: number, most = MAX_PAGE_ENTRIES, kinds?: readonly RunLogKind[]): Entries {
    const rings = kinds ? kinds.map((kind) => this.#rings[kind]) : Object.values(this.#rings);
    const kept = rings.flatMap((ring) => ring.latestWhile((entry) => entry.position >= position));
    kept.sort((a, b) => a.position - b.position);
    const entries = kept.slice(0, most);
    const isAll = entries.length === kept.length;
    const next = isAll ? Math.max(position, this.#next) : entries.at(-1)!.position + 1;
    const missing = Math.max(0, Math.min(next, this.#next) - position - entries.length);
    const forgotten = kinds
      ? kinds.filter((kind) => (this.#lost.get(kind) ?? -1) >= position).length
      : missing;
    return { entries, next, forgotten };
  }

  /** Calls `listener` with each entry from now on. Returns a function that ends this. It must not throw. */
  follow(listener: (entry: RunLogEntry) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
