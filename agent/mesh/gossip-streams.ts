/**
 * Notices peers that gossip no longer goes to. gossipsub sends through the first connection to a peer; of two, as there are
 * when both dialled, it forgets the second (`createOutboundStream` in its src/gossipsub.ts), also when the first ends.
 */
import type { Timers } from '../clock.ts';

/** A stream that is being opened is not missed yet. */
export const GRACE_MS = 300;

export interface GossipConnection {
  readonly status: string;
  readonly remotePeer: { toString(): string };
  readonly streams: readonly {
    readonly protocol: string;
    readonly direction: string;
    readonly status: string;
  }[];
  abort(error: Error): void;
}

export interface GossipStreamsPorts {
  /** To all peers. */
  readonly connections: () => readonly GossipConnection[];
  readonly timers: Timers;
}

export class GossipStreams {
  readonly #ports: GossipStreamsPorts;
  readonly #waiting = new Set<() => void>();

  constructor(ports: GossipStreamsPorts) {
    this.#ports = ports;
  }

  /** A connection to `peer` has ended. Others are ended as well if none has gossip: then it begins with a new one. */
  ended(peer: string): void {
    const cancel = this.#ports.timers.after(GRACE_MS, () => {
      this.#waiting.delete(cancel);
      const left = this.#ports
        .connections()
        .filter(({ status, remotePeer }) => status === 'open' && remotePeer.toString() === peer);
      if (left.some(hasGossip)) return;
      for (const connection of left) connection.abort(new Error('no gossip goes through it'));
    });
    this.#waiting.add(cancel);
  }

  stop(): void {
    for (const cancel of this.#waiting) cancel();
    this.#waiting.clear();
  }
}

function hasGossip({ streams }: GossipConnection): boolean {
  return streams.some(
    ({ protocol, direction, status }) =>
      protocol.startsWith('/meshsub/') && direction === 'outbound' && status === 'open',
  );
}
