/**
 * Decides which pairs are wanted now, and keeps the local endpoints' interfaces, and the treatment of their arriving
 * packets, up to date with the epoch, the known endpoints and the shares (README.md has the way of a share from here
 * to the kernel).
 */
import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import type { Clock, Timers } from '../clock/clock.ts';
import type { Enforcer, Installed } from '../enforce/enforcer.ts';
import { InterfaceNeeds } from '../enforce/interface-needs.ts';
import { formatPlan } from '../enforce/plan-text.ts';
import { tooManyLanes, tooManyPairs } from '../enforce/too-many-pairs.ts';
import type { Epoch } from '../epoch/epoch.ts';
import { Arrivals } from './arrivals.ts';
import { Demand } from './demand.ts';
import type { Local } from './local.ts';
import { changedRates, isSameAddresses, type KnownEndpoint, PairPaths, type Rates } from './pair-paths.ts';

export type { KnownEndpoint } from './pair-paths.ts';

/** So many interfaces are attached before other work has its turn. */
const ATTACHED_AT_ONCE = 32;

/** Class and delay of a pair are removed this long after its last packet. A pair that returns costs one class. */
const IDLE_MS = 60_000;

/** Where pairs have several paths, all are made from the start: a class costs the kernel 0.1 ms and more (docs/limits.md). */
const MOST_LANES_OF_PAIRS = 32_768;

export interface ShapingOptions {
  readonly enforcer: Enforcer;
  /** How many local endpoints there will be, as far as known: it decides whether pairs are made on demand. */
  readonly expected: number;
  readonly epoch: Epoch;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly idleMs?: number;
  /** Instead of the delay backend's. */
  readonly pairsFromTheStart?: number;
}

export class Shaping {
  readonly #enforcer: Enforcer;
  readonly #paths: PairPaths;
  readonly #arrivals: Arrivals;
  readonly #demand: Demand;
  /** By number; those that are attached. */
  readonly #locals = new Map<number, Local>();
  readonly #pairsFromTheStart: number;
  /** Whether pairs are made on demand. Once true, it stays true. */
  #isOnDemand = false;
  readonly #clock: Clock;
  readonly #timers: Timers;
  #audited = 0;
  #attached = 0;
  /** Operations that wait, in their order: attaching, detaching, and changes of the known endpoints. */
  #turn: Promise<void> = Promise.resolve();
  /** Endpoint → what can't be enforced there, in words. */
  readonly degraded = new Map<string, string>();

