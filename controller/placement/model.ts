/** What a placement is made from, and what comes out. Plain data. */
import type { Bps } from '../../proto/units.ts';

/** Absent: nothing bounds it. */
export interface HostRoom {
  readonly name: string;
  readonly cores?: number;
  readonly memoryBytes?: number;
  /** Of its network, for each direction. */
  readonly bandwidth?: Bps;
  /** How many endpoints it takes. */
  readonly endpoints?: number;
}

/** What the endpoints want. All indices of endpoints are those of `Graph.endpoints`, of hosts those of the list of hosts. */
export interface Wishes {
  /** Per endpoint. */
  readonly cores: Float64Array;
  readonly memoryBytes: Float64Array;
  /** The only hosts for an endpoint; absent: all. Never empty. */
  readonly hostsOf: ReadonlyMap<number, readonly number[]>;
  /** Groups of endpoints that are all on different hosts. */
  readonly apart: readonly Group[];
}

export interface Group {
  /** For messages, as it is written. */
  readonly text: string;
  readonly endpoints: readonly number[];
}

export interface PlacementOptions {
  readonly seed: number;
  /** How much more than its part of the endpoints a host may have, as a ratio. */
  readonly balance: number;
}

export const DEFAULT_PLACEMENT: PlacementOptions = { seed: 1, balance: 0.05 };

export interface Placement {
  /** Per endpoint. */
  readonly hostOf: Int32Array;
  /** In the order of the hosts. */
  readonly hosts: readonly PlacedHost[];
  /** The most that can cross between hosts, in bit/s, both directions together. */
  readonly crossTrafficBps: number;
  /** The same if endpoints were spread over the hosts in turn. */
  readonly roundRobinBps: number;
  /** Directed links between hosts, of so many. */
  readonly dividedLinks: number;
  readonly links: number;
}

export interface PlacedHost {
  readonly name: string;
  readonly endpoints: readonly number[];
  readonly cores: number;
  readonly memoryBytes: number;
  /** The most that can leave it for other hosts, and arrive from them, in bit/s. */
  readonly leavingBps: number;
  readonly arrivingBps: number;
}
