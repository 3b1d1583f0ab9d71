/** Keeps the local endpoints' interfaces in step with the epoch, the known endpoints and the shares. */
import { setImmediate } from 'node:timers/promises';
import type { Path } from '../../topology/model.ts';
import type { LocalEndpoint } from '../endpoints/model.ts';
import { type Destination, desiredInterface } from '../enforce/desired-interface.ts';
import type { Enforcer } from '../enforce/enforcer.ts';
import { formatPlan } from '../enforce/plan.ts';
import type { ImpairedPath } from '../enforce/ports.ts';
import type { Epoch } from './epoch.ts';

/** An endpoint anywhere, with its addresses. */
export interface KnownEndpoint {
  readonly number: number;
  readonly addresses: readonly string[];
}

/** The paths between an endpoint and all that are known, in their order. */
interface Surroundings {
  readonly from: readonly (Path | undefined)[];
  readonly to: readonly (Path | undefined)[];
}

export class Shaping {
  readonly #enforcer: Enforcer;
  readonly #local: readonly LocalEndpoint[];
  #epoch: Epoch;
  #known: readonly KnownEndpoint[] = [];
  /** Rates of flows, bit/s: source → destination → rate. Paths without a flow have their bandwidth. */
  #rates = new Map<number, Map<number, number>>();
  #audited = 0;
  /** Endpoint → what was there when its interface, and its delays, were set last. */
  readonly #seen = new Map<number, Surroundings>();
  /** Endpoint → what can't be enforced there, in words. */
  readonly degraded = new Map<string, string>();

  constructor({
    enforcer,
    local,
    epoch,
  }: { enforcer: Enforcer; local: readonly LocalEndpoint[]; epoch: Epoch }) {
    this.#enforcer = enforcer;
    this.#local = local;
    this.#epoch = epoch;
  }

  /** Makes classes and delays for the endpoints that are known now. */
  setKnown(known: readonly KnownEndpoint[]): Promise<void> {
    this.#known = known;
    return this.#shapeAll();
  }

  /**
   * Goes over to another version of the topology, with the rates of its flows. Bandwidth, and what netem does, is in
   * force when this returns; the promise is for what the delay line does.
   */
  setEpoch(epoch: Epoch, rates: Map<number, Map<number, number>>): Promise<void> {
    const ratesBefore = this.#rates;
    this.#epoch = epoch;
    this.#rates = rates;
    const { side } = this.#enforcer.delay;
    const delays: Promise<void>[] = [];
    for (const endpoint of this.#local) {
      const { number } = endpoint;
      const before = this.#seen.get(number);
      const now = this.#surroundings(number);
      this.#seen.set(number, now);
      const isSame = (direction: keyof Surroundings): boolean =>
        before !== undefined && areSamePaths(before[direction], now[direction]);
      // Queues follow from the round trip, so the way back counts, too.
      const isShaped = isSame('from') && isSame('to');
      if (!isShaped || !isSameRates(ratesBefore.get(number), rates.get(number))) this.#shape(endpoint);
      if (!isSame(side === 'source' ? 'from' : 'to')) delays.push(this.#delay(endpoint, side));
    }
    return Promise.all(delays).then(() => {});
  }

  #surroundings(endpoint: number): Surroundings {
    return {
      from: this.#known.map(({ number }) => this.#epoch.path(endpoint, number)),
      to: this.#known.map(({ number }) => this.#epoch.path(number, endpoint)),
    };
  }

