/**
 * The port of transports. bench/simulation/memory-transport.ts and agent/mesh/libp2p/libp2p-transport.ts implement
 * it.
 */
import type { Micros } from '../../../proto/units.ts';
import { MAX_CLOCK_BYTES, MAX_STATE_BYTES } from './limits.ts';
import type { Origin, Rejection } from './rejections.ts';

/** What can be requested: a whole table, the time. */
export const REQUEST_KINDS = ['state', 'clock'] as const;
export type RequestKind = (typeof REQUEST_KINDS)[number];

/** The longest answer to each. */
export const MAX_ANSWER_BYTES: Readonly<Record<RequestKind, number>> = {
  state: MAX_STATE_BYTES,
  clock: MAX_CLOCK_BYTES,
};

export interface TransportHandlers {
  /**
   * Gossip that `peer` published; `via` forwarded it if it is another peer. Returns whether to forward it. Doesn't
   * throw.
   */
  onGossip(bytes: Uint8Array, peer: string, via?: string): boolean;
  /** Gossip came directly from `peer`, whichever peer published it, and whether or not it is known already. */
  onHeard?(peer: string): void;
  /** How many hosts are known: a neighbour may forward the gossip of all of them. Default: the connected ones. */
  hostCount?(): number;
  /** Whether it is known that a peer has all commands that this agent has. */
  isInStep?(peer: string): boolean;
  /** A request of `peer`. Returns the answer, or undefined to refuse. Doesn't throw. */
  onRequest(kind: RequestKind, bytes: Uint8Array, peer: string): Uint8Array | undefined;
  /** A connection to `peer` is up. */
  onPeer(peer: string): void;
  /** A peer was refused before it could send anything. */
  onRefused?(rejection: Rejection, origin: Origin): void;
}

export interface MeshTransport {
  /** Id of the own agent; others receive it as `peer`. */
  readonly selfId: string;
  /** Where others can dial this agent (multiaddrs); empty before `start`. */
  readonly addresses: readonly string[];
  start(handlers: TransportHandlers): Promise<void>;
  /** Sends what was published, then closes the connections. */
  stop(): Promise<void>;
  /** Sends to all agents of the experiment that can be reached. */
  publish(bytes: Uint8Array): void;
  /**
   * Sends a request to one peer; rejects if no answer comes within `REQUEST_TIMEOUT_MS`. `question` is called when
   * the stream is open, and its result is sent at once, so that a time which it reads is the time of sending.
   */
  request(kind: RequestKind, peer: string, question: () => Uint8Array): Promise<Uint8Array>;
  /** Dials an address, and again whenever the connection is lost, until stopped. Resolves after the first attempt. */
  connect(address: string): Promise<void>;
  /**
   * Sets the addresses of a peer, so that connections to it are made and kept; without addresses, they are forgotten.
   */
  learn(peer: string, addresses: readonly string[]): void;
  /** The peers to which connections are kept; others are closed when they are not in use. `undefined`: to all. */
  choose?(peers: ReadonlySet<string> | undefined): void;
  /**
   * Closes the connections to a peer whose gossip doesn't arrive over them; new ones are made if it can be dialled.
   */
  renew?(peer: string): void;
  /** Addresses that were dialled without success, and are not connected yet. */
  unreachable?(): readonly string[];
  /** The shortest round-trip time over a connection to a peer, as measured by the kernel; µs. */
  shortestMicros?(peer: string): Micros | undefined;
  /** Segments of the open connections to a peer, how many of them were lost on the way, their shortest round trip, and its IPv4 address, if one has it. */
  segments?(peer: string): {
    readonly sent: number;
    readonly lost: number;
    readonly shortestMicros?: Micros | undefined;
    readonly address?: string | undefined;
  };
  /** All bytes that this agent has sent to others, on the wire. */
  sentBytes?(): number;
}

/** Below `silentAfterMs`, so that a request to a silent host ends before it is dropped. */
export const REQUEST_TIMEOUT_MS = 1000;
