/** Keeps the classifiers informed of endpoints whose pairs have no class yet: only what is different is told. */
import type { Enforcer } from '../enforce/enforcer.ts';
import { type Surroundings, surroundings } from '../enforce/islands.ts';
import type { Party } from '../enforce/ports.ts';
import type { Local } from './local.ts';
import type { PairPaths } from './pair-paths.ts';

/** The classifier knows the sides of so many (NETFOLD_PARTITIONS in bpf/layout.h). */
const PARTITIONS = 8;

export class Parties {
  readonly #enforcer: Enforcer;
  readonly #paths: PairPaths;
  readonly #locals: ReadonlyMap<number, Local>;
  /** Endpoint → what was told of it. */
  readonly #told = new Map<number, { readonly text: string; readonly addresses: readonly string[] }>();
  #surroundings: Surroundings;

  constructor(enforcer: Enforcer, paths: PairPaths, locals: ReadonlyMap<number, Local>) {
    this.#enforcer = enforcer;
    this.#paths = paths;
    this.#locals = locals;
    this.#surroundings = surroundings(paths.epoch.graph);
  }

  /** Looks at the epoch that is in force now. */
  setEpoch(): void {
    this.#surroundings = surroundings(this.#paths.epoch.graph);
  }

  /** The best that any path from an endpoint can have, bit/s; `undefined` for one without links. */
  firstBandwidth(endpoint: number): number | undefined {
    const fastest = this.#surroundings.fastest[endpoint]!;
    return fastest > 0 ? fastest : undefined;
  }

  /** Tells of all known endpoints, and takes back what was told of others. After their first classes are there. */
  tell(): void {
    const changed: Party[] = [];
    const gone = this.#forgetUnknown();
    for (const { number, addresses } of this.#paths.known.values()) {
      const party: Party = {
        addresses,
        island: this.#surroundings.islands[number]!,
        firstMinor: this.#locals.get(number)?.needs.firstMinor ?? 0,
        sides: this.#surroundings.sides(number, PARTITIONS),
      };
      const text = JSON.stringify(party);
      const told = this.#told.get(number);
      if (told?.text === text) continue;
      if (told) gone.push(...told.addresses.filter((address) => !addresses.includes(address)));
      this.#told.set(number, { text, addresses });
      changed.push(party);
    }
    // An address may be another endpoint's by now.
    const kept = new Set(
      gone.length === 0 ? [] : [...this.#paths.known.values()].flatMap((one) => one.addresses),
    );
    const free = gone.filter((address) => !kept.has(address));
    if (changed.length > 0 || free.length > 0) this.#enforcer.introduce(changed, free);
  }

  /** The addresses of those that were told of and are not known any more. */
  #forgetUnknown(): string[] {
    const gone: string[] = [];
    for (const [number, { addresses }] of this.#told) {
      if (this.#paths.known.has(number)) continue;
      gone.push(...addresses);
      this.#told.delete(number);
    }
    return gone;
  }
}
