/**
 * Classes and delays that are made with the first packets of a pair, and removed when it is idle. The work and memory
 * of an agent depend on the pairs in use, not on the possible ones.
 */
import type { Clock, Timers } from '../clock/clock.ts';
import type { Enforcer } from '../enforce/enforcer.ts';
import { IdleWheel } from '../enforce/idle-wheel.ts';
import { endpointOf } from '../enforce/path-class.ts';
import type { Arrivals } from './arrivals.ts';
import type { Local } from './local.ts';
import type { PairPaths } from './pair-paths.ts';
import { Parties } from './parties.ts';

/** So long is worked on pairs at a time before ticks and requests have their turn. */
const SLICE_MS = 8;

interface Used {
  readonly local: Local;
  readonly destination: number;
  lastMs: number;
}

export interface DemandOptions {
  readonly enforcer: Enforcer;
  readonly paths: PairPaths;
  readonly arrivals: Arrivals;
  readonly locals: ReadonlyMap<number, Local>;
  /** Pairs without a packet for this long lose class and delay. */
  readonly idleMs: number;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Changes an interface to its present needs. */
  readonly reconcile: (local: Local) => void;
}

export class Demand {
  readonly #options: DemandOptions;
  readonly #parties: Parties;
  readonly #wheel: IdleWheel<Used>;
  /** Source × 2¹⁶ + destination. */
  readonly #used = new Map<number, Used>();
  /** In use, and not yet enforced. */
  #wanted: Used[] = [];
  /** The same, of interfaces that are not netfold's yet. */
  #early: Used[] = [];
  #isServing = false;
  #epochs = 0;

  constructor(options: DemandOptions) {
    this.#options = options;
    this.#parties = new Parties(options.enforcer, options.paths, options.locals);
    this.#wheel = new IdleWheel(options.idleMs, options.clock.now());
  }

  /** How many pairs from local endpoints are in use. */
  get size(): number {
    return this.#used.size;
  }

  /** From now on, pairs that were all made from the start are removed when idle. */
  takeOver(): void {
    this.#parties.setEpoch();
    for (const local of this.#options.locals.values()) {
      for (const destination of local.needs.destinations) this.#add(local, destination);
      this.#setFirst(local);
    }
  }

