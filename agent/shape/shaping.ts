/** Keeps the local endpoints' interfaces in step with the epoch, the known endpoints and the shares. */

import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import { NetfoldError } from '../../proto/errors.ts';
import type { Clock, Timers } from '../clock/clock.ts';
import type { Enforcer } from '../enforce/enforcer.ts';
import { formatPlan } from '../enforce/plan.ts';
import type { FailedOp } from '../enforce/ports.ts';
import type { Epoch } from '../epoch/epoch.ts';
import { Demand } from './demand.ts';
import { LocalPairs } from './local-pairs.ts';
import { type KnownEndpoint, PairPaths, type Rates } from './pair-paths.ts';

export type { KnownEndpoint } from './pair-paths.ts';

/**
 * Up to so many pairs of a local endpoint and any other, all have class and delay from the start; above, those that are
 * used. A class costs the kernel 0.1 ms and more (docs/limits.md); looking at all pairs in a new epoch takes 2 ms.
 */
export const PAIRS_FROM_THE_START = 4096;

/** Where the delay backend can't hold what has no path yet, all must be there from the start. */
export const MOST_PAIRS_FROM_THE_START = 32_768;

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
  readonly pairsFromTheStart?: number;
}

export class Shaping {
  readonly #enforcer: Enforcer;
  readonly #paths: PairPaths;
  /** By number; those that are attached. */
  readonly #locals = new Map<number, LocalPairs>();
  readonly #isOnDemand: boolean;
  readonly #idleMs: number;
  readonly #clock: Clock;
  readonly #timers: Timers;
  #demand: Demand | undefined;
  #audited = 0;
  /** What has to wait comes one after the other: endpoints that come, that leave, and that become known. */
  #turn: Promise<void> = Promise.resolve();
  #attached = 0;
  /** Endpoint → what can't be enforced there, in words. */
  readonly degraded = new Map<string, string>();

  /** Throws `TOO_MANY_PAIRS` where the delay backend can't do with so many. */
  constructor(options: ShapingOptions) {
    this.#enforcer = options.enforcer;
    this.#paths = new PairPaths(options.epoch);
    this.#idleMs = options.idleMs ?? IDLE_MS;
    this.#clock = options.clock;
    this.#timers = options.timers;
    const { onDemand } = options.enforcer.delay;
    const pairs = this.#pairsOf(options.expected);
    this.#isOnDemand = pairs > (options.pairsFromTheStart ?? PAIRS_FROM_THE_START) && onDemand !== undefined;
    this.#refuseTooMany(pairs);
  }

  isLocal(endpoint: number): boolean {
    return this.#locals.has(endpoint);
  }

  /**
   * Takes an endpoint's interface over, and makes what its pairs need as far as others are known. Throws what
   * `Enforcer.attach` throws, and `TOO_MANY_PAIRS`; then nothing of it is left. What can't be enforced is in `degraded`.
   */
  attach(endpoint: LocalEndpoint): Promise<void> {
    return this.#inTurn(async () => {
      if (this.isLocal(endpoint.number)) throw new Error(`${endpoint.name} is attached already`);
      this.#refuseTooMany(this.#pairsOf(this.#locals.size + 1));
      await this.#enforcer.attach(endpoint);
      const local = new LocalPairs(endpoint, this.#enforcer, this.#paths);
      this.#locals.set(endpoint.number, local);
      // Until others are known, what an agent left that was killed is the best there is.
      if (this.#paths.known.size > 0)
        await (this.#isOnDemand ? this.#onDemand().setKnown([], []) : this.#shape(local, [], []));
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
      this.#demand?.leave(local);
      await this.#enforcer.detach(local.endpoint);
    });
  }

  #inTurn(action: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(action);
    this.#turn = done.catch(() => {});
    return done;
  }

  #pairsOf(local: number): number {
    return local * (this.#paths.epoch.graph.endpoints.length - 1);
  }

