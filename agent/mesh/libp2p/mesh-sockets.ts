/** The mesh's connections as the kernel sees them: their round-trip times, and their bytes. */
import type { Socket } from 'node:net';
import { type Micros, micros } from '../../../proto/units.ts';

/** Reads the kernel's data (agent/kernel/sys/tcp-sockets.ts); may throw for a closed descriptor. */
export interface SocketPort {
  readTcp(fd: number): {
    readonly shortestMicros: number | undefined;
    readonly sentBytes: number;
    readonly segments: number;
    readonly lostSegments: number;
  };
  giveUpAfter(fd: number, ms: number): void;
}

/**
 * TCP retransmits less and less often, for a quarter of an hour: after a cut that has healed, it would stay silent
 * for as long again as the cut has lasted. The redialer is quicker. With a round-trip time of 100 ms, four
 * retransmissions fit in, so that at a loss of 20 % a connection closes by chance once in some minutes.
 */
export const GIVE_UP_AFTER_MS = 4000;

interface Watched {
  /** Multiaddr of the other end, without its peer id. */
  readonly address: string;
  sentBytes: number;
}

export class MeshSockets {
  readonly #port: SocketPort | undefined;
  readonly #open = new Map<Socket, Watched>();
  #sentBefore = 0;

  /** Without a port nothing is known. */
  constructor(port: SocketPort | undefined) {
    this.#port = port;
  }

  readonly add = (socket: Socket, address: string): void => {
    this.#open.set(socket, { address, sentBytes: 0 });
    socket.once('close', () => {
      this.#sentBefore += this.#open.get(socket)?.sentBytes ?? 0;
      this.#open.delete(socket);
    });
    this.#ask(socket, (port, fd) => port.giveUpAfter(fd, GIVE_UP_AFTER_MS));
  };

  /** Segments of the open connections to an address, how many of them were lost, and the shortest round-trip time, µs. */
  segments(address: string): {
    readonly sent: number;
    readonly lost: number;
    readonly shortestMicros: Micros | undefined;
  } {
    let [sent, lost] = [0, 0];
    let shortestMicros: Micros | undefined;
    for (const [socket, watched] of this.#open) {
      const facts = watched.address === address ? this.#read(socket) : undefined;
      if (!facts) continue;
      sent += facts.segments;
      lost += facts.lostSegments;
      shortestMicros = shorterOf(shortestMicros, facts.shortestMicros);
    }
    return { sent, lost, shortestMicros };
  }

  /** On the wire, with all headers, including connections that are closed; their last bytes may be missing. */
  sentBytes(): number {
    let sum = this.#sentBefore;
    for (const [socket, watched] of this.#open) {
      watched.sentBytes = this.#read(socket)?.sentBytes ?? watched.sentBytes;
      sum += watched.sentBytes;
    }
    return sum;
  }

  #read(socket: Socket): ReturnType<SocketPort['readTcp']> | undefined {
    return this.#ask(socket, (port, fd) => port.readTcp(fd));
  }

  #ask<T>(socket: Socket, question: (port: SocketPort, fd: number) => T): T | undefined {
    // Not in Node's interface; without it, round-trip times are those of the clock requests.
    const fd = (socket as { _handle?: { fd?: number } | null })._handle?.fd;
    if (!this.#port || fd === undefined || fd < 0) return undefined;
    try {
      return question(this.#port, fd);
    } catch {
      // It is being closed.
      return undefined;
    }
  }
}

/** Of two round-trip times, µs, either of which may not be known. */
export function shorterOf(one: number | undefined, other: number | undefined): Micros | undefined {
  const shorter = Math.min(one ?? Number.POSITIVE_INFINITY, other ?? Number.POSITIVE_INFINITY);
  return Number.isFinite(shorter) ? micros(shorter) : undefined;
}

/** A multiaddr without its peer id: a connection's address before the peer is known. */
export function withoutPeer(address: string): string {
  return address.replace(/\/p2p\/.*$/, '');
}
