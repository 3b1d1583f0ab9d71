/**
 * The data model: the content of a file (`Topology`) and its expansion (`Graph`).
 *
 * Everything here is plain data. Both directions of a link are separate everywhere: `up` is from → to, `down` is to →
 * from.
 */
import type { Impairment } from '../../proto/impairment.ts';
import type { Micros } from '../../proto/units.ts';
import type { ContainerSettings } from './container-settings.ts';
import type { TopologyEvent } from './events.ts';
import type { Expectation } from './expectations.ts';
import type { Position } from './position.ts';
import type { Sequence } from './sequences.ts';
import type { Traffic } from './traffic.ts';

export const TRANSMISSIONS = ['every link', 'bottleneck', 'none'] as const;
export type Transmission = (typeof TRANSMISSIONS)[number];

/** Which path is taken: that of least latency, fewest hops or least weight, or what systems with customers, peers and providers choose. */
export const ROUTINGS = ['latency', 'hops', 'weight', 'valley-free'] as const;
export type Routing = (typeof ROUTINGS)[number];

/** What the far end of a link is for the near one, if the two are of different systems. */
export const RELATIONSHIPS = ['customer', 'peer', 'provider'] as const;
export type Relationship = (typeof RELATIONSHIPS)[number];

/** The same seen from the far end. */
export const reversed = (of: Relationship): Relationship =>
  of === 'peer' ? of : of === 'customer' ? 'provider' : 'customer';

/** Of a link, as the costs of OSPF (RFC 2328, 16 bits). */
export const MAX_WEIGHT = 65_535;

/** The nodes of a path in their order, from a service to a service, instead of the shortest path. */
export interface Route {
  readonly nodes: readonly string[];
  readonly position: Position;
}

export interface Topology {
  readonly name: string;
  readonly routing: Routing;
  /** How many paths of equal cost a pair may have, between which flows are spread. Absent: one. */
  readonly ecmp?: number;
  /** Which links of a path take time for the bytes of a packet. Absent: every one. */
  readonly transmission?: Transmission;
  readonly services: readonly Service[];
  readonly bridges: readonly Bridge[];
  readonly links: readonly LinkPair[];
  /** Paths that are given. Absent: none. */
  readonly routes?: readonly Route[];
  /** Traces that events may give to links, as texts (proto/trace.ts), by name. Absent: none. */
  readonly traces?: Readonly<Record<string, string>>;
  readonly events: readonly TopologyEvent[];
  /** Absent: none. */
  readonly sequences?: readonly Sequence[];
  /** What a run must satisfy. Absent: nothing. */
  readonly expectations?: readonly Expectation[];
  /** Traffic of netfold's own. Absent: none. */
  readonly traffic?: readonly Traffic[];
}

/** When a service's command that has ended is started again: Docker Compose's words. */
export const RESTARTS = ['no', 'on-failure', 'always'] as const;
export type Restart = (typeof RESTARTS)[number];

/** How it is seen that a service is ready; looked for since the start of its command. */
export type ReadyCheck =
  /** A command in the endpoint exits with 0. */
  | { readonly kind: 'command'; readonly command: string }
  /** Something in the endpoint listens at the TCP port. */
  | { readonly kind: 'port'; readonly port: number }
  /** The text is in what the endpoint's commands write. */
  | { readonly kind: 'log'; readonly text: string };

export interface Ready {
  readonly check: ReadyCheck;
  /** It is told when this is over. */
  readonly timeout: Micros;
}

/** How commands run in the endpoints of a service. */
export interface ServiceSettings {
  /** Variables of their environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Their folder: absolute, or below the endpoint's own. */
  readonly cwd?: { readonly path: string; readonly position: Position };
  /** Name or number of a user: of the machine that they run on, or of the image. */
  readonly user?: { readonly name: string; readonly position: Position };
  /** How many processes and threads an endpoint may have at a time, and how many descriptors each of its processes. */
  readonly processes?: number;
  readonly descriptors?: number;
  /** Capabilities that they have besides the default ones, and those of them that they do not (`keptCapabilities`). */
  readonly capAdd?: readonly string[];
  readonly capDrop?: readonly string[];
}

/** Degrees of latitude and longitude, for pictures; the latencies that follow from places stand in the links. */
export type Location = readonly [latitude: number, longitude: number];

