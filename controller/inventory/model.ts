/** An inventory: the hosts that there are, and wishes about which endpoints they get. Plain data. */
import type { Bps } from '../../proto/units.ts';
import type { Position } from '../../topology/model/position.ts';

export interface InventoryHost {
  readonly name: string;
  /** For SSH: a name or an IP address. */
  readonly address: string;
  readonly user?: string;
  readonly port?: number;
  /** Hosts on the way, as `ssh -J` takes them. */
  readonly jump?: string;
  /** What is shaped there: an interface, or the one that has an address. */
  readonly shape?: Shape;
  /** Services or endpoints that the host is. */
  readonly is: readonly Identity[];
  readonly labels: readonly string[];
  readonly cores?: number;
  readonly memoryBytes?: number;
  /** Of its network, as measured, for each direction. */
  readonly bandwidth?: Bps;
  /** How many endpoints it takes at most. */
  readonly endpoints?: number;
  readonly position: Position;
}

/** An interface of a host, or the one that has an address. */
export interface Shape {
  readonly kind: 'interface' | 'address';
  readonly value: string;
}

/** What a host is, and by which interface; absent: by the one of the host. */
export interface Identity extends Reference {
  readonly shape?: Shape;
}

/** A service, an endpoint, or `tag:NAME`: a name of the topology, which is looked up later. */
export interface Reference {
  readonly text: string;
  readonly field: string;
  readonly position: Position;
}

export interface Need {
  readonly of: Reference;
  /** Of each endpoint. */
  readonly cores?: number;
  readonly memoryBytes?: number;
}

export interface Pin {
  readonly of: Reference;
  /** Names of hosts. */
  readonly hosts: readonly string[];
}

export interface Inventory {
  readonly file: string;
  /** In the order of the file. */
  readonly hosts: readonly InventoryHost[];
  readonly needs: readonly Need[];
  readonly pins: readonly Pin[];
  /** Groups of endpoints that are all on different hosts. */
  readonly apart: readonly (readonly Reference[])[];
}

/** More than an experiment was ever tried with. */
export const MAX_INVENTORY_HOSTS = 1024;
