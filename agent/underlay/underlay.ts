/** The real network: the round-trip times to other hosts, and so the real latency to their endpoints. */
import type { UnderlayHost } from '../../proto/status.ts';
import { type Micros, micros, toMillis } from '../../proto/units.ts';
import { AT_ONCE_MICROS, estimate, type Measured, type Settled, settle } from './round-trip.ts';

export interface OtherHost {
  readonly name: string;
  /** Id of its agent. */
  readonly peer: string;
}

export interface UnderlayPorts {
  /** The other hosts that are present. */
  readonly hosts: () => readonly OtherHost[];
  readonly measure: (host: OtherHost) => Measured;
}

export interface UnderlayOptions {
  /** How many endpoints there are in the topology. */
  readonly endpoints: number;
  /** Shorter round-trip times count as 0. */
  readonly floorMicros: Micros;
}

export class Underlay {
  readonly #ports: UnderlayPorts;
  readonly #floorMicros: Micros;
  readonly #hosts = new Map<string, { measured: Micros; settled: Settled }>();
  /** Endpoint → its host, even after that left: it may return at the same place. */
  readonly #places = new Map<number, string>();
  #realLatency: Float64Array;
  #longer: ReadonlyMap<string, Micros> = new Map();
  #latencyNow: Float64Array;

  constructor(ports: UnderlayPorts, { endpoints, floorMicros }: UnderlayOptions) {
    this.#ports = ports;
    this.#floorMicros = floorMicros;
    this.#realLatency = new Float64Array(endpoints);
    this.#latencyNow = this.#realLatency;
  }

  /**
   * Endpoint → real latency between it and this host, µs: half of the round-trip time, 0 for endpoints of this host.
   * A new array after every change.
   */
  get realLatency(): Float64Array {
    return this.#realLatency;
  }

  /** As `realLatency`, with what has become longer and has not lasted yet. A new array after every change. */
  get latencyNow(): Float64Array {
    return this.#latencyNow;
  }

  /** Host → the round trip to it, where it is longer than it was. */
  setLonger(longer: ReadonlyMap<string, Micros>): void {
    if (longer === this.#longer) return;
    this.#longer = longer;
    this.#addLonger();
  }

  #addLonger(): void {
    this.#latencyNow = this.#realLatency;
    if (this.#longer.size === 0) return;
    this.#latencyNow = this.#realLatency.slice();
    for (const [endpoint, host] of this.#places)
      this.#latencyNow[endpoint] = Math.max(this.#realLatency[endpoint]!, (this.#longer.get(host) ?? 0) / 2);
  }

  /** Sets the hosts of endpoints. New hosts are measured. True if `realLatency` has changed. */
  setEndpoints(endpoints: Iterable<{ readonly number: number; readonly host: string }>): boolean {
    for (const { number, host } of endpoints) this.#places.set(number, host);
    const hasChanged = this.look(false);
    this.#addLonger();
    return hasChanged;
  }

  /** Measures. True if `realLatency` has changed. `all`: also hosts that were measured before; to be done once a second. */
  look(all = true): boolean {
    for (const host of this.#ports.hosts()) {
      const before = this.#hosts.get(host.name);
      if (before && !all) continue;
      const seen = this.#ports.measure(host);
      // Connections to a new host are new as well, so the kernel's minimum is recent.
      const measured = before ? estimate(seen) : (seen.kernelMicros ?? seen.clockMicros);
      if (measured === undefined) continue;
      const counts = before || measured >= AT_ONCE_MICROS ? measured : micros(0);
      const settled = settle(before?.settled, counts, this.#floorMicros);
      this.#hosts.set(host.name, { measured, settled });
    }
    const realLatency = new Float64Array(this.#realLatency.length);
    for (const [endpoint, host] of this.#places)
      realLatency[endpoint] = (this.#hosts.get(host)?.settled.micros ?? 0) / 2;
    if (realLatency.every((micros, endpoint) => micros === this.#realLatency[endpoint])) return false;
    this.#realLatency = realLatency;
    this.#addLonger();
    return true;
  }

  /** Of the present hosts. */
  status(): UnderlayHost[] {
    return this.#ports.hosts().map(({ name }) => {
      const known = this.#hosts.get(name);
      return {
        host: name,
        roundTripMs: known ? toMillis(known.measured) : null,
        subtractedMs: toMillis(micros((known?.settled.micros ?? 0) / 2)),
      };
    });
  }
}
