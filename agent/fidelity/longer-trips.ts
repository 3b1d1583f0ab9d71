/**
 * Hosts to which the real network takes longer than it did, by probes of their agents: kernels answer them, so a machine that is busy
 * does not look like it. Pure.
 */
import { fromMillis, type Micros } from '../../proto/units.ts';

/** Beyond the shortest round trip by the greater of these, one is odd … */
const MARGIN_MS = 10;
const MARGIN_RATIO = 0.2;
/** … and when all are for so long, and so many, the network is longer: the shortest of them met no queue that soon passes. */
const LONG_FOR_MS = 900;
const LONG_IN_A_ROW = 4;
/** A value that differs by less stays: who derives much from it need not do that anew. */
const SAME_RATIO = 0.05;
/** Of those in a row, the latest are kept: over more than `LONG_FOR_MS`, also where ten a second are sent. */
const KEPT = 12;

/** Of one host. */
export class LongerTrip {
  #shortestMs: number | undefined;
  /** Odd ones since the last that was not. */
  #odd: number[] = [];
  #oddSince = 0;
  #oddCount = 0;
  #longerMs: number | undefined;

  /** The shortest of all; `undefined`: none came back yet. */
  get shortestMs(): number | undefined {
    return this.#shortestMs;
  }

  /** What it takes now, while that is longer. */
  get longerMs(): number | undefined {
    return this.#longerMs;
  }

  /** Whether the last one took longer. */
  get isOdd(): boolean {
    return this.#oddCount > 0;
  }

  /** Whether more should be asked, to know. */
  get isDoubtful(): boolean {
    return this.#oddCount > 0 && this.#longerMs === undefined;
  }

  /** A probe took `ms`, as is known at `at`. */
  note(ms: number, at: number): void {
    const shortest = Math.min(ms, this.#shortestMs ?? ms);
    this.#shortestMs = shortest;
    if (ms <= shortest + Math.max(MARGIN_MS, MARGIN_RATIO * shortest)) {
      this.#odd = [];
      this.#oddCount = 0;
      this.#longerMs = undefined;
      return;
    }
    if (this.#oddCount === 0) this.#oddSince = at;
    this.#oddCount++;
    this.#odd = [...this.#odd, ms].slice(-KEPT);
    if (this.#oddCount < LONG_IN_A_ROW || at - this.#oddSince < LONG_FOR_MS) return;
    const least = Math.min(...this.#odd);
    const before = this.#longerMs;
    if (before === undefined || Math.abs(least - before) > SAME_RATIO * before) this.#longerMs = least;
  }
}

/** Host → round trip. Another map after each change of a value. */
export class LongerTrips {
  #told: ReadonlyMap<string, Micros> = new Map();

  of(hosts: Iterable<readonly [string, LongerTrip]>): ReadonlyMap<string, Micros> {
    const now = new Map<string, Micros>();
    for (const [host, { longerMs }] of hosts) if (longerMs !== undefined) now.set(host, fromMillis(longerMs));
    const isSame =
      now.size === this.#told.size && [...now].every(([host, micros]) => this.#told.get(host) === micros);
    if (!isSame) this.#told = now;
    return this.#told;
  }
}