  #refuseTooMany(pairs: number): void {
    if (this.#isOnDemand || pairs <= MOST_PAIRS_FROM_THE_START) return;
    throw tooManyPairs(pairs, this.#enforcer.delay.name);
  }

  /** How many pairs are enforced now. */
  get pairs(): number {
    let sum = 0;
    for (const local of this.#locals.values()) sum += local.size;
    return sum;
  }

  /** Makes what the endpoints that are known now need; pairs of those that are not known any more lose what they have. */
  setKnown(known: readonly KnownEndpoint[]): Promise<void> {
    return this.#inTurn(() => this.#setKnown(known));
  }

  async #setKnown(known: readonly KnownEndpoint[]): Promise<void> {
    const before = this.#paths.known;
    this.#paths.known = new Map(known.map((one) => [one.number, one]));
    const changed = known.filter(
      ({ number, addresses }) => !isSame(before.get(number)?.addresses, addresses),
    );
    const numbers = changed.map(({ number }) => number);
    const gone = [...before.keys()].filter((number) => !this.#paths.known.has(number));
    if (this.#isOnDemand) await this.#onDemand().setKnown(numbers, gone);
    else for (const local of this.#locals.values()) await this.#shape(local, numbers, gone);
  }

  /**
   * Goes over to another version of the topology, with the rates of its flows. Bandwidth, and what netem does, is in
   * force when this returns, but for very many pairs; the promise is for those and for what the delay line does.
   */
  setEpoch(epoch: Epoch, rates: Rates): Promise<void> {
    this.#paths.epoch = epoch;
    this.#paths.rates = rates;
    if (this.#demand) return this.#demand.setEpoch();
    // Another thread does these meanwhile.
    const delayed = this.#changeDelays();
    for (const local of this.#locals.values()) this.#noteFailed(local, local.updateAll());
    return delayed;
  }

  /** Only what is different, and all of it in one message: each wakes a thread that goes before this one. */
  async #changeDelays(): Promise<void> {
    if (this.#enforcer.delay.side === 'source') return;
    const [told, untold] = [[], []] as [LocalPairs[], LocalPairs[]];
    for (const local of this.#locals.values()) (local.isTold ? told : untold).push(local);
    await Promise.all([this.#changePaths(told), ...untold.map((local) => this.#delay(local))]);
  }

  async #changePaths(locals: readonly LocalPairs[]): Promise<void> {
    const changed = locals.flatMap((local) => local.changedSources());
    if (changed.length === 0) return;
    try {
      await this.#enforcer.delay.change(changed);
    } catch (error) {
      for (const local of locals) {
        local.forgetTold();
        this.#note(local.endpoint, error as Error);
      }
    }
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
        this.#noteFailed(local, local.reassert());
        local.forgetTold();
        await this.#delay(local);
        await this.#timers.turn();
        if (this.#clock.now() >= end) break;
      }
    }
  }

  /** Sets the rates of all flows from local endpoints; only pairs with a change are touched. */
  setRates(rates: Rates): void {
    const before = this.#paths.rates;
    this.#paths.rates = rates;
    for (const source of new Set([...before.keys(), ...rates.keys()])) {
      const local = this.#locals.get(source);
      const different = differences(before.get(source), rates.get(source));
      const enforced = local ? different.filter((destination) => local.sendsTo(destination)) : [];
      if (local && enforced.length > 0) this.#noteFailed(local, local.update(enforced));
    }
  }

  /** A local endpoint has sent something to another. */
  use(source: number, destination: number): void {
    this.#demand?.use(source, destination);
  }

  /** To be called now and then: pairs that are idle lose what they have. */
  forgetIdle(): void {
    this.#demand?.forgetIdle();
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
    const looked = Math.min(count, locals.length);
    return Array.from({ length: looked }, () => locals[this.#audited++ % locals.length]!).flatMap(
      ({ endpoint }) => {
        try {
          const ops = this.#enforcer.repair(endpoint);
          this.#note(endpoint, undefined);
          return ops.length === 0 ? [] : [`${endpoint.name}: ${formatPlan(endpoint.ifname, ops)}`];
        } catch (error) {
          this.#note(endpoint, error as Error);
          return [];
        }
      },
    );
  }

  #onDemand(): Demand {
    this.#demand ??= new Demand({
      enforcer: this.#enforcer,
      paths: this.#paths,
      locals: this.#locals,
      idleMs: this.#idleMs,
      clock: this.#clock,
      timers: this.#timers,
      note: (local, failed) => this.#noteFailed(local, failed),
    });
    return this.#demand;
  }

  async #shape(local: LocalPairs, changed: readonly number[], gone: readonly number[]): Promise<void> {
    const failed = local.hasBegun
      ? local.update(changed, gone)
      : local.begin(this.#paths.known.keys(), Number.POSITIVE_INFINITY);
    this.#noteFailed(local, failed);
    // Many classes take seconds; ticks and questions must not wait for the last of them.
    await this.#timers.turn();
    local.forgetTold();
    await this.#delay(local);
  }

  async #delay(local: LocalPairs): Promise<void> {
    if (this.#enforcer.delay.side === 'source') return;
    try {
      const paths = local.changedPaths(this.#paths.known.keys());
      if (paths) await this.#enforcer.setDelays(local.endpoint, paths);
    } catch (error) {
      local.forgetTold();
      this.#note(local.endpoint, error as Error);
    }
  }

  #noteFailed({ endpoint }: LocalPairs, [first]: readonly FailedOp[]): void {
    this.#note(endpoint, first?.error);
  }

  #note({ name, number }: LocalEndpoint, error: Error | undefined): void {
    if (error && this.isLocal(number)) this.degraded.set(name, `${name}: ${error.message}`);
    else this.degraded.delete(name);
  }
}

function differences(
  a: ReadonlyMap<number, number> | undefined,
  b: ReadonlyMap<number, number> | undefined,
): number[] {
  const found = [...(b ?? [])].filter(([key, rate]) => a?.get(key) !== rate).map(([key]) => key);
  for (const key of a?.keys() ?? []) if (!b?.has(key)) found.push(key);
  return found;
}

function isSame(a: readonly string[] | undefined, b: readonly string[]): boolean {
  return a?.length === b.length && b.every((one, index) => one === a[index]);
}

function tooManyPairs(pairs: number, backend: string): NetfoldError {
  return new NetfoldError({
    code: 'TOO_MANY_PAIRS',
    blame: 'machine',
    message: `${pairs} pairs of an endpoint of this host and any other: with ${backend} at most ${MOST_PAIRS_FROM_THE_START} can be shaped`,
    remedy: 'use --delay-backend delay-line, which makes what is used, or more hosts',
  });
}
