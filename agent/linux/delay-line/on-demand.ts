/** The pairs of a thread whose paths came on demand, and which of them are idle. */
import { IdleWheel } from '../../enforce/idle-wheel.ts';
import { AddressIndex } from './address-index.ts';
import type { PairEntry } from './messages.ts';
import type { PathTable } from './path-table.ts';

interface Pair {
  readonly queue: number;
  readonly source: number;
  /** One of the source's addresses; all of them have the same path. */
  readonly address: Uint8Array;
}

export class OnDemand {
  /** Address → number of any endpoint; empty while no path comes on demand. */
  readonly book = new AddressIndex();
  #wheel: IdleWheel<Pair> | undefined;
  #known: (readonly [number, Uint8Array])[] = [];

  /** Replaces the addresses of all endpoints. Returns those that belonged to another endpoint before, or belong to none now. */
  begin(
    endpoints: readonly (readonly [number, readonly Uint8Array[]])[],
    idleMs: number,
    nowMs: number,
  ): Uint8Array[] {
    const before = this.#known;
    for (const [, address] of before) this.book.delete(address);
    this.#known = endpoints.flatMap(([number, addresses]) =>
      addresses.map((address) => [number, address] as const),
    );
    for (const [number, address] of this.#known) this.book.set(address, number);
    if (this.#wheel?.idleMs !== idleMs) this.#wheel = new IdleWheel(idleMs, nowMs);
    return before.flatMap(([number, address]) => (this.book.get(address) === number ? [] : [address]));
  }

  /** When `forget` must be called next; `Infinity` while no pair can become idle. */
  get nextMs(): number {
    return this.#wheel?.nextMs ?? Number.POSITIVE_INFINITY;
  }

  /** To be called when a path is set for the first time. */
  add({ queue, source, entry }: PairEntry, nowMs: number): void {
    const address = entry.sources[0];
    if (address) this.#wheel?.add({ queue, source, address }, nowMs);
  }

  /** Removes idle pairs from their tables. Returns them: queue, source, queue, source, … */
  forget(nowMs: number, tableOf: (queue: number) => PathTable | undefined): number[] {
    const idle = this.#wheel?.idle(nowMs, ({ queue, address }) => {
      const table = tableOf(queue);
      const path = table?.pathOf(address) ?? -1;
      return path < 0 ? -1 : Math.max(table!.lastSeen[path]!, table!.lastRelease[path]!);
    });
    return (idle ?? []).flatMap(({ queue, source, address }) => {
      const table = tableOf(queue)!;
      const path = table.pathOf(address);
      // An endpoint that left and came back has two entries until both are found idle.
      if (path < 0) return [];
      table.remove(path, nowMs);
      return [queue, source];
    });
  }
}
