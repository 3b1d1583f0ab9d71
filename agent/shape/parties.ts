/** Keeps the classifiers' entries for endpoints whose pairs have no class yet: only changes are written. */
import type { Enforcer } from '../enforce/enforcer.ts';
import { type Surroundings, surroundings } from '../enforce/islands.ts';
import type { Party } from '../enforce/ports.ts';
import type { Local } from './local.ts';
import type { PairPaths } from './pair-paths.ts';

/** How many partitions the classifier can know (NETFOLD_PARTITIONS in bpf/layout.h). */
const PARTITIONS = 8;

export class Parties {
  readonly #enforcer: Enforcer;
  readonly #paths: PairPaths;
  readonly #locals: ReadonlyMap<number, Local>;
  /** Endpoint → its entry as last written. */
  readonly #written = new Map<number, { readonly text: string; readonly addresses: readonly string[] }>();
  #surroundings: Surroundings;

  constructor(enforcer: Enforcer, paths: PairPaths, locals: ReadonlyMap<number, Local>) {
    this.#enforcer = enforcer;
    this.#paths = paths;
    this.#locals = locals;
    this.#surroundings = surroundings(paths.epoch.graph);
  }

  /** Reads the epoch that is in force now. */
  setEpoch(): void {
    this.#surroundings = surroundings(this.#paths.epoch.graph);
  }

  /** The greatest bandwidth of any path from an endpoint, bit/s; `undefined` for one without links. */
  firstBandwidth(endpoint: number): number | undefined {
    const fastest = this.#surroundings.fastest[endpoint]!;
    return fastest > 0 ? fastest : undefined;
  }

  /**
   * Writes the entries of all known endpoints, and removes those of others. To be called after their first classes
   * exist.
   */
  tell(): void {
    const changed: Party[] = [];
    const gone = this.#forgetUnknown();
    for (const { number, addresses } of this.#paths.known.values()) {
      const party: Party = {
        addresses,
        island: this.#island(number),
        firstMinor: this.#locals.get(number)?.needs.firstMinor ?? 0,
        sides: this.#surroundings.sides(number, PARTITIONS),
      };
      const text = JSON.stringify(party);
      const told = this.#written.get(number);
      if (told?.text === text) continue;
      if (told) gone.push(...told.addresses.filter((address) => !addresses.includes(address)));
      this.#written.set(number, { text, addresses });
      changed.push(party);
    }
    // Another endpoint may have the address by now.
    const kept = new Set(
      gone.length === 0 ? [] : [...this.#paths.known.values()].flatMap((one) => one.addresses),
    );
    const free = gone.filter((address) => !kept.has(address));
    if (changed.length > 0 || free.length > 0) this.#enforcer.introduce(changed, free);
  }

  /** One that is cut off is on an island of its own; others have numbers of nodes. */
  #island(number: number): number {
    const { cutOff, epoch } = this.#paths;
    return cutOff.has(number) ? epoch.graph.nodes.length + number : this.#surroundings.islands[number]!;
  }

  /** The addresses of endpoints with an entry that are not known any more. */
  #forgetUnknown(): string[] {
    const gone: string[] = [];
    for (const [number, { addresses }] of this.#written) {
      if (this.#paths.known.has(number)) continue;
      gone.push(...addresses);
      this.#written.delete(number);
    }
    return gone;
  }
}
