/** The data of a pair from the epoch, the known endpoints and the shares, as enforcement needs it. */
import { type PacketImpairment, packetImpairment } from '../../proto/impairment.ts';
import { micros } from '../../proto/units.ts';
import type { Path } from '../../topology/model/model.ts';
import { laneAddress } from '../enforce/lanes.ts';
import type { Destination } from '../enforce/path-class.ts';
import type { DemandedPath, ImpairedPath } from '../enforce/ports.ts';
import type { Epoch } from '../epoch/epoch.ts';

/** An endpoint anywhere, with its addresses. */
export interface KnownEndpoint {
  readonly number: number;
  readonly addresses: readonly string[];
}

/** Source → destination → share, bit/s. Pairs that are not in it have their path's bandwidth. */
export type Rates = ReadonlyMap<number, ReadonlyMap<number, number>>;

export class PairPaths {
  epoch: Epoch;
  rates: Rates = new Map();
  known: ReadonlyMap<number, KnownEndpoint> = new Map();
  /** Endpoints without any path, whatever the epoch says. */
  cutOff: ReadonlySet<number> = new Set();

  constructor(epoch: Epoch) {
    this.epoch = epoch;
  }

  /** Empty for an endpoint that isn't known. */
  addresses(endpoint: number): readonly string[] {
    return this.known.get(endpoint)?.addresses ?? [];
  }

  /** `destination`: with the lane (proto/lanes.ts). */
  path(source: number, destination: number): Path | undefined {
    if (this.cutOff.has(source) || this.cutOff.has(this.epoch.lanes.endpointOf(destination)))
      return undefined;
    return this.epoch.path(source, destination);
  }

  /** `number`: with the lane. */
  destination(source: number, number: number): Destination {
    const path = this.path(source, number);
    const bandwidth = path?.bandwidth ?? 0;
    const { lanes } = this.epoch;
    const lane = lanes.laneOf(number);
    return {
      number,
      addresses: this.addresses(lanes.endpointOf(number)).map((address) => laneAddress(address, lane)),
      path,
      rttMicros: path ? this.epoch.roundTripMicros(path) : micros(0),
      rateBps: Math.min(this.rates.get(source)?.get(number) ?? bandwidth, bandwidth),
    };
  }

  /** Those of a source, without itself. */
  *destinations(source: number, numbers: Iterable<number>): Generator<Destination> {
    for (const number of numbers)
      if (this.epoch.lanes.endpointOf(number) !== source) yield this.destination(source, number);
  }

  /** Seen from the destination, `source` has the lane, here and below. `undefined` if there is no path. */
  impairments(source: number, destination: number): PacketImpairment | undefined {
    const { lanes } = this.epoch;
    const path = this.path(lanes.endpointOf(source), lanes.number(destination, lanes.laneOf(source)));
    return path && packetImpairment(path);
  }

  impairedPath(source: number, destination: number): ImpairedPath | undefined {
    const impairments = this.impairments(source, destination);
    const { addresses, ...lane } = this.#origin(source);
    return (
      impairments && {
        ...{ source: addresses, destination: this.addresses(destination), ...lane },
        ...impairments,
      }
    );
  }

  demandedPath(source: number, destination: number): DemandedPath {
    const path = this.impairments(source, destination);
    return { source, destination, ...this.#origin(source), ...(path && { path }) };
  }

  #origin(source: number): Pick<DemandedPath, 'addresses' | 'lane'> {
    const { lanes } = this.epoch;
    const lane = lanes.laneOf(source);
    return { addresses: this.addresses(lanes.endpointOf(source)), ...(lane > 0 && { lane }) };
  }
}

/** Source → the destinations whose rate has changed. */
export function changedRates(before: Rates, now: Rates): Map<number, number[]> {
  const sources = new Set([...before.keys(), ...now.keys()]);
  return new Map(Array.from(sources, (source) => [source, differences(before.get(source), now.get(source))]));
}

function differences(
  a: ReadonlyMap<number, number> | undefined,
  b: ReadonlyMap<number, number> | undefined,
): number[] {
  const found = [...(b ?? [])].filter(([key, rate]) => a?.get(key) !== rate).map(([key]) => key);
  for (const key of a?.keys() ?? []) if (!b?.has(key)) found.push(key);
  return found;
}

export function isSameAddresses(a: readonly string[] | undefined, b: readonly string[]): boolean {
  return a?.length === b.length && b.every((one, index) => one === a[index]);
}
