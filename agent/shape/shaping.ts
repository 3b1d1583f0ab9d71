/**
 * Decides which pairs are wanted now, and brings the local endpoints' interfaces and what arrives there to what the epoch, the
 * known endpoints and the shares say of them (README.md has the way of a share from here to the kernel).
 */
import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import type { Clock, Timers } from '../clock/clock.ts';
import type { Enforcer, Installed } from '../enforce/enforcer.ts';
import { InterfaceNeeds } from '../enforce/interface-needs.ts';
import { formatPlan } from '../enforce/plan.ts';
import { tooManyPairs } from '../enforce/too-many-pairs.ts';
import type { Epoch } from '../epoch/epoch.ts';
import { Arrivals } from './arrivals.ts';
import { Demand } from './demand.ts';
import type { Local } from './local.ts';
import { changedRates, isSameAddresses, type KnownEndpoint, PairPaths, type Rates } from './pair-paths.ts';

export type { KnownEndpoint } from './pair-paths.ts';

/** So many interfaces are attached before others have their turn. */
const ATTACHED_AT_ONCE = 32;

/** Class and delay of a pair go so long after its last packet. A pair that comes back pays for one class. */
const IDLE_MS = 60_000;

export interface ShapingOptions {
  readonly enforcer: Enforcer;
  /** How many local endpoints there will be, as far as is known: it decides whether pairs are made on demand. */
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
  /** Whether pairs are made when they are used. What has begun so stays so. */
  #isOnDemand = false;
  readonly #clock: Clock;
  readonly #timers: Timers;
  #audited = 0;
  #attached = 0;
  /** What has to wait comes one after the other: endpoints that come, that leave, and that become known. */
  #turn: Promise<void> = Promise.resolve();
  /** Endpoint → what can't be enforced there, in words. */
  readonly degraded = new Map<string, string>();

  /** Throws `TOO_MANY_PAIRS` where the delay backend can't do with so many. */
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
   * `Enforcer.attach` throws, and `TOO_MANY_PAIRS`; then nothing of it is left. What can't be enforced is in `degraded`.
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
      // Until others are known, what an agent left that was killed is the best there is.
      if (this.#paths.known.size > 0)
        await (this.#isOnDemand ? this.#demand.setKnown([], []) : this.#shape(local, [], []));
      // Thousands take a second.
      if (++this.#attached % ATTACHED_AT_ONCE === 0) await this.#timers.turn();
    });
  }

  /**
   * Gives the endpoint's interface back, where it is still there, and forgets it. What others send to it goes on as it is
   * until it is no longer known. The same number may be attached again, with whatever interface and addresses.
   */
  detach({ number }: LocalEndpoint): Promise<void> {
    return this.#inTurn(async () => {
      const local = this.#locals.get(number);
      if (!local) return;
      // From now on no tick and no event touches it.
      this.#locals.delete(number);
      this.degraded.delete(local.endpoint.name);
      this.#arrivals.leave(local.endpoint);
      if (this.#isOnDemand) this.#demand.leave(local);
      await this.#enforcer.detach(local.endpoint);
    });
  }

  /** Makes what the endpoints that are known now need; pairs of those that are not known any more lose what they have. */
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

  /** Throws `TOO_MANY_PAIRS`; goes over to pairs on demand where so many local endpoints have more than are made otherwise. */
  #expect(locals: number): void {
    const { delay } = this.#enforcer;
    const pairs = locals * (this.#paths.epoch.graph.endpoints.length - 1);
    if (pairs > delay.pairs.atMost) throw tooManyPairs(pairs, delay);
    if (this.#isOnDemand || pairs <= this.#pairsFromTheStart) return;
    this.#isOnDemand = true;
    this.#demand.takeOver();
  }

  async #shape(local: Local, changed: readonly number[], gone: readonly number[]): Promise<void> {
    const { endpoint, needs } = local;
    const isNew = !needs.hasBegun;
    if (isNew) needs.begin();
    this.#update(local, isNew ? this.#paths.known.keys() : changed, gone);
    // Many classes take seconds; ticks and questions must not wait for the last of them.
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
   * Goes over to another version of the topology, with the rates of its flows. Bandwidth, and what netem does, is in
   * force when this returns, but for very many pairs; the promise is for those and for what the delay line does.
   */
  setEpoch(epoch: Epoch, rates: Rates): Promise<void> {
    this.#paths.epoch = epoch;
    this.#paths.rates = rates;
    if (this.#isOnDemand) return this.#demand.setEpoch();
    const locals = [...this.#locals.values()];
    // Another thread does these meanwhile.
    const delayed = this.#arrivals.change(locals.map(({ endpoint }) => endpoint));
    for (const local of locals) this.#update(local, local.needs.destinations);
    return delayed;
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

  /** A local endpoint has sent something to another. */
  use(source: number, destination: number): void {
    if (this.#isOnDemand) this.#demand.use(source, destination);
  }

  /** To be called now and then: pairs that are idle lose what they have. */
  forgetIdle(): void {
    if (this.#isOnDemand) this.#demand.forgetIdle();
  }

  /** Reads everything back from the kernel; gives, per endpoint, the steps that did not take effect. */
  async verify(): Promise<string[]> {
    const found: string[] = [];
    for (const [index, { endpoint }] of [...this.#locals.values()].entries()) {
      const missing = this.#enforcer.verify(endpoint);
      if (missing.length > 0) found.push(`${endpoint.name}: ${formatPlan(endpoint.ifname, missing)}`);
      if (index % 16 === 15) await this.#timers.turn();
    }
    return found;
  }

  /**
   * Compares the next `count` local interfaces with what they shall be, and puts right what somebody has changed.
   * Gives a line for each that needed it.
   */
  audit(count: number): string[] {
    const locals = [...this.#locals.values()];
    return Array.from({ length: Math.min(count, locals.length) }).flatMap(() => {
      const local = locals[this.#audited++ % locals.length]!;
      const { name, ifname } = local.endpoint;
      const { steps, failed } = this.#reconcile(local, 'asked');
      return steps.length === 0 || failed.length > 0 ? [] : [`${name}: ${formatPlan(ifname, steps)}`];
    });
  }

  /**
   * Tells the kernel again, for so long, what it has been told: nothing is different afterwards, but the code has run
   * that does it (rehearsal.ts).
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

  /** Brings an interface to what these destinations need now, and takes away what those had. */
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