  /** Throws `TOO_MANY_PAIRS` if the delay backend can't have so many. */
  constructor(options: ShapingOptions) {
    const { enforcer, clock, timers, idleMs = IDLE_MS } = options;
    this.#enforcer = enforcer;
    this.#clock = clock;
    this.#timers = timers;
    this.#paths = new PairPaths(options.epoch);
    this.#arrivals = new Arrivals(enforcer.delay, this.#paths, (endpoint, error) =>
      this.#note(endpoint, error),
    );
    this.#demand = new Demand({
      ...{ enforcer, clock, timers, idleMs, paths: this.#paths, arrivals: this.#arrivals },
      locals: this.#locals,
      reconcile: (local) => this.#reconcile(local),
    });
    this.#pairsFromTheStart = options.pairsFromTheStart ?? enforcer.delay.pairs.fromTheStart;
    this.#expect(options.expected);
  }

  /**
   * Takes an endpoint's interface over, and makes what its pairs need as far as others are known. Throws what
   * `Enforcer.attach` throws, and `TOO_MANY_PAIRS`; then nothing of it is left. `degraded` has what can't be
   * enforced.
   */
  attach(endpoint: LocalEndpoint): Promise<void> {
    return this.#inTurn(async () => {
      const { number, name } = endpoint;
      if (this.#locals.has(number)) throw new Error(`${name} is attached already`);
      this.#expect(this.#locals.size + 1);
      await this.#enforcer.attach(endpoint);
      const { delay } = this.#enforcer;
      const desired = this.#enforcer.desired(endpoint);
      const adopted = this.#enforcer.installedClasses(endpoint);
      const local = { endpoint, needs: new InterfaceNeeds(number, desired, delay.inQueue, adopted) };
      this.#locals.set(number, local);
      // Until others are known, the state that a killed agent left is the best there is.
      if (this.#paths.known.size > 0)
        await (this.#isOnDemand ? this.#demand.setKnown([], []) : this.#shape(local, [], []));
      // Thousands take a second.
      if (++this.#attached % ATTACHED_AT_ONCE === 0) await this.#timers.turn();
    });
  }

  /**
   * Restores the endpoint's interface, if it still exists, and forgets it. Paths to it stay until the endpoint is no
   * longer known. The same number may be attached again, with any interface and addresses.
   */
  detach({ number }: LocalEndpoint): Promise<void> {
    return this.#inTurn(async () => {
      const local = this.#locals.get(number);
      if (!local) return;
      // From now on ticks and events do not touch it.
      this.#locals.delete(number);
      this.degraded.delete(local.endpoint.name);
      this.#arrivals.leave(local.endpoint);
      if (this.#isOnDemand) this.#demand.leave(local);
      await this.#enforcer.detach(local.endpoint);
    });
  }

  /** Makes what the known endpoints need; pairs of endpoints that are not known any more lose what they have. */
  setKnown(known: readonly KnownEndpoint[]): Promise<void> {
    return this.#inTurn(async () => {
      const before = this.#paths.known;
      this.#paths.known = new Map(known.map((one) => [one.number, one]));
      const gone = [...before.keys()].filter((number) => !this.#paths.known.has(number));
      const changed = known
        .filter(({ number, addresses }) => !isSameAddresses(before.get(number)?.addresses, addresses))
        .map(({ number }) => number);
      if (this.#isOnDemand) await this.#demand.setKnown(changed, gone);
      else for (const local of this.#locals.values()) await this.#shape(local, changed, gone);
    });
  }

  #inTurn(action: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(action);
    this.#turn = done.catch(() => {});
    return done;
  }

  /**
   * Throws `TOO_MANY_PAIRS`; changes to pairs on demand if so many local endpoints have more pairs than are made from
   * the start.
   */
  #expect(locals: number): void {
    const { delay } = this.#enforcer;
    const { graph, lanes } = this.#paths.epoch;
    const pairs = locals * (graph.endpoints.length - 1);
    if (lanes.areSeveral) {
      if (pairs * lanes.most > MOST_LANES_OF_PAIRS)
        throw tooManyLanes(pairs, lanes.most, MOST_LANES_OF_PAIRS);
      return;
    }
    if (pairs > delay.pairs.atMost) throw tooManyPairs(pairs, delay);
    if (this.#isOnDemand || pairs <= this.#pairsFromTheStart) return;
    this.#isOnDemand = true;
    this.#demand.takeOver();
  }

  async #shape(local: Local, changed: readonly number[], gone: readonly number[]): Promise<void> {
    const { endpoint, needs } = local;
    const isNew = !needs.hasBegun;
    if (isNew) needs.begin();
    const { lanes } = this.#paths.epoch;
    this.#update(local, lanes.all(isNew ? this.#paths.known.keys() : changed), lanes.all(gone));
    // Many classes take seconds; ticks and requests must not wait for the last of them.
    await this.#timers.turn();
    await this.#arrivals.tell(endpoint);
  }

  /** How many pairs are enforced now. */
  get pairs(): number {
    let sum = 0;
    for (const { needs } of this.#locals.values()) sum += needs.size;
    return sum;
  }

  /**
   * Changes to another version of the topology, with the rates of its flows. Bandwidth, and netem's part, is in force
   * when this returns, except for very many pairs; the promise is for those and for the delay line's part.
   */
  setEpoch(epoch: Epoch, rates: Rates): Promise<void> {
    this.#paths.epoch = epoch;
    this.#paths.rates = rates;
    if (this.#isOnDemand) return this.#demand.setEpoch();
    const locals = [...this.#locals.values()];
    // Another thread does this meanwhile.
    const delayed = this.#arrivals.change(locals.map(({ endpoint }) => endpoint));
    for (const local of locals) this.#update(local, local.needs.destinations);
    return delayed;
  }

  /** Sets the endpoints that have no path, whatever the epoch says. In force with the next `setEpoch`. */
  cutOff(endpoints: ReadonlySet<number>): void {
    this.#paths.cutOff = endpoints;
  }

  /** Sets the rates of all flows from local endpoints; only pairs with a change are touched. */
  setRates(rates: Rates): void {
    const changed = changedRates(this.#paths.rates, rates);
    this.#paths.rates = rates;
    for (const [source, destinations] of changed) {
      const local = this.#locals.get(source);
      const enforced = destinations.filter((destination) => local?.needs.has(destination));
      if (local && enforced.length > 0) this.#update(local, enforced);
    }
  }

  /** A local endpoint has sent a packet to another. */
  use(source: number, destination: number): void {
    if (this.#isOnDemand) this.#demand.use(source, destination);
  }

  /** To be called regularly: idle pairs lose what they have. */
  forgetIdle(): void {
    if (this.#isOnDemand) this.#demand.forgetIdle();
  }

  /** Reads everything back from the kernel. Returns, per endpoint, the steps that did not take effect. */
  async verify(): Promise<string[]> {
    const found: string[] = [];
    for (const [index, { endpoint }] of [...this.#locals.values()].entries()) {
      const missing = this.#enforcer.verify(endpoint);
      if (missing.length > 0) found.push(`${endpoint.name}: ${formatPlan(endpoint.ifname, missing)}`);
      if (index % 16 === 15) await this.#timers.turn();
    }
    return found;
  }

  /** The local endpoint whose turn it is to be audited, one after the other; `undefined` if there is none. */
  nextInTurn(): number | undefined {
    const numbers = [...this.#locals.keys()];
    return numbers[this.#audited++ % numbers.length];
  }

  /** Audits a local endpoint, and corrects what another program has changed. Returns what that was, in words. */
  audit(number: number): string[] {
    const local = this.#locals.get(number);
    if (!local) return [];
    const { steps, failed } = this.#reconcile(local, 'asked');
    const plan = steps.length === 0 || failed.length > 0 ? [] : [formatPlan(local.endpoint.ifname, steps)];
    return [...plan, ...this.#repair(local)];
  }

  /** What the delay backend has at the interface. An interface that is not as it should be is repaired first. */
  #repair({ endpoint }: Local): string[] {
    if (this.degraded.has(endpoint.name)) return [];
    try {
      return this.#enforcer.delay.repair?.(endpoint) ?? [];
    } catch (error) {
      this.#note(endpoint, error as Error);
      return [];
    }
  }

  /**
   * Sends the installed state to the kernel again, for so long: nothing changes, but the code of changes has run
   * (rehearsal.ts).
   */
  async reassert(milliseconds: number): Promise<void> {
    if (this.#isOnDemand) return;
    const end = this.#clock.now() + milliseconds;
    while (this.#locals.size > 0 && this.#clock.now() < end) {
      for (const local of this.#locals.values()) {
        this.#reconcile(local, 'forgotten');
        await this.#arrivals.tell(local.endpoint);
        await this.#timers.turn();
        if (this.#clock.now() >= end) break;
      }
    }
  }

  /** Changes an interface to the needs of these destinations, and removes those of the `gone` ones. */
  #update(local: Local, destinations: Iterable<number>, gone: Iterable<number> = []): void {
    local.needs.update(this.#paths.destinations(local.endpoint.number, destinations), gone);
    this.#reconcile(local);
  }

  #reconcile({ endpoint }: Local, installed?: Installed): ReturnType<Enforcer['reconcile']> {
    try {
      const reconciled = this.#enforcer.reconcile(endpoint, installed);
      this.#note(endpoint, reconciled.failed[0]?.error);
      return reconciled;
    } catch (error) {
      this.#note(endpoint, error as Error);
      return { steps: [], failed: [] };
    }
  }

  #note({ name, number }: LocalEndpoint, error: Error | undefined): void {
    if (error && this.#locals.has(number)) this.degraded.set(name, `${name}: ${error.message}`);
    else this.degraded.delete(name);
  }
}