export interface Service extends ServiceSettings {
  readonly name: string;
  /** How many endpoints exist at most over the whole timeline; at least 1. */
  readonly replicas: number;
  /** Shell command of each replica in the local lab; absent: the endpoint is idle. */
  readonly run?: string;
  /** Whether `run` is started again when it ends. Absent: no. */
  readonly restart?: Restart;
  /** Absent: ready when its command has started. */
  readonly ready?: Ready;
  /** Names of the services that are ready before `run` is started. */
  readonly after?: readonly string[];
  /** Container image and its arguments, where endpoints are containers. */
  readonly image?: string;
  readonly command?: readonly string[];
  readonly container?: ContainerSettings;
  readonly tags: readonly string[];
  readonly location?: Location;
  /** Whether paths between others may lead through it. */
  readonly forward: boolean;
  /** Whether the replicas share each of the service's links, instead of one link each. */
  readonly shareLinks: boolean;
  /** The existing machine that it runs on, for the bare-metal deployer. */
  readonly machine?: Machine;
  readonly position: Position;
}

export interface Machine {
  /** Host name for SSH. */
  readonly host?: string;
  /** IP address that the application uses. */
  readonly address?: string;
  /** Working directory on the machine. */
  readonly folder?: string;
  /** The program that starts the application there. */
  readonly script?: string;
}

export interface Bridge {
  readonly name: string;
  readonly tags: readonly string[];
  readonly location?: Location;
  readonly position: Position;
}

export interface LinkPair {
  readonly from: string;
  readonly to: string;
  /** Tells it from others between the same two nodes. */
  readonly name?: string;
  /** from → to. */
  readonly up: Impairment;
  /** to → from; absent: the link is one-way. */
  readonly down?: Impairment;
  /** What `to` is for `from`, for routing without valleys. Absent: both are of one system. */
  readonly relationship?: Relationship;
  /** Of each direction, for routing by weight. Absent: 1. */
  readonly weights?: { readonly up: number; readonly down: number };
  readonly tags: readonly string[];
  readonly position: Position;
}

/**
 * A topology at one instant, expanded to replicas. Nodes are numbered: endpoints first, in the order of `endpoints`,
 * then bridges. The numbering depends on the file alone, never on time or host, so an endpoint has the same number on
 * every agent and in every epoch.
 */
export interface Graph {
  readonly routing: Routing;
  /** As in `Topology`, both. */
  readonly ecmp?: number;
  readonly transmission?: Transmission;
  /** Names of the endpoints: services in code-unit order of their names, replicas in numeric order. */
  readonly endpoints: readonly string[];
  /** Names of all nodes: `endpoints`, then the bridges in code-unit order. */
  readonly nodes: readonly string[];
  /** Per node: whether paths may lead through it. */
  readonly forwards: readonly boolean[];
  /** Directed. Several edges may cross one link (`shareLinks`). */
  readonly edges: readonly Edge[];
  readonly links: readonly GraphLink[];
  /**
   * Partitions in force: for each, the group of every endpoint, -1 for those in none. Endpoints in different groups of
   * a partition have no path. Absent: none in force.
   */
  readonly partitions?: readonly (readonly number[])[];
  /** Paths that the file gives. Absent: none. */
  readonly routes?: readonly GraphRoute[];
}

/** Numbers of nodes: ranges of endpoints, first to one past last, and the nodes between. */
export interface GraphRoute {
  readonly from: readonly [number, number];
  readonly to: readonly [number, number];
  readonly via: readonly number[];
}

export interface Edge {
  readonly from: number;
  readonly to: number;
  /** Index into `Graph.links`. */
  readonly link: number;
}

/** A directed link, for which flows compete. */
export interface GraphLink extends Impairment {
  /** What its end is for its start, for routing without valleys. Absent: both are of one system. */
  readonly relationship?: Relationship;
  /** For routing by weight. Absent: 1. */
  readonly weight?: number;
  /** `client.0->s1`, `s1->s2:backup`; a link that replicas share is named after the service: `server->s2`. */
  readonly name: string;
}

/** The properties of an ordered pair of endpoints in the folded topology. */
export interface Path extends Impairment {
  readonly from: number;
  readonly to: number;
  /** How many edges it crosses. */
  readonly hops: number;
  /** Indices into `Graph.links`, in order from `from` to `to`. */
  readonly links: readonly number[];
}