  async #shapeAll(): Promise<void> {
    const { side } = this.#enforcer.delay;
    for (const endpoint of this.#local) {
      this.#seen.set(endpoint.number, this.#surroundings(endpoint.number));
      this.#shape(endpoint);
      // Many classes take seconds; ticks and questions must not wait for the last of them.
      await setImmediate();
      await this.#delay(endpoint, side);
    }
  }

  async #delay(endpoint: LocalEndpoint, side: 'source' | 'destination'): Promise<void> {
    try {
      await this.#enforcer.setDelays(endpoint, this.#impairedPaths(endpoint, side));
    } catch (error) {
      this.#note(endpoint, error as Error);
    }
  }

  /** Sets the rates of all flows from local endpoints; only interfaces with a change are touched. */
  setRates(rates: Map<number, Map<number, number>>): void {
    const before = this.#rates;
    this.#rates = rates;
    for (const endpoint of this.#local) {
      if (!isSameRates(before.get(endpoint.number), rates.get(endpoint.number))) this.#shape(endpoint);
    }
  }

  /** Reads everything back from the kernel; gives, per endpoint, the steps that did not take effect. */
  verify(): string[] {
    return this.#local.flatMap((endpoint) => {
      const missing = this.#enforcer.verify(endpoint);
      return missing.length === 0 ? [] : [`${endpoint.name}: ${formatPlan(endpoint.ifname, missing)}`];
    });
  }

  /**
   * Compares the next `count` local interfaces with what they shall be, and puts right what somebody has changed.
   * Gives a line for each that needed it.
   */
  audit(count: number): string[] {
    const looked = Math.min(count, this.#local.length);
    return Array.from({ length: looked }, () => this.#local[this.#audited++ % this.#local.length]!).flatMap(
      (endpoint) => {
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

  #shape(endpoint: LocalEndpoint): void {
    const impairment = this.#enforcer.delay.side === 'source' ? 'in-queues' : 'elsewhere';
    const desired = desiredInterface(this.#destinations(endpoint), impairment);
    const [failed] = this.#enforcer.set(endpoint, desired);
    this.#note(endpoint, failed?.error);
  }

  #note({ name, number }: LocalEndpoint, error: Error | undefined): void {
    if (error) {
      this.degraded.set(name, `${name}: ${error.message}`);
      // To be tried again with the next epoch, whatever it changes.
      this.#seen.delete(number);
    } else {
      this.degraded.delete(name);
    }
  }

  *#destinations({ number }: LocalEndpoint): Generator<Destination> {
    const rates = this.#rates.get(number);
    for (const known of this.#known) {
      if (known.number === number) continue;
      const path = this.#epoch.path(number, known.number);
      const bandwidth = path?.bandwidth ?? 0;
      yield {
        ...known,
        path,
        rttMicros: path ? this.#epoch.roundTripMicros(path) : 0,
        rateBps: Math.min(rates?.get(known.number) ?? bandwidth, bandwidth),
      };
    }
  }

  #impairedPaths(endpoint: LocalEndpoint, side: 'source' | 'destination'): ImpairedPath[] {
    return this.#known.flatMap((other): ImpairedPath[] => {
      const [from, to] = side === 'source' ? [endpoint, other] : [other, endpoint];
      const path = this.#epoch.path(from.number, to.number);
      if (!path) return [];
      return [
        {
          source: from.addresses,
          destination: to.addresses,
          latencyMicros: path.latency,
          jitterMicros: path.jitter,
          ...(path.distribution === undefined ? {} : { distribution: path.distribution }),
          loss: path.loss,
        },
      ];
    });
  }
}

function areSamePaths(a: readonly (Path | undefined)[], b: readonly (Path | undefined)[]): boolean {
  return a.length === b.length && a.every((path, index) => isSamePath(path, b[index]));
}

/** For what is enforced; which links it crosses makes no difference. */
function isSamePath(a: Path | undefined, b: Path | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  return (
    a.latency === b.latency &&
    a.jitter === b.jitter &&
    a.distribution === b.distribution &&
    a.loss === b.loss &&
    a.bandwidth === b.bandwidth &&
    a.queuePackets === b.queuePackets
  );
}

function isSameRates(a: Map<number, number> | undefined, b: Map<number, number> | undefined): boolean {
  if ((a?.size ?? 0) !== (b?.size ?? 0)) return false;
  for (const [destination, rate] of a ?? []) if (b?.get(destination) !== rate) return false;
  return true;
}
