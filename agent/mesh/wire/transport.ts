/** What carries the mesh's bytes. bench/simulation/memory-transport.ts and libp2p-transport.ts both are one. */
import { MAX_CLOCK_BYTES, MAX_STATE_BYTES } from './limits.ts';
import type { Origin, Rejection } from './rejections.ts';

/** What can be asked: for a whole table, for the time. */
export const REQUEST_KINDS = ['state', 'clock'] as const;
export type RequestKind = (typeof REQUEST_KINDS)[number];

/** The longest answer to each. */
export const MAX_ANSWER_BYTES: Readonly<Record<RequestKind, number>> = {
  state: MAX_STATE_BYTES,
  clock: MAX_CLOCK_BYTES,
};

export interface TransportHandlers {
  /**
   * Gossip that `peer` published, and `via` passed on if it is another. Returns whether it is worth passing on. Doesn't
   * throw.
   */
  onGossip(bytes: Uint8Array, peer: string, via?: string): boolean;
  /** Gossip came from `peer` itself, whoever published it, and whether or not it is known already. */
  onHeard?(peer: string): void;
  /** A question that `peer` asks. Returns the answer, or undefined to refuse. Doesn't throw. */
  onRequest(kind: RequestKind, bytes: Uint8Array, peer: string): Uint8Array | undefined;
  /** A connection to `peer` is up. */
  onPeer(peer: string): void;
  /** Somebody was kept out before anything could be heard. */
  onRefused?(rejection: Rejection, origin: Origin): void;
}

export interface MeshTransport {
  /** Id of the own agent; what others see as `peer`. */
  readonly selfId: string;
  /** Where others can dial this agent (multiaddrs); empty before `start`. */
  readonly addresses: readonly string[];
  start(handlers: TransportHandlers): Promise<void>;
  /** Sends what was published, then hangs up. */
  stop(): Promise<void>;
  /** Sends to all agents of the experiment, as far as they can be reached. */
  publish(bytes: Uint8Array): void;
  /**
   * Asks one peer; rejects if no answer comes within `REQUEST_TIMEOUT_MS`. `question` is called when the way is open and
   * its result goes out at once, so that time taken there is the time of sending.
   */
  request(kind: RequestKind, peer: string, question: () => Uint8Array): Promise<Uint8Array>;
  /** Dials an address, and again whenever the connection is lost, until stopped. Resolves after the first attempt. */
  connect(address: string): Promise<void>;
  /** Tells where a peer can be dialled, so that connections to it are made and kept; no addresses: forget it. */
  learn(peer: string, addresses: readonly string[]): void;
  /** To whom connections are kept; those to others are closed when they are not in use. `undefined`: to all. */
  choose?(peers: ReadonlySet<string> | undefined): void;
  /** Closes the connections to a peer, whose gossip doesn't come over them; others are made if it can be dialled. */
  renew?(peer: string): void;
  /** Addresses that were dialled in vain, and still aren't connected. */
  unreachable?(): readonly string[];
  /** The shortest round trip over a connection to a peer, as its machine's kernel answers; µs. */
  shortestMicros?(peer: string): number | undefined;
  /** All bytes that this agent has sent to others, on the wire. */
  sentBytes?(): number;
}

/** Below `silentAfterMs`, so that asking a silent host ends before it is dropped. */
export const REQUEST_TIMEOUT_MS = 1000;
