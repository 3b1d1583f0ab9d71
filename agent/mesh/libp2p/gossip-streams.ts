/**
 * Notices peers without a gossip stream. gossipsub opens one stream to a peer, on the first connection. It doesn't
 * open another when that connection closes and a second one is left (as when both dialled), nor when opening fails
 * (`createOutboundStream` in its src/gossipsub.ts). In the first case it has also forgotten the peer, because the stream
 * from there has ended (`handlePeerReadStreamError`).
 */
import type { Timers } from '../../clock/clock.ts';

/**
 * A peer without a stream for this long gets one. With a shorter time, a stream that is being opened would be opened
 * twice.
 */
export const LOOK_MS = 1000;

export interface GossipConnection {
  readonly status: string;
  readonly remotePeer: { toString(): string };
  readonly streams: readonly {
    readonly protocol: string;
    readonly direction: string;
    readonly status: string;
  }[];
}

export interface GossipStreamsPorts<Connection> {
  /** To all peers. */
  readonly connections: () => readonly Connection[];
  /** Has gossipsub open a stream. */
  readonly open: (connection: Connection) => void;
  readonly timers: Timers;
}

export class GossipStreams<Connection extends GossipConnection> {
  readonly #ports: GossipStreamsPorts<Connection>;
  /** Peers without a stream at the last check. */
  #missing: ReadonlySet<string> = new Set();
  #cancel: (() => void) | undefined;

  constructor(ports: GossipStreamsPorts<Connection>) {
    this.#ports = ports;
  }

  start(): void {
    this.#cancel = this.#ports.timers.every(LOOK_MS, () => this.#look());
  }

  stop(): void {
    this.#cancel?.();
  }

  #look(): void {
    const open = this.#ports.connections().filter(({ status }) => status === 'open');
    const byPeer = Map.groupBy(open, ({ remotePeer }) => remotePeer.toString());
    const missing = [...byPeer].filter(([, connections]) => !connections.some(hasGossip));
    for (const [peer, [connection]] of missing)
      if (this.#missing.has(peer) && connection) this.#ports.open(connection);
    this.#missing = new Set(missing.map(([peer]) => peer));
  }
}

function hasGossip({ streams }: GossipConnection): boolean {
  return streams.some(
    ({ protocol, direction, status }) =>
      protocol.startsWith('/meshsub/') && direction === 'outbound' && status === 'open',
  );
}

/** Not in gossipsub's interface: what libp2p calls when a peer connects. A peer with a stream keeps that one. */
interface Listener {
  onPeerConnected?(peer: unknown, connection: unknown): void;
}

/** Without it, agent/mesh/exchange/pass-on.ts makes a new connection after five seconds if the host is still known. */
export function openGossip(pubsub: object, connection: { readonly remotePeer: unknown }): void {
  (pubsub as Listener).onPeerConnected?.(connection.remotePeer, connection);
}
