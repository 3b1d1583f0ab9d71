/**
 * Hosts to which the real network takes longer than it did, by probes of their agents: kernels answer them, so a process that waits
 * does not look like it. Packets wait in a machine only where the kernel itself gets no processor. Pure.
 */
import { fromMillis, type Micros } from '../../proto/units.ts';

/** Beyond the shortest round trip by the greater of these, one is odd … */
const MARGIN_MS = 10;
const MARGIN_RATIO = 0.2;
/** … and when all are for so long, and so many, the network is longer: the shortest of them met no queue that soon passes. */
const LONG_FOR_MS = 900;
const LONG_IN_A_ROW = 4;
/** Where this machine has no time left, packets may wait in it: what goes on for so long is the network's. */
const LASTING_MS = 5000;
/** A value that differs by less stays: who derives much from it need not do that anew. */
const SAME_RATIO = 0.05;
/** Of those in a row, the latest are kept: over more than `LONG_FOR_MS`, also where ten a second are sent. */
const KEPT = 12;

/** Of one host. */
export class LongerTrip {
  #shortestMs: number | undefined;
  /** Of the mesh's connections, since the first of them. */
  #tcpMs = Number.POSITIVE_INFINITY;
  /** Odd ones since the last that was not. */
  #odd: number[] = [];
  #oddSince = 0;
  #oddCount = 0;
  #oddLeast = Number.POSITIVE_INFINITY;
  #longerMs: number | undefined;
  #hasLasted = false;

  /** The shortest of all; `undefined`: none came back yet. */
  get shortestMs(): number | undefined {
    return this.#shortestMs;
  }

  /** What it takes now, while that is longer. */
  get longerMs(): number | undefined {
    return this.#longerMs;
  }

  /** What it has taken at the least for some seconds, while all of them are longer. */
  get lastingMs(): number | undefined {
    return this.#hasLasted ? this.#oddLeast : undefined;
  }

  /** Whether the last one took longer. */
  get isOdd(): boolean {
    return this.#oddCount > 0;
  }

  /** Whether more should be asked, to know. */
  get isDoubtful(): boolean {
    return this.#oddCount > 0 && this.#longerMs === undefined;
  }

  /**
   * The mesh's TCP has once taken `ms` there and back: its connections are older than the first probe, and the network may have become
   * slower in between.
   */
  noteTcp(ms: number): void {
    this.#tcpMs = Math.min(this.#tcpMs, ms);
  }

  /** A probe took `ms`, as is known at `at`. */
  note(ms: number, at: number): void {
    const shortest = Math.min(ms, this.#shortestMs ?? ms);
    this.#shortestMs = shortest;
    const usual = Math.min(shortest, this.#tcpMs);
    if (ms <= usual + Math.max(MARGIN_MS, MARGIN_RATIO * usual)) {
      this.#odd = [];
      this.#oddCount = 0;
      this.#longerMs = undefined;
      this.#hasLasted = false;
      return;
    }
    if (this.#oddCount === 0) [this.#oddSince, this.#oddLeast] = [at, ms];
    this.#oddCount++;
    this.#oddLeast = Math.min(this.#oddLeast, ms);
    this.#hasLasted = this.#longerMs !== undefined && at - this.#oddSince >= LASTING_MS;
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

  /** `isBusy`: this machine has no time left; only what lasts counts. */
  of(hosts: Iterable<readonly [string, LongerTrip]>, isBusy: boolean): ReadonlyMap<string, Micros> {
    const now = new Map<string, Micros>();
    for (const [host, { longerMs, lastingMs }] of hosts) {
      const ms = isBusy ? lastingMs : longerMs;
      if (ms !== undefined) now.set(host, fromMillis(ms));
    }
    const isSame =
      now.size === this.#told.size && [...now].every(([host, micros]) => this.#told.get(host) === micros);
    if (!isSame) this.#told = now;
    return this.#told;
  }
}