  /** Sets the known endpoints: `changed` ones are new or have other addresses, `gone` ones are not known any more. */
  async setKnown(changed: readonly number[], gone: readonly number[]): Promise<void> {
    const { locals, arrivals } = this.#options;
    const pause = this.#slices();
    const isChanged = new Set(changed);
    arrivals.forgetSources(gone);
    for (const local of locals.values()) {
      for (const number of gone) this.#used.delete(key(local.endpoint.number, number));
      if (local.needs.hasBegun) {
        this.#update(
          local,
          local.needs.destinations.filter((number) => isChanged.has(number)),
          gone,
        );
      } else this.#begin(local);
      await pause();
    }
    this.#parties.tell();
    this.#want(this.#early.splice(0));
    await this.#demandDelays();
  }

  async #demandDelays(): Promise<void> {
    const { locals, enforcer, paths, arrivals, idleMs } = this.#options;
    await enforcer.delay.onDemand({
      endpoints: [...paths.known.values()],
      idleMs,
      ask: (destination, source) => {
        // Both ends may be local; then the class need not wait for the next tick.
        this.use(source, destination);
        return locals.has(destination)
          ? arrivals.answer(destination, source)
          : paths.demandedPath(source, destination);
      },
      forget: (destination, source) => arrivals.forget(destination, source),
    });
  }

  /** What a killed agent left counts as in use. */
  #begin(local: Local): void {
    const { endpoint, needs } = local;
    const minors = [...this.#options.enforcer.installedClasses(endpoint).keys()];
    const left = minors.map(endpointOf).filter((destination) => destination !== endpoint.number);
    for (const destination of left) this.#add(local, destination);
    needs.begin();
    needs.update(this.#options.paths.destinations(endpoint.number, left));
    needs.setFirst(this.#parties.firstBandwidth(endpoint.number) ?? Number.POSITIVE_INFINITY);
    this.#options.reconcile(local);
  }

  #update(local: Local, destinations: Iterable<number>, gone: Iterable<number> = []): void {
    const { endpoint, needs } = local;
    needs.update(this.#options.paths.destinations(endpoint.number, destinations), gone);
    this.#options.reconcile(local);
  }

  /** An endpoint is no longer local; another may have its number next. */
  leave(local: Local): void {
    for (const [pair, used] of this.#used) if (used.local === local) this.#used.delete(pair);
    this.#parties.tell();
  }

  /** A pair has sent a packet. */
  use(source: number, destination: number): void {
    const local = this.#options.locals.get(source);
    if (!local || source === destination) return;
    const used = this.#used.get(key(source, destination));
    if (used) {
      used.lastMs = this.#options.clock.now();
      return;
    }
    this.#want([this.#add(local, destination)]);
  }

  #want(pairs: readonly Used[]): void {
    this.#wanted.push(...pairs);
    if (this.#isServing || this.#wanted.length === 0) return;
    this.#isServing = true;
    // Not at once: pairs that start in the same tick are enforced together.
    void this.#serve();
  }

  #add(local: Local, destination: number): Used {
    const now = this.#options.clock.now();
    const used = { local, destination, lastMs: now };
    this.#used.set(key(local.endpoint.number, destination), used);
    this.#wheel.add(used, now);
    return used;
  }

  /** The same two endpoints may have become another pair meanwhile. */
  #isUsed(used: Used): boolean {
    return this.#used.get(keyOf(used)) === used;
  }

  async #serve(): Promise<void> {
    const pause = this.#slices();
    await this.#options.timers.turn();
    while (this.#wanted.length > 0) {
      const bySource = Map.groupBy(this.#wanted, ({ local }) => local);
      this.#wanted = [];
      for (const [local, pairs] of bySource) {
        // One of the two endpoints may have left while others were worked on.
        const used = pairs.filter((one) => this.#isUsed(one));
        const destinations = used.map(({ destination }) => destination);
        if (!local.needs.hasBegun) this.#early.push(...used);
        else if (used.length > 0) this.#update(local, destinations);
        await pause();
      }
    }
    this.#isServing = false;
  }

  /** Removes idle pairs. Costs nothing while none can be idle. */
  forgetIdle(): void {
    const now = this.#options.clock.now();
    if (now < this.#wheel.nextMs) return;
    const idle = this.#wheel.idle(now, (used) => (this.#isUsed(used) ? used.lastMs : -1));
    for (const used of idle) this.#used.delete(keyOf(used));
    for (const [local, pairs] of Map.groupBy(idle, ({ local: one }) => one)) {
      const destinations = pairs.map(({ destination }) => destination);
      this.#update(local, [], destinations);
    }
  }

  /**
   * Changes to another epoch: checks the pairs in use, and changes those that differ in it. A small number is done
   * when this returns; for a large one, the work alternates with ticks and requests, and is abandoned for the next
   * epoch.
   */
  async setEpoch(): Promise<void> {
    const epoch = ++this.#epochs;
    const { locals, enforcer, arrivals } = this.#options;
    const pause = this.#slices();
    this.#parties.setEpoch();
    for (const local of locals.values()) this.#setFirst(local);
    this.#parties.tell();
    const changed = [];
    for (const local of locals.values()) {
      if (local.needs.size > 0) this.#update(local, local.needs.destinations);
      changed.push(...arrivals.different(local.endpoint.number));
      if (pause.isDue()) await pause();
      if (epoch !== this.#epochs) break;
    }
    if (changed.length > 0) await enforcer.delay.change(changed);
  }

  #setFirst(local: Local): void {
    const bandwidth = this.#parties.firstBandwidth(local.endpoint.number);
    // An endpoint without links sends nowhere: nothing changes until it has links again.
    if (!local.needs.hasBegun || bandwidth === undefined) return;
    local.needs.setFirst(bandwidth);
    this.#options.reconcile(local);
  }

  /** Lets other work have its turn when a slice of time is over. */
  #slices(): { (): Promise<void>; isDue(): boolean } {
    const { clock, timers } = this.#options;
    let end = clock.now() + SLICE_MS;
    const isDue = (): boolean => clock.now() >= end;
    const pause = async (): Promise<void> => {
      if (!isDue()) return;
      await timers.turn();
      end = clock.now() + SLICE_MS;
    };
    return Object.assign(pause, { isDue });
  }
}

function keyOf({ local, destination }: Used): number {
  return key(local.endpoint.number, destination);
}

function key(source: number, destination: number): number {
  return source * 65_536 + destination;
}
