/** The mesh's connections as the kernel sees them: how far away their other ends are, and what went over them. */
import type { Socket } from 'node:net';

/** What asks the kernel (agent/kernel/sys/tcp-sockets.ts); may throw for a descriptor that is closed. */
export interface SocketPort {
  readTcp(fd: number): { readonly shortestMicros: number | undefined; readonly sentBytes: number };
  giveUpAfter(fd: number, ms: number): void;
}

/**
 * TCP repeats what is not acknowledged ever more rarely, for a quarter of an hour: after a cut that has healed it would
 * keep silent for as long again as the cut has lasted. The redialer is quicker. Four repetitions fit where a round trip
 * is 100 ms, so that at a loss of 20 % a connection ends by chance once in some minutes.
 */
export const GIVE_UP_AFTER_MS = 4000;

interface Watched {
  /** Multiaddr of the other end, without its peer's id. */
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

  /** The shortest round trip to an address, µs. */
  shortestMicros(address: string): number | undefined {
    const found = [...this.#open].flatMap(([socket, watched]) =>
      watched.address === address ? (this.#read(socket)?.shortestMicros ?? []) : [],
    );
    return found.length === 0 ? undefined : Math.min(...found);
  }

  /** On the wire, with all headers, over connections that are closed too; their last moments may be missing. */
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
    // Not in Node's interface; without it round trips are those of the clock's questions.
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

/** A multiaddr without its peer's id: a connection's address before anybody has said who is there. */
export function withoutPeer(address: string): string {
  return address.replace(/\/p2p\/.*$/, '');
}
